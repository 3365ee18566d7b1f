import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { project } from "../local/machine/paths.ts";
import { type Benchmark, wholeRun } from "./benchmark.ts";
import { measure } from "./measure.ts";

/** What whoever changes something waits for: `npm test`, and which of its tests are slow. */
export const tests: Benchmark = {
  name: "tests",
  title: "npm test: with caches and without, and its slowest tests",
  async run({ say }) {
    say("with caches");
    const warm = await npmTest();
    say("with Node.js's and Go's caches empty");
    const caches = mkdtempSync(join(tmpdir(), "eks-irsa-cold-"));
    const empty = { NODE_COMPILE_CACHE: join(caches, "node"), GOCACHE: join(caches, "go") };
    const cold = await npmTest(empty).finally(() => rmSync(caches, { recursive: true, force: true }));
    const slowest = warm.slowest.map(({ test, seconds }) => ({ subject: test, samples: [seconds] }));
    return [
      {
        name: "npm test",
        unit: "s",
        series: [
          { subject: "with caches", samples: [warm.seconds] },
          { subject: "without", samples: [cold.seconds] },
        ],
        goals: [{ subject: "without", against: "with caches" }],
        note: "The caches: Node.js's of compiled modules, and Go's. Two processes share the cores, so that a test takes longer than alone.",
      },
      {
        name: "slowest tests",
        unit: "s",
        series: [...slowest, { subject: wholeRun, samples: [warm.seconds] }],
        goals: slowest.map(({ subject }) => ({ subject, against: wholeRun })),
      },
    ];
  },
};

/** A label of a plot: the beginning says which test it is. */
const shortened = (test: string): string => /^.{1,60}(?=\s|$)/.exec(test)?.[0] ?? test;

async function npmTest(env: NodeJS.ProcessEnv = {}) {
  const { seconds, stdout } = await measure("npm", ["test", "--", "--slowest"], {
    cwd: project,
    env: { ...process.env, ...env },
    timeoutSeconds: 1800,
  });
  const slowest = [...stdout.matchAll(/^ +([\d.]+) s {2}(.+)$/gm)].map(([, taken, test = ""]) => ({
    test: shortened(test),
    seconds: Number(taken),
  }));
  return { seconds, slowest };
}
