import { Command } from "commander";
import { searchPath } from "../local/paths";
import type { Benchmark, Context } from "./benchmark";
import { keep, readResults, resultOf, terminalTable, writePage } from "./report";

// `npm run bench`, `npm run bench -- NAME...`: measures, shows, keeps.

process.env.PATH = searchPath;
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

/** Each is loaded when it is asked for: what one needs may be missing where another runs. */
const benchmarks: Readonly<Record<string, () => Benchmark>> = {
  engine: () => (require("./engine/overhead") as typeof import("./engine/overhead")).overhead,
  scale: () => (require("./engine/scale") as typeof import("./engine/scale")).scale,
  "critical-path": () =>
    (require("./engine/critical-path") as typeof import("./engine/critical-path")).criticalPath,
  lister: () => (require("./lister") as typeof import("./lister")).lister,
  local: () => (require("./local") as typeof import("./local")).local,
  "first-run": () => (require("./local") as typeof import("./local")).firstRun,
};

interface Options {
  readonly short?: boolean;
}

async function main(names: readonly string[], { short = false }: Options): Promise<void> {
  const unknown = names.find((name) => !["page", "capacity"].includes(name) && !(name in benchmarks));
  if (unknown !== undefined) {
    throw new Error(`There is no benchmark ${unknown}; there are ${Object.keys(benchmarks).join(", ")}.`);
  }
  if (names.includes("page")) return writePage(readResults());
  if (names.includes("capacity")) {
    const { capacity } = require("./capacity") as typeof import("./capacity");
    for (const [part, text] of Object.entries(await capacity()))
      process.stdout.write(`\n${part}\n\n${text}\n`);
    return;
  }
  // What takes a quarter of an hour by downloads and builds is no part of a short run.
  const wanted =
    names.length > 0 ? names : Object.keys(benchmarks).filter((name) => !short || name !== "first-run");
  const counts = { passed: 0, failed: 0 };
  for (const name of wanted) {
    const benchmark = benchmarks[name]?.();
    if (benchmark === undefined) continue;
    process.stdout.write(`\n${benchmark.title}\n`);
    const since = performance.now();
    const say: Context["say"] = (line) => void process.stderr.write(`  … ${line}\n`);
    try {
      const figures = await benchmark.run({ short, say });
      const seconds = (performance.now() - since) / 1000;
      process.stdout.write(`${terminalTable(figures)}\n  (${Math.round(seconds)} s)\n`);
      if (!short) await keep(name, resultOf(benchmark, figures, seconds));
      counts.passed += 1;
    } catch (error) {
      counts.failed += 1;
      process.stdout.write(`✖ ${name} could not be measured: ${(error as Error).stack}\n`);
    }
  }
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  process.exit(counts.failed > 0 ? 1 : 0);
}

new Command("npm run bench --")
  .description("Measures what this project claims of speed, beside a floor or a peer in the same run.")
  .argument(
    "[names...]",
    `which: ${Object.keys(benchmarks).join(", ")}; default all. \`page\` only writes docs/bench.md anew`,
  )
  .option("--short", "a few rounds of the smallest sizes, to see that it runs; nothing is kept")
  .action((names: string[], options: Options) => main(names, options))
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  });
