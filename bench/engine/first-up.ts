import type { Benchmark, Figure } from "../benchmark.ts";
import { withEnvironment } from "./environment.ts";

const [several, one, most] = ["several stacks", "one stack", "90 s"] as const;
/** What a person has been promised of the largest size, in seconds. */
const limit = 90;
const sizes = [100, 300, 1000] as const;
/** The most that one stack is measured with: what it takes grows with the square, and a thousand take a quarter of an hour and more. */
const mostInOne = 300;

/** What the first `up` of very many bindings takes, in one stack and in several. */
export const shards: Benchmark = {
  name: "shards",
  title: "Scale of up: bindings from nothing, in one stack and in several",
  async run({ short, say }) {
    const figures: Figure[] = [];
    for (const size of short ? [20] : sizes) {
      const seconds: Record<string, number> = {};
      const subjects = [[several, undefined] as const, ...(size <= mostInOne ? [[one, 1] as const] : [])];
      for (const [name, stacks] of subjects) {
        say(`${size} bindings, ${name}`);
        seconds[name] = await firstUp(size, stacks);
      }
      const largest = size === sizes.at(-1);
      figures.push({
        name: `first up of ${size}`,
        unit: "s",
        series: [
          ...Object.entries(seconds).map(([subject, value]) => ({ subject, samples: [value] })),
          ...(largest ? [{ subject: most, samples: [limit] }] : []),
        ],
        goals: [
          ...(size <= mostInOne ? [{ subject: several, against: one }] : []),
          ...(largest ? [{ subject: several, against: most, atMost: 1 }] : []),
        ],
      });
    }
    return figures;
  },
};

async function firstUp(size: number, stacks: number | undefined): Promise<number> {
  const { seconds, done } = await withEnvironment((up) => up(size, { stacks }));
  const bound = done["create eks-irsa:index:IrsaServiceAccount"] ?? 0;
  if (bound !== size) throw new Error(`${bound} of ${size} bindings were made.`);
  return seconds;
}
