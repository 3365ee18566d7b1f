import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "../local/cli/up-report.ts";
import { alive } from "../local/machine/process.ts";
import { load } from "../local/state.ts";
import {
  type Benchmark,
  type Context,
  type Figure,
  type Goal,
  inTurns,
  type Series,
  wholeRun as whole,
} from "./benchmark.ts";
import { type Checkout, thisCheckout, withCheckoutOf } from "./checkout.ts";
import { measure } from "./measure.ts";

/** Runs of local on what is built, and what each step takes of them. */
export const local: Benchmark = {
  name: "local",
  title: "Local: a run from stopped and a run that changes nothing",
  async run(context) {
    refuseWhileUp();
    return inCheckouts(context, (checkouts) => runsOf(checkouts, context));
  },
};

/** A run that has nothing: every package is downloaded, engine and Kubernetes are built. A quarter of an hour. */
export const firstRun: Benchmark = {
  name: "first-run",
  title: "Local: the first run, from empty caches",
  async run(context) {
    refuseWhileUp();
    return inCheckouts(context, (checkouts) => firstRunsOf(checkouts, context));
  },
};

/** This checkout first, and then that of the commit with which it is compared. */
function inCheckouts<T>(
  { before, say }: Context,
  act: (checkouts: readonly Checkout[]) => Promise<T>,
): Promise<T> {
  if (before === undefined) return act([thisCheckout]);
  say(`${before} is checked out, and gets its packages`);
  return withCheckoutOf(before, (earlier) => act([thisCheckout, earlier]));
}

/** What a person may count on, on two idle cores: seconds, and MB (1,000,000 bytes) of all of local's processes. */
const goals = { stopped: 20, again: 5, megabytes: 1300 };

/** @param checkouts The first is the one that is asked about. Each is down before the next one comes up. */
export async function runsOf(
  checkouts: readonly Checkout[],
  { short, say }: Pick<Context, "short" | "say">,
): Promise<Figure[]> {
  const [ours, ...earlier] = checkouts;
  for (const one of earlier) {
    say(`what ${one.subject} needs is built, unless it is there`);
    await command(one, "install", "--yes");
    await command(one, "down"); // a comparison that was killed leaves it up
  }
  const steps: Record<"stopped" | "again", Seconds[]> = { stopped: [], again: [] };
  const round = async (checkout: Checkout, index: number) => {
    try {
      const [stopped, again] = [await up(checkout), await upAsAPerson(checkout)];
      if (checkout === ours && index >= 0) {
        steps.stopped.push(stopped);
        steps.again.push(again);
      }
      return { stopped: stopped[whole], again: again[whole], megabytes: await residentMegabytes(checkout) };
    } finally {
      await command(checkout, "down");
    }
  };
  const subjects = subjectsOf(checkouts, round);
  // What has just been built comes up for the first time.
  const { stopped, again, megabytes } = await inTurns(short ? 1 : 3, subjects, {
    warmUp: earlier.length > 0 && !short,
    say,
  });
  const notes = notesOf(checkouts);
  return [
    sharesOf("from stopped", steps.stopped),
    sharesOf("nothing to do", steps.again),
    compared("a run from stopped", "s", stopped, { ...notes, most: goals.stopped }),
    compared("a run that changes nothing", "s", again, { ...notes, most: goals.again }),
    compared("memory at rest", "MB", megabytes, { ...notes, most: goals.megabytes }),
  ];
}

/** @param checkouts as of `runsOf`. */
export async function firstRunsOf(
  checkouts: readonly Checkout[],
  { say }: Pick<Context, "say">,
): Promise<Figure[]> {
  const [ours, ...earlier] = checkouts;
  const steps: Seconds[] = [];
  const round = async (checkout: Checkout) => {
    const cache = mkdtempSync(join(tmpdir(), "eks-irsa-first-"));
    const empty = { ...checkout, env: { ...checkout.env, EKS_IRSA_CACHE: cache } };
    say(`everything anew, in ${cache}`);
    try {
      const first = await up(empty);
      if (checkout === ours) steps.push(first);
      return { seconds: first[whole] };
    } finally {
      await command(empty, "down");
      rmSync(cache, { recursive: true, force: true });
    }
  };
  const { seconds } = await inTurns(1, subjectsOf(checkouts, round), { warmUp: false, say });
  return [
    sharesOf("first run", steps),
    ...(earlier.length > 0 ? [compared("a first run", "s", seconds, notesOf(checkouts))] : []),
  ];
}

const subjectsOf = <T>(
  checkouts: readonly Checkout[],
  measured: (checkout: Checkout, round: number) => Promise<T>,
): Record<string, (round: number) => Promise<T>> =>
  Object.fromEntries(
    checkouts.map((checkout) => [checkout.subject, (round: number) => measured(checkout, round)]),
  );

const notesOf = (checkouts: readonly Checkout[]): Pick<Figure, "note"> => {
  const [note] = checkouts.flatMap((checkout) => checkout.note ?? []);
  return note === undefined ? {} : { note };
};

/** The first subject against the others, of which nothing is asked, and against the most that it may be. */
function compared(
  name: string,
  unit: Figure["unit"],
  series: readonly Series[],
  { most, ...note }: Pick<Figure, "note"> & { readonly most?: number },
): Figure {
  const [ours, ...others] = series;
  const { subject = "", samples = [] } = ours ?? {};
  const shown: Goal[] = others.map((other) => ({ subject, against: other.subject }));
  if (most === undefined) return { name, unit, series, goals: shown, ...note };
  const goal = { subject: "goal", samples: samples.map(() => most) };
  const asked = { subject, against: goal.subject, atMost: 1 };
  return { name, unit, series: [...series, goal], goals: [...shown, asked], ...note };
}

/** It would be taken down. */
function refuseWhileUp(): void {
  if (load()?.daemons.some(alive)) {
    throw new Error("local is up, and this would end it. End it yourself with `npm run local -- down`.");
  }
}

/** Seconds by step, and of the whole command. */
type Seconds = Readonly<Record<string, number>> & { readonly [whole]: number };

async function up(checkout: Checkout): Promise<Seconds> {
  const { seconds, stdout } = await command(checkout, "up", "--json", "--yes");
  return { ...(JSON.parse(stdout) as Report).seconds, [whole]: seconds };
}

async function residentMegabytes(checkout: Checkout): Promise<number> {
  const { stdout } = await command(checkout, "status", "--json");
  return (JSON.parse(stdout) as { residentBytes: number }).residentBytes / 1e6;
}

/** With nothing to do there are no proofs, which `--json` asks for; the steps are read as they are shown. */
async function upAsAPerson(checkout: Checkout): Promise<Seconds> {
  const { seconds, stderr } = await command(checkout, "up");
  const steps = [...stderr.matchAll(/^ {2}✔ {2}([^:[\n]+?)(?::.*)? \[([\d.]+) s\]$/gm)];
  return { ...Object.fromEntries(steps.map(([, step, taken]) => [step, Number(taken)])), [whole]: seconds };
}

const command = ({ folder, env }: Checkout, name: string, ...options: string[]) =>
  measure("npm", ["run", "--silent", "local", "--", name, ...options], {
    cwd: folder,
    env,
    timeoutSeconds: 2400,
  });

/** Steps that take a second or more; the ratios are their shares. Some run side by side, so they add up to more than one. */
function sharesOf(name: string, rounds: readonly Seconds[]): Figure {
  const steps = Object.keys(rounds[0] ?? {}).filter(
    (step) => step === whole || rounds.some((one) => (one[step] ?? 0) >= 1),
  );
  return {
    name,
    unit: "s",
    series: steps.map((step) => ({ subject: step, samples: rounds.map((one) => one[step] ?? 0) })),
    goals: steps.filter((step) => step !== whole).map((step) => ({ subject: step, against: whole })),
  };
}
