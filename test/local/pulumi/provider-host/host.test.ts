import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import providerMessages from "@pulumi/pulumi/proto/provider_pb.js";
import statusMessages from "@pulumi/pulumi/proto/status_pb.js";
import { expect } from "chai";
import type { HostedProvider } from "../../../../local/pulumi/provider-host/host.ts";
import { fromStruct, secret, unknown } from "../../../../local/pulumi/provider-host/properties.ts";
import type { Engine } from "../engine.ts";
import { boxEngine, Memory, urn } from "./memory.ts";

describe("a hosted provider", () => {
  let memory: Memory;
  let hosted: HostedProvider;
  let engine: Engine;

  beforeEach(async () => {
    memory = new Memory();
    hosted = await memory.start();
    engine = await boxEngine(hosted.port).configure({});
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

  it("answers a check with inputs, secrets unwrapped, or with what is wrong", async () => {
    const { inputs, failures } = await engine.check({ size: unknown, token: secret("hush"), name: "a" });
    expect({ inputs, failures }).to.deep.equal({
      inputs: { size: unknown, token: "hush", name: "a", __defaults: [] },
      failures: [],
    });
    expect((await engine.check({ weight: 3 })).failures).to.deep.equal([
      "weight: the memory provider knows no input 'weight' of memory:index:Box",
      "size: missing required property 'size'",
    ]);
  });

  it("answers a diff with paths, kinds and what is replaced", async () => {
    const olds = { name: "a", lid: { open: true, hinge: "steel" }, tags: { one: "1", "two/x": "2" } };
    expect(await engine.diff(olds, olds)).to.deep.equal({
      some: false,
      details: {},
      replaces: [],
      deleteBeforeReplace: false,
    });
    const news = { name: "a", size: 2, lid: { open: false, hinge: "brass" }, tags: { one: "1" } };
    expect(await engine.diff(olds, news)).to.deep.equal({
      some: true,
      details: {
        size: "ADD",
        "lid.open": "UPDATE",
        "lid.hinge": "UPDATE_REPLACE",
        'tags["two/x"]': "DELETE",
      },
      replaces: ["lid"],
      deleteBeforeReplace: true,
    });
  });

  it("touches nothing in a preview", async () => {
    const { id, state } = await engine.create({ name: "a", size: 1 }, true);
    expect({ id, state }).to.deep.equal({ id: "", state: { name: "a", size: 1, serial: unknown } });
    const after = await engine.update("a", { size: 1 }, { size: 1, serial: 7 }, { size: 2 }, true);
    expect(after).to.deep.equal({ size: 2, serial: 7, opened: unknown });
    expect(memory.done).to.deep.equal([]);
  });

  it("answers a read with what is there, and with an empty id for what is gone", async () => {
    memory.boxes.set("x", { name: "x", size: 3, colour: "brown", serial: 9 });
    expect(await engine.read("x")).to.deep.equal({
      id: "x",
      inputs: { name: "x", size: 3 },
      state: { name: "x", size: 3, colour: "brown", serial: 9 },
    });
    expect((await engine.read("a")).id).to.equal("");
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
      const killed = await boxEngine((between.address() as AddressInfo).port).configure({});
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

  it("keeps the configurations of provider instances apart", async () => {
    const other = await boxEngine(hosted.port).configure({ shelf: "top" });
    expect(await other.invoke("memory:index:shelf")).to.deep.equal({ shelf: "top" });
    expect(await engine.invoke("memory:index:shelf")).to.deep.equal({ shelf: "floor" });
    other.close();
  });

  it("refuses functions that it does not have, by name", async () => {
    const error = await failure(engine.invoke("memory:index:cellar"));
    expect(error.details).to.equal("the memory provider has no function memory:index:cellar");
  });
});
