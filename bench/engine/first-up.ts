import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, openShards } from "../../automation/index.ts";
import type { Benchmark, Figure } from "../benchmark.ts";
import { startEchoProviders } from "./echo-providers.ts";

// Many bindings from nothing, on a file backend, as other tools have it: the Automation API, the engine's own state.

const [several, one, most] = ["several stacks", "one stack", "90 s"] as const;
/** What a person has been promised of the largest size, in seconds. */
const limit = 90;
const sizes = [100, 300, 1000] as const;
/** The most that one stack is measured with: what it takes grows with the square, and a thousand take a quarter of an hour and more. */
const mostInOne = 300;
const perNamespace = 10;

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

/** @param stacks As many as there are by default where none are given. */
async function firstUp(size: number, stacks: number | undefined): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "eks-irsa-shards-"));
  const providers = await startEchoProviders();
  try {
    mkdirSync(join(folder, "state"));
    const since = performance.now();
    const opened = await openShards({
      environment: "bench",
      region: "eu-central-1",
      config: configOf(size),
      ...(stacks !== undefined && { stacks }),
      pulumiHome: join(folder, "home"),
      env: {
        // As docs/reliability.md says of a file backend: without files of metadata.
        PULUMI_BACKEND_URL: `file://${join(folder, "state")}?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE: "bench",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_DEBUG_PROVIDERS: providers.attached,
      },
    });
    const { shards } = await opened.up();
    const bound = shards.reduce((sum, { bindings }) => sum + bindings, 0);
    if (bound !== size) throw new Error(`${bound} of ${size} bindings were made.`);
    return (performance.now() - since) / 1000;
  } finally {
    await providers.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const configOf = (size: number): ConfigInput => ({
  app: "none",
  cluster: { name: "bench", existing: true },
  bindings: Array.from({ length: size }, (_, index) => ({
    namespace: `team-${Math.floor(index / perNamespace)}`,
    serviceAccount: `app-${index}`,
    policies: ["AmazonS3ReadOnlyAccess"],
  })),
});
