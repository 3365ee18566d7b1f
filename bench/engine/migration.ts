import { isDeepStrictEqual } from "node:util";
import type { IdentityArgs } from "../../components/irsa-identity.ts";
import { type Benchmark, doubled, type Figure } from "../benchmark.ts";
import { type Upped, withEnvironment } from "./environment.ts";

// From IRSA to EKS Pod Identity along the rows of the table in docs/migrating.md, an `up` each.

const sizes = [100, 500, 1000] as const;

/** An `up` on the way. */
export interface Step {
  readonly name: string;
  readonly identity: IdentityArgs;
  /** What it does once for each binding. It does nothing else: what it replaced, pods would be refused without. */
  readonly does: readonly string[];
}

const steps: readonly Step[] = [
  {
    name: "from 1 to 2",
    identity: { mechanism: "irsa", migrating: true },
    does: ["update aws:iam/role:Role"],
  },
  {
    name: "from 2 to 3",
    identity: { mechanism: "pod-identity", migrating: true },
    does: ["create aws:eks/podIdentityAssociation:PodIdentityAssociation"],
  },
  {
    name: "from 3 to 4",
    identity: "pod-identity",
    does: ["update aws:iam/role:Role", "update kubernetes:core/v1:ServiceAccount"],
  },
];
const allSteps = "the three steps";

/** What it takes to bring very many bindings from one mechanism to the other. */
export const migration: Benchmark = {
  name: "migration",
  title: "Migration: bindings from IRSA to EKS Pod Identity, in several stacks",
  async run({ short, say }) {
    const figures: Figure[] = [];
    const whole = new Map<number, readonly number[]>();
    for (const size of short ? [10] : sizes) {
      const each = await secondsOf(size, (line) => say(`${size} bindings, ${line}`));
      const all = each.reduce((sum, { seconds }) => sum + seconds, 0);
      whole.set(size, [all]);
      figures.push({
        name: `${size} bindings`,
        unit: "s",
        series: [...each, { name: allSteps, seconds: all }].map(({ name, seconds }) => ({
          subject: name,
          samples: [seconds],
        })),
      });
    }
    const [, half, most] = sizes;
    return short ? figures : [...figures, doubled(allSteps, "bindings", whole, [half, most])];
  },
};

/** What each step took. How long the bindings take to be made first, `shards` says. */
const secondsOf = (
  size: number,
  say: (line: string) => void,
): Promise<readonly { readonly name: string; readonly seconds: number }[]> =>
  withEnvironment(async (up) => {
    say("made by IRSA");
    await up(size, { identity: "irsa", preparing: true });
    const each = [];
    for (const step of steps) {
      const { name, identity } = step;
      say(name);
      const { seconds, done } = await up(size, { identity });
      checkStep(step, size, done);
      each.push({ name, seconds });
    }
    return each;
  });

/** @throws Error unless an `up` did to each binding what the step is to do, and nothing else. */
export function checkStep({ name, does }: Step, size: number, done: Upped["done"]): void {
  if (isDeepStrictEqual(done, Object.fromEntries(does.map((what) => [what, size])))) return;
  const did = Object.entries(done).map(([what, count]) => `${what} ${count} times`);
  throw new Error(
    `The step ${name} of ${size} bindings is to ${does.join(" and ")} of each, and nothing else. ` +
      `It did: ${did.join(", ") || "nothing"}.`,
  );
}
