import { expect } from "chai";
import { formatPath } from "../../../../local/pulumi/provider-host/diff.ts";
import * as operations from "../../../../local/pulumi/provider-host/operations.ts";
import { type Properties, unknown } from "../../../../local/pulumi/provider-host/properties.ts";
import type { Context } from "../../../../local/pulumi/provider-host/resource-type.ts";
import { boxType, Memory, urn } from "./memory.ts";

describe("what the engine asks of a resource type", () => {
  let memory: Memory;
  const context: Context<{ shelf: string }> = {
    config: { shelf: "floor" },
    provider: "the memory provider",
    urn,
    type: boxType,
    logicalName: "my-box",
    signal: new AbortController().signal,
    status: () => {},
    log: () => {},
  };
  const engine = {
    async check(news: Properties, olds: Properties = {}, seed = "seed") {
      const request = { logicalName: "my-box", seed: Buffer.from(seed) };
      const checked = await operations.check(memory.boxType, olds, news, request, context);
      return Array.isArray(checked)
        ? {
            inputs: {} as Properties,
            failures: checked.map(({ property, reason }) => `${property}: ${reason}`),
          }
        : { inputs: checked, failures: [] };
    },
    diff(olds: Properties, news: Properties) {
      const { differences, deleteBeforeReplace } = operations.diff(memory.boxType, olds, news);
      return {
        details: Object.fromEntries(
          differences.map(({ path, kind, replace }) => [
            formatPath(path),
            replace ? `${kind}, replaces` : kind,
          ]),
        ),
        deleteBeforeReplace,
      };
    },
    create: (inputs: Properties) => operations.create(memory.boxType, inputs, context),
    async read(id: string, inputs: Properties = {}, state: Properties = {}) {
      const live = await operations.read(memory.boxType, id, inputs, state, context);
      if (live === undefined) throw new Error(`${id} is gone`);
      return live;
    },
  };
  beforeEach(() => {
    memory = new Memory();
  });

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
        "weight: the memory provider knows no input 'weight' of memory:index:Box",
        "size: missing required property 'size'",
      ]);
    });

    it("refuses a value that the type refuses, also inside, once it is known", async () => {
      const { failures } = await engine.check({ size: 1, lid: { hinge: "cheese" } });
      expect(failures).to.deep.equal(["lid.hinge: is too soft"]);
      expect((await engine.check({ size: 1, lid: { hinge: unknown } })).failures).to.deep.equal([]);
    });

    it("takes unknowns", async () => {
      const { inputs, failures } = await engine.check({ size: unknown, name: unknown });
      expect(failures).to.deep.equal([]);
      expect(inputs).to.include({ size: unknown, name: unknown });
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
      expect(engine.diff(olds, olds)).to.deep.include({ details: {} });
      const news = { ...olds, colour: "brown", token: "" };
      expect(engine.diff(olds, news)).to.deep.include({ details: {} });
    });

    it("names each change by its path and kind", async () => {
      const news = {
        ...olds,
        size: 2,
        colour: "red",
        lid: { open: false, hinge: "steel" },
        tags: { one: "1" },
      };
      const { details } = engine.diff(olds, news);
      expect(details).to.deep.equal({
        size: "update",
        colour: "add",
        "lid.open": "update",
        'tags["two/x"]': "delete",
      });
    });

    it("replaces for what cannot change, also deep inside", async () => {
      const { details } = engine.diff(olds, { ...olds, lid: { open: true, hinge: "brass" } });
      expect(details).to.deep.equal({ "lid.hinge": "update, replaces" });
    });

    it("counts an unknown as a change", async () => {
      expect(engine.diff(olds, { ...olds, size: unknown }).details).to.deep.equal({ size: "update" });
      expect(engine.diff(olds, { ...olds, name: unknown }).details).to.deep.equal({
        name: "update, replaces",
      });
    });

    it("deletes first where the person's own name stays, and not where names are ours", async () => {
      const news = { ...olds, lid: { hinge: "brass" } };
      expect(engine.diff(olds, news).deleteBeforeReplace).to.equal(true);
      const ours = { __defaults: ["name"] };
      expect(engine.diff({ ...olds, ...ours }, { ...news, ...ours }).deleteBeforeReplace).to.equal(false);
      expect(engine.diff(olds, { ...olds, name: "b" }).deleteBeforeReplace).to.equal(false);
    });

    it("replaces for every change where a type has no update", async () => {
      delete (memory.boxType as { update?: unknown }).update;
      expect(engine.diff(olds, { ...olds, size: 2 }).details).to.deep.equal({
        size: "update, replaces",
      });
    });
  });

  describe("a preview", () => {
    it("of a creation does not know what the service will say", () => {
      expect(
        operations.preview(memory.boxType, { name: "a", size: unknown, __defaults: ["name"] }),
      ).to.deep.equal({
        name: "a",
        size: unknown,
        serial: unknown,
      });
    });

    it("of an update keeps what will stay and does not know what may change", () => {
      const state = { name: "a", size: 1, serial: 7, opened: 3 };
      expect(operations.preview(memory.boxType, { name: "a", size: 2 }, state)).to.deep.equal({
        name: "a",
        size: 2,
        serial: 7,
        opened: unknown,
      });
    });
  });

  describe("create, update and delete", () => {
    it("read back what they did, and tell an update what changed", async () => {
      const inputs = { name: "a", size: 1, __defaults: [] };
      const { id, state } = await engine.create(inputs);
      expect(state).to.deep.equal({ name: "a", size: 1, colour: "brown", serial: 7 });
      const news = { name: "a", size: 2, colour: "red" };
      const after = await operations.update(memory.boxType, id, inputs, state, news, context);
      expect(after).to.deep.equal({ name: "a", size: 2, colour: "red", serial: 7 });
      await operations.remove(memory.boxType, id, after, context);
      expect(memory.done).to.deep.equal(["create on floor", "update colour,size", "delete a"]);
    });

    it("name the resource in what failed", async () => {
      const error = await engine.create({ name: "a", size: 13 }).catch((error: Error) => error);
      expect(error).to.have.property("message", `creating ${urn}: BadLuckException: thirteen is unlucky`);
    });
  });

  describe("read", () => {
    const inputs = { name: "a", size: 1, token: "hush", tags: { one: "1" } };

    it("finds nothing of what is gone", async () => {
      expect(await operations.read(memory.boxType, "a", inputs, inputs, context)).to.equal(undefined);
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
      expect(engine.diff(live.inputs, inputs).details).to.deep.equal({
        size: "update",
        colour: "delete",
        tags: "add",
      });
    });

    it("imports: the inputs are what is there, without defaults and outputs", async () => {
      memory.boxes.set("x", { name: "x", size: 3, colour: "brown", tags: {}, serial: 9 });
      expect((await engine.read("x")).inputs).to.deep.equal({ name: "x", size: 3 });
    });
  });
});
