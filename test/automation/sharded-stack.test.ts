import { cpSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect } from "chai";
import {
  openShards,
  type ShardedStack,
  ShardsError,
  type ShardsOptions,
} from "../../automation/sharded-stack.ts";
import { openStack } from "../../automation/stack.ts";
import { descendants } from "../../bench/measure.ts";
import { ConfigError, type ConfigInput } from "../../config.ts";
import { bin } from "../../local/machine/paths.ts";
import { engineIsThere, Stage } from "./stage.ts";

// The real engine, with a file backend, and providers that make nothing.

describe("an environment's bindings in several stacks", () => {
  const path = process.env.PATH;
  const region = "eu-central-1";
  let stage: Stage;
  /** Roles that were made, and those that were deleted. */
  let made: number;

  before(function () {
    if (!engineIsThere) this.skip();
    process.env.PATH = [bin, path].join(delimiter);
  });
  beforeEach(async () => {
    stage = await new Stage().open();
    made = 0;
    stage.creations["aws:iam/role:Role"] = async () => `role-${++made}`;
  });
  afterEach(() => stage?.close());
  after(() => {
    process.env.PATH = path;
  });

  const bindings = ["a", "a", "b", "b", "c"].map((namespace, index) => ({
    namespace,
    serviceAccount: `app-${index}`,
    createNamespace: true,
  }));
  const config: ConfigInput = { app: "none", cluster: { name: "dev", existing: true }, bindings };
  const open = (more: Partial<ShardsOptions> = {}): Promise<ShardedStack> =>
    openShards({ environment: "prod", region, config, env: stage.env as Record<string, string>, ...more });
  const failure = (promise: Promise<unknown>): Promise<Error> =>
    promise.then(
      () => {
        throw new Error("it did not fail");
      },
      (error: Error) => error,
    );
  const states = (): string[] =>
    readdirSync(join(stage.folder, "state", ".pulumi", "stacks", "eks-irsa"))
      .filter((name) => name.endsWith(".json"))
      .sort();
  /** The engines that are at an `up` below this process. */
  const engines = (): number[] =>
    descendants(process.pid).filter((pid) => {
      const [program = "", verb] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return program.endsWith("pulumi") && verb === "up";
    });

  it("come up side by side in one report, and move to fewer stacks without a replacement", async () => {
    const up = await (await open({ stacks: 2 })).up();
    expect(up.shards.map(({ stack, bindings }) => [stack, bindings])).to.deep.equal([
      ["prod.1", 3],
      ["prod.2", 2],
    ]);
    expect(made).to.equal(5);
    expect(Object.keys(up.outputs.bindings?.value as object)).to.have.members(
      bindings.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`),
    );

    // A move that was cut off between its two writes leaves the bindings in both states.
    const fewer = await open({ stacks: 1 });
    expect(fewer.moves).to.deep.equal([{ namespace: "b", from: "prod.2", to: "prod.1" }]);
    expect((await fewer.preview()).changes, "what moves is not to be made").to.have.all.keys("same");
    const stacks = join(stage.folder, "state", ".pulumi", "stacks", "eks-irsa");
    cpSync(join(stacks, "prod.2.json"), join(stage.folder, "before.json"));
    stage.creations["kubernetes:core/v1:Namespace"] = async () => {
      throw new Error("never");
    };
    const another = {
      ...config,
      bindings: [...bindings, { namespace: "d", serviceAccount: "x", createNamespace: true }],
    };
    const cutOff = await failure((await open({ stacks: 1, config: another })).up());
    expect(cutOff).to.be.instanceOf(ShardsError);
    cpSync(join(stage.folder, "before.json"), join(stacks, "prod.2.json"));
    delete stage.creations["kubernetes:core/v1:Namespace"];

    const last = await open({ stacks: 1 });
    const moved = await last.up();
    // What goes are the providers that came along, and what there is of d.
    expect(moved.changes).to.not.have.any.keys("create", "replace", "create-replacement");
    expect(made).to.equal(5);
    expect(states(), "the stack that gave all away is gone").to.deep.equal(["prod.1.json"]);
    expect(last.moves).to.deep.equal([]);
    expect((await last.refresh()).shards).to.have.length(1);
    expect((await last.preview()).changes).to.have.all.keys("same");
  });

  it("are taken over from a stack that has them all", async () => {
    const one = await openStack({ stack: "dev", region, config, env: stage.env as Record<string, string> });
    await one.up();
    const up = await (await open({ stacks: 2, from: ["dev"] })).up();
    expect(made).to.equal(5);
    expect(up.changes).to.not.have.any.keys("replace", "create-replacement");
    expect(up.shards.map(({ bindings }) => bindings)).to.deep.equal([3, 2]);
    const left = JSON.stringify((await one.stack.exportStack()).deployment);
    expect(left).not.to.contain("IrsaServiceAccount");
  });

  it("fail each by itself: the others are up, and the next run does the rest", async () => {
    stage.creations["aws:iam/role:Role"] = async () => {
      if (made === 1) throw new Error("AccessDenied: no more roles");
      return `role-${++made}`;
    };
    const error = (await failure((await open({ stacks: 2, concurrency: 1 })).up())) as ShardsError;
    expect(error).to.be.instanceOf(ShardsError);
    expect(error.message).to.match(
      /^[12] of 2 stacks failed; what the others did stays done\.\nprod\.\d: .*AccessDenied/,
    );
    expect(error.shards).to.have.length(2);
    stage.creations["aws:iam/role:Role"] = async () => `role-${++made}`;
    const up = await (await open()).up();
    expect(up.shards).to.have.length(2);
    expect(made).to.equal(5);
  });

  it("lose nothing when the engines are killed: the next run goes on where each stack was", async () => {
    stage.creations["aws:iam/role:Role"] = async () => {
      made += 1;
      if (made === 3) {
        for (const pid of engines()) process.kill(pid, "SIGKILL");
        return new Promise(() => {}); // nobody hears the answer
      }
      return `role-${made}`;
    };
    expect(await failure((await open({ stacks: 2 })).up())).to.be.instanceOf(ShardsError);
    const before = made;
    stage.creations["aws:iam/role:Role"] = async () => `role-${++made}`;
    const again = await open({ stacks: 2 });
    expect(again.moves).to.deep.equal([]);
    await again.cancel(); // the locks of the engines that are gone
    const up = await again.up();
    expect(up.shards.map(({ bindings }) => bindings)).to.deep.equal([3, 2]);
    // What an engine had begun and not written down is made again here: of real roles the name is looked for.
    expect(made).to.be.within(5, 5 + before);
  });

  it("are one command, with a line a stack at its end; what only the engine can read is refused", async () => {
    stage.configured(config);
    const up = await stage.stack("up", "x", "--yes", "--stacks", "2", "--json");
    expect(up.stderr).to.match(/ {2}x\.1: created aws:Role /);
    expect(up.stderr).to.match(/ {2}x\.1: 3 bindings, \d+ created \([\d.]+ s\)\n {2}x\.2: 2 bindings, /);
    expect(up.code).to.equal(0);
    const { outputs, shards } = JSON.parse(up.stdout);
    expect(Object.keys(outputs.bindings)).to.have.length(5);
    expect(shards).to.have.length(2);

    const fewer = await stage.stack("preview", "x", "--stacks", "1");
    expect(fewer.stderr).to.match(
      /^ {2}the bindings of b would move from x\.2 to x\.1, as they are\nnothing would change\n/,
    );

    const destroy = await stage.stack("destroy", "x", "--yes", "--stacks");
    expect(destroy.stderr).to.match(/ {2}x\.2: 2 bindings, \d+ deleted/);

    stage.configured({ ...config, tags: { secure: "v1:x" } });
    const refused = await stage.stack("preview", "x", "--stacks");
    expect(refused.stderr).to.match(
      /^Pulumi\.x\.yaml has eks-irsa:tags, which only the engine can read: [^\n]*\n$/,
    );
    expect(refused.code).to.equal(2);
    const none = await stage.stack("preview", "x", "--stacks", "none");
    expect(none.stderr).to.contain("It must be a whole number from 1 to 999, or left out.");
    expect(none.code).to.equal(2);
  });

  it("are all that is shared: a cluster or a lister is a stack's own", async () => {
    const error = await failure(
      open({ config: { cluster: { name: "dev", existing: true, createOidcProvider: true } } }),
    );
    expect(error).to.be.instanceOf(ConfigError);
    expect(error.message)
      .to.contain("eks-irsa:app is not set; it must be none")
      .and.contain("eks-irsa:cluster.createOidcProvider holds true; it must be false");
  });
});
