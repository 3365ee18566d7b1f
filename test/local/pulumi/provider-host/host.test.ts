import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import providerMessages from "@pulumi/pulumi/proto/provider_pb.js";
import statusMessages from "@pulumi/pulumi/proto/status_pb.js";
import { expect } from "chai";
import type { HostedProvider } from "../../../../local/pulumi/provider-host/host.ts";
import { fromStruct, secret, unknown } from "../../../../local/pulumi/provider-host/properties.ts";
import { Engine, Memory, urn } from "./memory.ts";

describe("a hosted provider", () => {
  let memory: Memory;
  let hosted: HostedProvider;
  let engine: Engine;

  beforeEach(async () => {
    memory = new Memory();
    hosted = await memory.start();
    engine = await new Engine(hosted.port).configure({});
  });

  afterEach(async () => {
    engine.close();
    await hosted.close();
  });

  const failure = async (work: Promise<unknown>): Promise<Error & Record<string, unknown>> => {
    try {
      await work;
    } catch (error) {
      return error as Error & Record<string, unknown>;
    }
    throw new Error("it did not fail");
  };

  describe("check", () => {
    it("names what has no name: the logical name and seven digits of the seed", async () => {
      const { inputs } = await engine.check({ size: 1 });
      expect(inputs.name).to.match(/^my-box-[0-9a-f]{7}$/);
      expect((await engine.check({ size: 1 })).inputs.name).to.equal(inputs.name);
      expect((await engine.check({ size: 1 }, {}, "other")).inputs.name).not.to.equal(inputs.name);
    });

    it("keeps the name that it gave, and gives a new one when a replacement asks without the old inputs", async () => {
      const olds = (await engine.check({ size: 1 })).inputs;
      expect((await engine.check({ size: 2 }, olds, "other")).inputs.name).to.equal(olds.name);
      expect((await engine.check({ size: 2 }, {}, "other")).inputs.name).not.to.equal(olds.name);
    });

    it("does not keep a name that the person gave and took away", async () => {
      const olds = (await engine.check({ size: 1, name: "mine" })).inputs;
      expect((await engine.check({ size: 1 }, olds)).inputs.name).to.match(/^my-box-/);
    });

    it("refuses what it does not know and what is missing, all at once", async () => {
      const { failures } = await engine.check({ weight: 3 });
      expect(failures).to.deep.equal([
        "weight: the local stand-in for memory:index:Box does not know 'weight'",
        "size: missing required property 'size'",
      ]);
    });

    it("takes unknowns, and secrets as what they hold", async () => {
      const { inputs, failures } = await engine.check({
        size: unknown,
        token: secret("hush"),
        name: unknown,
      });
      expect(failures).to.deep.equal([]);
      expect(inputs).to.include({ size: unknown, token: "hush", name: unknown });
    });
  });

  describe("diff", () => {
    const olds = {
      name: "a",
      size: 1,
      lid: { open: true, hinge: "steel" },
      tags: { one: "1", "two/x": "2" },
    };

    it("finds nothing where nothing changed, and nothing in defaults and emptiness", async () => {
      expect(await engine.diff(olds, olds)).to.deep.include({ some: false, details: {} });
      const news = { ...olds, colour: "brown", token: "" };
      expect(await engine.diff(olds, news)).to.deep.include({ some: false, details: {} });
    });

    it("names each change by its path and kind", async () => {
      const news = {
        ...olds,
        size: 2,
        colour: "red",
        lid: { open: false, hinge: "steel" },
        tags: { one: "1" },
      };
      const { details, replaces } = await engine.diff(olds, news);
      expect(details).to.deep.equal({
        size: "UPDATE",
        colour: "ADD",
        "lid.open": "UPDATE",
        'tags["two/x"]': "DELETE",
      });
      expect(replaces).to.deep.equal([]);
    });

    it("replaces for what cannot change, also deep inside", async () => {
      const { details, replaces } = await engine.diff(olds, { ...olds, lid: { open: true, hinge: "brass" } });
      expect(details).to.deep.equal({ "lid.hinge": "UPDATE_REPLACE" });
      expect(replaces).to.deep.equal(["lid"]);
    });

    it("counts an unknown as a change", async () => {
      expect((await engine.diff(olds, { ...olds, size: unknown })).details).to.deep.equal({ size: "UPDATE" });
      expect((await engine.diff(olds, { ...olds, name: unknown })).replaces).to.deep.equal(["name"]);
    });

    it("deletes first where the person's own name stays, and not where names are ours", async () => {
      const news = { ...olds, lid: { hinge: "brass" } };
      expect((await engine.diff(olds, news)).deleteBeforeReplace).to.equal(true);
      const ours = { __defaults: ["name"] };
      expect((await engine.diff({ ...olds, ...ours }, { ...news, ...ours })).deleteBeforeReplace).to.equal(
        false,
      );
      expect((await engine.diff(olds, { ...olds, name: "b" })).deleteBeforeReplace).to.equal(false);
    });

    it("replaces for every change where a type has no update", async () => {
      delete (memory.boxType as { update?: unknown }).update;
      expect((await engine.diff(olds, { ...olds, size: 2 })).details).to.deep.equal({
        size: "UPDATE_REPLACE",
      });
    });
  });

  describe("a preview", () => {
    it("of a creation touches nothing, and does not know what the service will say", async () => {
      const { id, state } = await engine.create({ name: "a", size: unknown, __defaults: ["name"] }, true);
      expect(id).to.equal("");
      expect(state).to.deep.equal({ name: "a", size: unknown, serial: unknown });
      expect(memory.done).to.deep.equal([]);
    });

    it("of an update touches nothing, keeps what will stay and does not know what may change", async () => {
      const state = { name: "a", size: 1, serial: 7, opened: 3 };
      const after = await engine.update("a", { name: "a", size: 1 }, state, { name: "a", size: 2 }, true);
      expect(after).to.deep.equal({ name: "a", size: 2, serial: 7, opened: unknown });
      expect(memory.done).to.deep.equal([]);
    });
  });

  describe("an operation", () => {
    it("creates, and gives what the service says beside what it does not tell", async () => {
      const { id, state } = await engine.create({ name: "a", size: 1, token: "hush", __defaults: [] });
      expect(id).to.equal("a");
      expect(state).to.deep.equal({ name: "a", size: 1, token: "hush", colour: "brown", serial: 7 });
    });

    it("tells an update what changed", async () => {
      const { state } = await engine.create({ name: "a", size: 1 });
      const after = await engine.update("a", { name: "a", size: 1 }, state, {
        name: "a",
        size: 2,
        colour: "red",
      });
      expect(after).to.deep.equal({ name: "a", size: 2, colour: "red", serial: 7 });
      expect(memory.done).to.deep.equal(["create on floor", "update colour,size"]);
    });

    it("deletes", async () => {
      await engine.create({ name: "a", size: 1 });
      await engine.delete("a");
      expect(memory.boxes.size).to.equal(0);
    });

    it("that fails names the resource and the service's own code", async () => {
      const error = await failure(engine.create({ name: "a", size: 13 }));
      expect(error.details).to.equal(`creating ${urn}: BadLuckException: thirteen is unlucky`);
    });

    it("that made something which does not work gives the engine its id, its state and the reasons", async () => {
      const error = await failure(engine.create({ name: "a", size: 666 }));
      const [bytes] = (error.metadata as { get(key: string): Buffer[] }).get("grpc-status-details-bin");
      const [any] = statusMessages.Status.deserializeBinary(bytes as Buffer).getDetailsList();
      const detail = providerMessages.ErrorResourceInitFailed.deserializeBinary(
        any?.getValue_asU8() ?? new Uint8Array(),
      );
      expect(detail.getId()).to.equal("a");
      expect(detail.getReasonsList()).to.deep.equal(["it rattles", "it smells"]);
      expect(fromStruct(detail.getProperties())).to.include({ size: 666, serial: 7 });
      expect(fromStruct(detail.getInputs())).to.include({ size: 666 });
    });

    it("ends when the engine cancels", async () => {
      const creation = failure(engine.create({ name: "a", size: 99 }));
      while (memory.done.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await engine.cancel();
      expect((await creation).details).to.equal(`creating ${urn}: cancelled`);
    });

    it("ends when the engine is gone, and those of other engines do not", async () => {
      // A client that closes ends its calls first; a process that is killed does not.
      const sockets: Socket[] = [];
      const between = createServer((socket) => {
        const on = connect(hosted.port, "127.0.0.1");
        sockets.push(socket, on);
        socket
          .on("error", () => {})
          .pipe(on.on("error", () => {}))
          .pipe(socket);
      });
      await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
      const killed = await new Engine((between.address() as AddressInfo).port).configure({});
      const creation = failure(killed.create({ name: "a", size: 99 }));
      while (memory.done.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      for (const socket of sockets) socket.destroy();
      between.close();
      await creation;
      while (!memory.done.includes("ended")) await new Promise((resolve) => setTimeout(resolve, 5));
      killed.close();
      expect((await engine.create({ name: "b", size: 1 })).id).to.equal("b");
    });
  });

  describe("read", () => {
    const inputs = { name: "a", size: 1, token: "hush", tags: { one: "1" } };

    it("answers an empty id for what is gone", async () => {
      expect((await engine.read("a", inputs, inputs)).id).to.equal("");
    });

    it("changes nothing where nothing changed, and keeps what the service does not tell", async () => {
      const { state } = await engine.create(inputs);
      const live = await engine.read("a", inputs, state);
      expect(live.inputs).to.deep.equal(inputs);
      expect(live.state).to.deep.equal(state);
    });

    it("finds drift: changed, gone, and set though it was never given", async () => {
      const { state } = await engine.create(inputs);
      memory.boxes.set("a", { ...memory.boxes.get("a"), size: 5, tags: {}, colour: "red" });
      const live = await engine.read("a", inputs, state);
      expect(live.inputs).to.deep.equal({ name: "a", size: 5, token: "hush", colour: "red" });
      expect((await engine.diff(live.inputs, inputs)).details).to.deep.equal({
        size: "UPDATE",
        colour: "DELETE",
        tags: "ADD",
      });
    });

    it("imports: the inputs are what is there, without defaults and outputs", async () => {
      memory.boxes.set("x", { name: "x", size: 3, colour: "brown", tags: {}, serial: 9 });
      expect((await engine.read("x")).inputs).to.deep.equal({ name: "x", size: 3 });
    });
  });

  it("keeps the configurations of provider instances apart", async () => {
    const other = await new Engine(hosted.port).configure({ shelf: "top" });
    expect(await other.invoke("memory:index:shelf")).to.deep.equal({ shelf: "top" });
    expect(await engine.invoke("memory:index:shelf")).to.deep.equal({ shelf: "floor" });
    other.close();
  });

  it("refuses functions that it does not have, by name", async () => {
    const error = await failure(engine.invoke("memory:index:cellar"));
    expect(error.details).to.equal(
      "the local stand-in for the memory provider has no function memory:index:cellar",
    );
  });
});
