import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { BusyStackError, openStack, type ProgramStack } from "../../automation/index.ts";
import type { ConfigInput } from "../../config.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, region } from "../../local/run.ts";
import { inventory } from "./inventory.ts";
import { Live } from "./live.ts";
import { count, seed, Tally } from "./tally.ts";

// Two `up`s on one stack, begun one after the other at a random moment of the first: one does all, the other finishes or is
// told that the stack is busy, and the state is whole.

const rounds = count(5, 1);
/** Resources enough that an `up` takes some seconds. */
const bindings = count(40, 20);

/** A number from 0 to 1 that the seed and the round decide. */
const random = (round: number, what: string): number =>
  createHash("sha256").update(`${seed}:${round}:${what}`).digest().readUInt32BE(0) / 2 ** 32;

describe("two `up`s on one stack", function () {
  this.timeout("20m");

  const tally = new Tally("concurrency");
  let live: Live;
  const opened: ProgramStack[] = [];

  before(async () => {
    live = await Live.up();
  });
  after(async () => {
    tally.print();
    for (const stack of opened) await stack.destroy();
    await opened[0]?.remove();
  });

  const open = async (round: number): Promise<ProgramStack> => {
    const config: ConfigInput = {
      app: "none",
      cluster: { name: "eks-irsa", existing: true },
      bindings: Array.from({ length: bindings }, (_, index) => ({
        namespace: "concurrent",
        serviceAccount: `app-${index}`,
        createNamespace: index === 0,
        policies: ["AmazonS3ReadOnlyAccess"],
        // Each round changes every role in place, and makes one binding anew.
        role: { description: `round ${round}` },
        labels: { round: String(round) },
      })),
    };
    const extra = { namespace: "concurrent", serviceAccount: `only-in-${round}`, policies: [] };
    const stack = await openStack({
      stack: "concurrent",
      region,
      config: { ...config, bindings: [...(config.bindings ?? []), extra] },
      env: { ...awsEnvironment(live.state), ...engineEnvironment(live.state) },
    });
    return stack;
  };

  interface Exported {
    resources?: { urn: string; id?: string }[];
    pending_operations?: unknown[];
  }

  for (let round = 0; round < rounds; round++) {
    it(`round ${round + 1}: one finishes, the other finishes or is refused, and nothing is lost`, async () => {
      const [first, second] = [await open(round), await open(round)];
      opened.splice(0, opened.length, first);
      const offset = random(round, "offset") * 2500;
      const outcome = (up: Promise<unknown>): Promise<unknown> =>
        up.then(
          () => "finished",
          (error: unknown) => error,
        );
      const running = outcome(first.up());
      await sleep(offset);
      const outcomes = await Promise.all([running, outcome(second.up())]);
      const kinds = outcomes.map((one) =>
        one === "finished" ? one : one instanceof BusyStackError ? "refused" : String(one),
      );
      console.log(
        `      the second began ${(offset / 1000).toFixed(1)} s after the first: ${kinds.join(", ")}`,
      );
      expect(kinds).to.include("finished");
      expect(kinds.filter((one) => one !== "finished" && one !== "refused")).to.deep.equal([]);
      for (const refused of outcomes.filter((one) => one instanceof BusyStackError)) {
        expect(refused.message).to.match(/under way by root@|Another operation is writing a stack's state/);
      }
      tally.note(`one finished, the other ${kinds.includes("refused") ? "was refused" : "finished"}`, true);

      const stack = await open(round);
      expect((await stack.preview()).changes).to.have.all.keys("same");
      tally.note("preview: nothing would change", true);

      const exported = await stack.stack.exportStack();
      const { resources = [], pending_operations = [] } = exported.deployment as Exported;
      expect(pending_operations).to.deep.equal([]);
      const urns = resources.map(({ urn }) => urn);
      expect(new Set(urns)).to.have.length(urns.length);
      const roles = resources.flatMap(({ urn, id }) => (urn.includes("$aws:iam/role:Role::") ? [id] : []));
      expect(roles).to.have.length(bindings + 1);
      await stack.stack.importStack(exported);
      expect((await stack.preview()).changes).to.have.all.keys("same");
      tally.note("state: whole, no pending operation, imported again", true);

      const there = await inventory(live);
      const made = (pattern: RegExp) => Object.keys(there).filter((name) => pattern.test(name));
      const accounts = made(/^ServiceAccount concurrent\//);
      expect(made(/^role concurrent\./)).to.have.length(bindings + 1);
      expect(accounts).to.have.length(bindings + 1);
      expect(accounts).to.include(`ServiceAccount concurrent/only-in-${round}`);
      for (const name of made(/^role concurrent\.app-/)) {
        expect(there[name]).to.have.property("description", `round ${round}`);
      }
      tally.note("AWS and Kubernetes: every role and ServiceAccount once", true);
    });
  }
});
