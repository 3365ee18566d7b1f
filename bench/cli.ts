import { searchPath } from "../local/machine/paths.ts";
import { commandLine, run, UsageError } from "../terminal.ts";
import type { Benchmark, Context } from "./benchmark.ts";
import { keep, readResults, resultOf, terminalTable, writePage } from "./results.ts";

// `npm run bench`, `npm run bench -- NAME...`: measures, shows, keeps.

process.env.PATH = searchPath;

/** Each is loaded when it is asked for: what one needs may be missing where another runs. */
const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  engine: async () => (await import("./engine/overhead.ts")).overhead,
  scale: async () => (await import("./engine/scale.ts")).scale,
  shards: async () => (await import("./engine/first-up.ts")).shards,
  migration: async () => (await import("./engine/migration.ts")).migration,
  "critical-path": async () => (await import("./engine/critical-path.ts")).criticalPath,
  lister: async () => (await import("./lister/comparison.ts")).lister,
  audit: async () => (await import("./whole-cluster.ts")).audit,
  local: async () => (await import("./local.ts")).local,
  "first-run": async () => (await import("./local.ts")).firstRun,
  tests: async () => (await import("./test-suites.ts")).tests,
};
/** No part of a short run: the one takes a quarter of an hour by downloads and builds, the other is what CI begins with. */
const onlyWhole = ["first-run", "tests"];

interface Options {
  readonly short?: boolean;
}

async function main(names: readonly string[], { short = false }: Options): Promise<void> {
  const unknown = names.find((name) => name !== "page" && !(name in benchmarks));
  if (unknown !== undefined) {
    throw new UsageError(
      `There is no benchmark ${unknown}; there are ${Object.keys(benchmarks).join(", ")}.`,
    );
  }
  if (names.includes("page")) return writePage(readResults());
  const wanted =
    names.length > 0 ? names : Object.keys(benchmarks).filter((name) => !short || !onlyWhole.includes(name));
  let passed = 0;
  const failures: string[] = [];
  for (const name of wanted) {
    const benchmark = await benchmarks[name]?.();
    if (benchmark === undefined) continue;
    process.stdout.write(`\n${benchmark.title}\n`);
    const since = performance.now();
    const say: Context["say"] = (line) => void process.stderr.write(`  … ${line}\n`);
    try {
      const figures = await benchmark.run({ short, say });
      const seconds = (performance.now() - since) / 1000;
      process.stdout.write(`${terminalTable(figures)}\n  (${Math.round(seconds)} s)\n`);
      if (!short) await keep(name, resultOf(benchmark, figures, seconds));
      passed += 1;
    } catch (error) {
      failures.push(`✖ ${name} could not be measured: ${(error as Error).message.split("\n")[0]}\n`);
      process.stdout.write(`${(error as Error).stack}\n`);
    }
  }
  process.stdout.write(`${failures.join("")}${passed} passed, ${failures.length} failed\n`);
  process.exit(failures.length > 0 ? 1 : 0);
}

const cli = commandLine(
  "npm run bench --",
  "Measures what this project claims of speed, beside a floor or a peer in the same run.",
)
  .argument(
    "[names...]",
    `which: ${Object.keys(benchmarks).join(", ")}; default all. \`page\` only writes docs/bench.md anew`,
  )
  .option("--short", "a few rounds of the smallest sizes, to see that it runs; nothing is kept")
  .action((names: string[], options: Options) => main(names, options));

await run(cli);
