import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "../local/cli/up-report.ts";
import { alive } from "../local/machine/process.ts";
import { load } from "../local/state.ts";
import { type Benchmark, type Figure, wholeRun as whole } from "./benchmark.ts";
import { measure } from "./measure.ts";

/** Runs of local on what is built, and what each step takes of them. */
export const local: Benchmark = {
  name: "local",
  title: "Local: a run from stopped and a run that changes nothing",
  async run({ short, say }) {
    refuseWhileUp();
    const [stopped, again]: Seconds[][] = [[], []];
    const megabytes: number[] = [];
    for (let round = 0; round < (short ? 1 : 3); round++) {
      say(`round ${round + 1}`);
      try {
        stopped?.push(await up());
        again?.push(await upAsAPerson());
        megabytes.push(await residentMegabytes());
      } finally {
        await command("down");
      }
    }
    const wholes = (runs: readonly Seconds[] = []) => runs.map((one) => one[whole] ?? Number.NaN);
    return [
      sharesOf("from stopped", stopped ?? []),
      sharesOf("nothing to do", again ?? []),
      within(goals.stopped, "a run from stopped", "s", wholes(stopped)),
      within(goals.again, "a run that changes nothing", "s", wholes(again)),
      within(goals.megabytes, "memory at rest", "MB", megabytes),
    ];
  },
};

/** A run that has nothing: every package is downloaded, engine and Kubernetes are built. A quarter of an hour. */
export const firstRun: Benchmark = {
  name: "first-run",
  title: "Local: the first run, from empty caches",
  async run({ say }) {
    refuseWhileUp();
    const cache = mkdtempSync(join(tmpdir(), "eks-irsa-first-"));
    const env = { ...process.env, EKS_IRSA_CACHE: cache };
    say(`everything anew, in ${cache}`);
    try {
      return [sharesOf("first run", [await up(env)])];
    } finally {
      await command("down", env);
      rmSync(cache, { recursive: true, force: true });
    }
  },
};

/** What a person may count on, on two idle cores: seconds, and MB (1,000,000 bytes) of all of local's processes. */
const goals = { stopped: 20, again: 5, megabytes: 1300 };

function within(most: number, name: string, unit: "s" | "MB", samples: readonly number[]): Figure {
  const [measured, goal] = ["local", "goal"];
  return {
    name,
    unit,
    series: [
      { subject: measured, samples },
      { subject: goal, samples: samples.map(() => most) },
    ],
    goals: [{ subject: measured, against: goal, atMost: 1 }],
  };
}

/** It would be taken down. */
function refuseWhileUp(): void {
  if (load()?.daemons.some(alive)) {
    throw new Error("local is up, and this would end it. End it yourself with `npm run local -- down`.");
  }
}

/** Seconds by step, and of the whole command. */
type Seconds = Readonly<Record<string, number>>;

async function up(env?: NodeJS.ProcessEnv): Promise<Seconds> {
  const { seconds, stdout } = await command("up", env, "--json", "--yes");
  return { ...(JSON.parse(stdout) as Report).seconds, [whole]: seconds };
}

async function residentMegabytes(): Promise<number> {
  const { stdout } = await command("status", undefined, "--json");
  return (JSON.parse(stdout) as { residentBytes: number }).residentBytes / 1e6;
}

/** With nothing to do there are no proofs, which `--json` asks for; the steps are read as they are shown. */
async function upAsAPerson(): Promise<Seconds> {
  const { seconds, stderr } = await command("up");
  const steps = [...stderr.matchAll(/^ {2}✔ {2}([^:[\n]+?)(?::.*)? \[([\d.]+) s\]$/gm)];
  return { ...Object.fromEntries(steps.map(([, step, taken]) => [step, Number(taken)])), [whole]: seconds };
}

const command = (name: string, env?: NodeJS.ProcessEnv, ...options: string[]) =>
  measure("npm", ["run", "--silent", "local", "--", name, ...options], { env, timeoutSeconds: 2400 });

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
