import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { expect } from "chai";
import type { Report } from "../../local/cli/up-report.ts";
import { local, localUp, type Result, until } from "../e2e/tools.ts";
import { engine, type Operation, random } from "./engine-process.ts";
import { type Inventory, inventory } from "./inventory.ts";
import { Live } from "./live.ts";
import { count, Tally } from "./tally.ts";

// The engine is killed at random moments of `up` and of `destroy`: the next run finishes, comes to what an undisturbed one
// comes to, and after a destroy nothing is left.

const rounds = count(20, 1);

async function untilThere(operation: Operation, ended: () => boolean): Promise<number | undefined> {
  while (!ended()) {
    const pid = engine(operation);
    if (pid !== undefined) return pid;
    await sleep(5);
  }
  return undefined;
}

interface Watched extends Result {
  /** Milliseconds that the engine worked. */
  readonly milliseconds: number;
  readonly killed: boolean;
}

/** Runs a command of local, and kills its engine so many milliseconds after its start. */
async function perform(operation: Operation, killAfter?: number): Promise<Watched> {
  let ended = false;
  const running = local(operation, ...(operation === "up" ? ["--json"] : [])).finally(() => {
    ended = true;
  });
  const pid = await untilThere(operation, () => ended);
  const since = performance.now();
  let killed = false;
  while (pid !== undefined && engine(operation) === pid) {
    if (killAfter !== undefined && performance.now() - since >= killAfter) {
      process.kill(pid, "SIGKILL");
      killed = true;
      break;
    }
    await sleep(5);
  }
  const milliseconds = performance.now() - since;
  return { ...(await running), milliseconds, killed };
}

describe("an engine that is killed", function () {
  this.timeout("60m");
  this.bail(false);

  const tally = new Tally("killed engines");
  let live: Live;
  let nothing: Inventory;
  let whole: Inventory;
  /** Milliseconds that the engine takes undisturbed, the least that was seen. */
  const takes: Record<Operation, number> = { up: 0, destroy: 0 };

  /** Launch templates have ids that only EC2 knows: one that was being made stays, and is told. */
  const withoutTemplates = (found: Inventory): Inventory =>
    Object.fromEntries(Object.entries(found).filter(([name]) => !name.startsWith("launch template ")));

  before(async () => {
    live = await Live.up();
    takes.destroy = (await worked(perform("destroy"))).milliseconds;
    nothing = await inventory(live);
    takes.up = (await worked(perform("up"))).milliseconds;
    whole = await inventory(live);
    expect(Object.keys(whole).length).to.be.greaterThan(Object.keys(nothing).length);
  });
  after(async () => {
    tally.print();
    await localUp();
  });

  async function worked(running: Promise<Watched>): Promise<Watched> {
    const done = await running;
    if (done.code !== 0) throw new Error(`exit code ${done.code}\n${done.stdout}\n${done.stderr}`);
    return done;
  }

  /** Kills the engine of an operation somewhere in its time. Where it had ended first, it is done anew and killed sooner. */
  async function kill(round: number, operation: Operation): Promise<void> {
    const attempts = 5;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const after = random(`${round}:${operation}:${attempt}`) * takes[operation];
      const done = await perform(operation, after);
      if (done.killed) {
        console.log(`      ${operation}: killed after ${(done.milliseconds / 1000).toFixed(1)} s`);
        expect(done.code, done.stdout).to.equal(1);
        return;
      }
      takes[operation] = Math.min(takes[operation], done.milliseconds);
      await worked(perform(operation === "up" ? "destroy" : "up"));
    }
    throw new Error(`${operation} had ended each of ${attempts} times before it was killed.`);
  }

  for (let round = 0; round < rounds; round++) {
    it(`round ${round + 1}: the next destroy deletes what a killed one left`, async () => {
      await kill(round, "destroy");
      await worked(perform("destroy"));
      // What the killed engine had Kubernetes delete goes when its pods have ended, a refresh counts it as gone already.
      await until("no namespace is being deleted", 60, async () => {
        const { items } = await live.core().listNamespace();
        return items.every(({ metadata }) => metadata?.deletionTimestamp === undefined) || undefined;
      });
      const found = withoutTemplates(await inventory(live));
      const empty = isDeepStrictEqual(found, withoutTemplates(nothing));
      tally.note("destroy: the next finishes, and nothing is left", empty);
      expect(found).to.deep.equal(withoutTemplates(nothing));
    });

    it(`round ${round + 1}: the next up finishes what a killed one began`, async () => {
      await kill(round, "up");
      const { stdout } = await worked(perform("up"));
      expect((JSON.parse(stdout) as Report).proofs.filter((proof) => !proof.ok)).to.deep.equal([]);
      const found = withoutTemplates(await inventory(live));
      const same = isDeepStrictEqual(found, withoutTemplates(whole));
      tally.note("up: the next finishes, and comes to the same", same);
      expect(found).to.deep.equal(withoutTemplates(whole));
    });
  }
});
