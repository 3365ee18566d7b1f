import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { OperationError, type ProgramStack } from "../../automation/index.ts";
import { changed, describe as words } from "../../automation/progress.ts";
import type { FaultCounts } from "../../local/aws/faults.ts";
import { readyPod } from "../../local/proofs.ts";
import { until } from "../e2e/tools.ts";
import { type Inventory, inventory } from "./inventory.ts";
import { Live } from "./live.ts";
import { count, seed, Tally } from "./tally.ts";

// AWS's API throttles, answers 500, hangs and tears connections, before it has done what it was asked and after: at 1, 10
// and 30 percent of all requests. What is begun then finishes, or ends in a clear error and finishes the next time.

const percents = process.env.FAULTS === "short" ? [30] : [1, 10, 30];
/** Of the whole life of a stack, at each percentage. */
const rounds = count(3, 1);

const binding = (serviceAccount: string, more: object = {}) => ({
  namespace: "faults",
  serviceAccount,
  policies: ["AmazonS3ReadOnlyAccess"],
  ...more,
});
const bindingsBefore = [
  binding("one", { createNamespace: true }),
  binding("two", { policies: ["AmazonSQSReadOnlyAccess"], role: { maxSessionDuration: 7200 } }),
  binding("three", { identity: "pod-identity" }),
];
const bindingsAfter = [
  binding("one", { createNamespace: true, policies: ["AmazonSQSReadOnlyAccess", "AmazonS3ReadOnlyAccess"] }),
  binding("two", { policies: [], role: { maxSessionDuration: 3600, description: "changed" } }),
  binding("four", { labels: { team: "a" } }),
];
const first = [`bindings=${JSON.stringify(bindingsBefore)}`];
const second = [
  `bindings=${JSON.stringify(bindingsAfter)}`,
  'cluster.logs={"types":["api"],"retentionDays":7}',
  "cluster.nodes.max=5",
  "tags.owner=somebody",
];

describe("faults of AWS's API", function () {
  this.timeout("40m");
  this.bail(true);

  const tally = new Tally("API faults");
  const injected: Record<string, number> = {};
  let requests = 0;
  let live: Live;
  /** How things are when nothing fails. */
  let calm: Record<"first" | "second", Inventory>;

  before(async () => {
    live = await Live.up();
    calm = {
      second: await settled(second),
      first: await settled(first),
    };
    expect(calm.first).not.to.deep.equal(calm.second);
  });
  after(async () => {
    await live.faults();
    tally.print();
    const kinds = Object.entries(injected).sort(([a], [b]) => (a < b ? -1 : 1));
    console.log(
      `      of ${requests} requests failed: ${kinds.map(([kind, number]) => `${number} ${kind}`).join(", ")}`,
    );
    await live.restore();
  });

  async function settled(overrides: string[]): Promise<Inventory> {
    await (await live.open(...overrides)).up();
    return inventory(live);
  }

  const note = (counts: FaultCounts): void => {
    requests += counts.requests;
    for (const [kind, number] of Object.entries(counts.injected)) {
      injected[kind] = (injected[kind] ?? 0) + number;
    }
  };
  const total = ({ injected: those }: FaultCounts) => Object.values(those).reduce((sum, one) => sum + one, 0);

  /** Does something while AWS fails; where it fails itself, clearly, once more while AWS does not. */
  async function under<T>(
    percent: number,
    round: number,
    what: string,
    operate: () => Promise<T>,
    asItShould: (done: T) => Promise<void>,
  ): Promise<void> {
    const name = `${what} at ${percent} %`;
    await live.faults({ percent, seed: seed + round * 100 + percent, hangMilliseconds: 1000 });
    let error: unknown;
    let done: T | undefined;
    const since = performance.now();
    try {
      done = await operate();
    } catch (caught) {
      error = caught;
    }
    const seconds = (performance.now() - since) / 1000;
    const counts = await live.faults();
    note(counts);
    const outcome = error === undefined ? "finished" : "a clear error, and finished the next time";
    try {
      if (error !== undefined) {
        expect(error, String(error)).to.be.instanceOf(OperationError);
        console.log(`      ${name}: ${(error as Error).message.slice(0, 300)}`);
        expect((error as Error).message).to.match(
          /Rate exceeded|reduce your request rate|unknown error|ECONNRESET|socket hang up|limit exceeded/i,
        );
        done = await operate();
      }
      await asItShould(done as T);
    } catch (wrong) {
      tally.note(`${name}: ${outcome}`, false);
      throw wrong;
    }
    tally.note(`${name}: ${outcome}`, true);
    console.log(
      `      ${name}: ${outcome} in ${seconds.toFixed(0)} s, ${total(counts)} of ${counts.requests} requests failed`,
    );
  }

  const equals = async (stack: ProgramStack, expected: Inventory): Promise<void> => {
    expect((await stack.preview()).changes).to.have.all.keys("same");
    const there = await inventory(live);
    // The names first, so that a failure tells what is missing or left over.
    expect(Object.keys(there).sort()).to.deep.equal(Object.keys(expected).sort());
    // One by one: Mocha cuts off a difference after 8,192 characters of both sides.
    for (const [name, found] of Object.entries(there)) expect(found, name).to.deep.equal(expected[name]);
  };

  it("leave running pods alive: they go on listing, start under them, and recover", async () => {
    const percent = 30;
    const outputs = await (await live.open(...first)).outputs();
    const namespace = String(outputs.namespace?.value);
    const deployment = String(outputs.deployment?.value);
    const find = () => readyPod({ core: live.core(), namespace, deployment });
    await live.faults({ percent, seed, hangMilliseconds: 1000 });
    // A new pod asks STS for its first credentials while that fails, too.
    const old = await find();
    await live.kubectl("delete", "pod", "-n", namespace, old.name);
    const pod = await until("a new pod that is ready", 120, () => find().catch(() => undefined));
    const get = (path: string) =>
      fetch(`http://${pod.ip}:8080${path}`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    const listedAt = async () =>
      ((await (await get("/buckets"))?.json()) as { listedAt?: string } | undefined)?.listedAt;
    const listings = new Set<string>();
    let red = 0;
    const seconds = count(60, 20);
    for (let second = 0; second < seconds; second++) {
      const at = await listedAt();
      if (at) listings.add(at);
      const alive = (await get("/healthz"))?.status === 200;
      tally.note(`healthz at ${percent} %`, alive);
      if (!alive) red += 1;
      await sleep(1000);
    }
    const counts = await live.faults();
    note(counts);
    console.log(
      `      ${listings.size} listings in ${seconds} s, ${total(counts)} of ${counts.requests} requests failed`,
    );
    expect(red).to.equal(0);
    expect(listings).to.have.length.greaterThan(seconds / 20);
    expect(total(counts)).to.be.greaterThan(0);
    const last = await listedAt();
    await until("a listing once AWS is well again", 30, async () => {
      const now = await listedAt();
      return now !== undefined && now !== last && (await get("/readyz"))?.status === 200 ? now : undefined;
    });
    const restarts = await live.kubectl(
      ...["get", "pod", "-n", namespace, pod.name],
      ...["-o", "jsonpath={.status.containerStatuses[0].restartCount}"],
    );
    tally.note("pods: the same container before, during and after", restarts === "0");
    expect(restarts).to.equal("0");
  });

  for (const percent of percents) {
    it(`at ${percent} %: up of a change, refresh, destroy and up of all finish, and leave nothing behind`, async () => {
      for (let round = 0; round < rounds; round++) {
        const stack = await live.open(...second);
        await under(
          percent,
          round,
          "up of a change",
          () => stack.up(),
          () => equals(stack, calm.second),
        );
        await under(
          percent,
          round,
          "refresh",
          async () => {
            const found = new Set<string>();
            const { changes } = await stack.refresh({
              onProgress: (one) => one.kind === "resource" && one.state === "done" && found.add(words(one)),
            });
            return { changes, found };
          },
          async ({ changes, found }) => {
            expect(changed(changes), `${JSON.stringify(changes)}: ${[...found].join(", ")}`).to.equal(false);
            await equals(stack, calm.second);
          },
        );
        await under(
          percent,
          round,
          "destroy",
          () => stack.destroy(),
          async () => void expect(await inventory(live)).to.deep.equal({}),
        );
        const anew = await live.open(...first);
        await under(
          percent,
          round,
          "up of everything",
          () => anew.up(),
          () => equals(anew, calm.first),
        );
      }
    });
  }

  // Minutes, until the provider gives up.
  if (process.env.FAULTS !== "short") {
    it("at 100 %: up ends in a clear error, and finishes once AWS is there again", async () => {
      const stack = await live.open(...second);
      await under(
        100,
        0,
        "up of a change",
        () => stack.up(),
        () => equals(stack, calm.second),
      );
    });
  }
});
