import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { project } from "../local/machine/paths.ts";
import { type Benchmark, doubled, type Figure, inTurns } from "./benchmark.ts";
import { measure } from "./measure.ts";

// What reads a whole cluster and its account, over HTTP from a cloud that answers at once: what is left is the command.

const sizes = [100, 1000, 2000] as const;

const commands = {
  audit: () => ["audit/cli.ts", "--json"],
  adopt: (folder: string) => [
    "adopt/cli.ts",
    "--context=x",
    "--namespace=team-a",
    `--out=${join(folder, "found")}`,
  ],
} as const;
type Command = keyof typeof commands;
const names = Object.keys(commands) as Command[];

export const audit: Benchmark = {
  name: "audit",
  title: "The audit and the adoption of more and more ServiceAccounts",
  async run({ short, say }) {
    const figures: Figure[] = [];
    const seconds = new Map(names.map((name) => [name, new Map<number, readonly number[]>()]));
    for (const size of short ? [50] : sizes) {
      const measured = await withCloud(size, (run) =>
        inTurns(short ? 1 : 3, Object.fromEntries(names.map((name) => [name, () => run(name)])), {
          say: (line) => say(`${size} ServiceAccounts, ${line}`),
          warmUp: !short,
        }),
      );
      for (const { subject, samples } of measured.seconds)
        seconds.get(subject as Command)?.set(size, samples);
      figures.push(
        { name: `${size} ServiceAccounts`, unit: "s", series: measured.seconds },
        { name: `peak memory at ${size}`, unit: "MB", series: measured.megabytes },
      );
    }
    if (short) return figures;
    return [
      ...figures,
      ...names.map((name) => doubled(name, "ServiceAccounts", seconds.get(name), [1000, 2000])),
    ];
  },
};

type Cost = Readonly<Record<"seconds" | "megabytes", number>>;

/** A cloud of so many ServiceAccounts, in a process of its own. */
async function withCloud<T>(
  size: number,
  act: (run: (name: Command) => Promise<Cost>) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "eks-irsa-audit-"));
  const kubeconfig = join(folder, "kubeconfig");
  const cloud = spawn(
    process.execPath,
    [join(project, "test", "audit", "serve-cloud.ts"), String(size), kubeconfig],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  try {
    const [url] = await once(createInterface({ input: cloud.stdout }), "line");
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      AWS_ENDPOINT_URL: String(url),
      AWS_ACCESS_KEY_ID: "none",
      AWS_SECRET_ACCESS_KEY: "none",
      KUBECONFIG: kubeconfig,
    };
    return await act(async (name) => {
      const place = ["--cluster=dev", "--region=eu-central-1"];
      const args = ["--import", "./preload.js", ...commands[name](folder), ...place];
      const { seconds, peakMegabytes } = await measure(process.execPath, args, { cwd: project, env });
      return { seconds, megabytes: Math.max(...Object.values(peakMegabytes)) };
    });
  } finally {
    cloud.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
