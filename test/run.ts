import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { searchPath } from "../local/machine/paths.ts";

// What `npm test` runs. Each check prints nothing unless it fails; the last line counts them all.

interface Outcome {
  name: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  /** Shown when something failed. */
  output: string;
}

const scratch = mkdtempSync(join(tmpdir(), "eks-irsa-test-"));
const root = join(import.meta.dirname, "..");
const modules = join(root, "node_modules", ".bin");

function run(command: string, args: readonly string[], cwd = root): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, PATH: searchPath } });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child.once("error", (error) => resolve({ ok: false, output: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/** A check that passes or fails as a whole. */
async function single(
  name: string,
  command: string,
  args: readonly string[],
  cwd?: string,
): Promise<Outcome> {
  return timed(name, async () => {
    const { ok, output } = await run(command, args, cwd);
    return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, output };
  });
}

async function mocha(name: string, ...more: string[]): Promise<Outcome> {
  return timed(name, async () => {
    const report = join(scratch, `${name.replaceAll(" ", "-")}.json`);
    const args = ["--reporter", "json", "--reporter-option", `output=${report}`, ...more];
    const { ok, output } = await run(join(modules, "mocha"), args);
    const { stats, failures } = readJson(report) ?? { stats: undefined, failures: [] };
    if (stats === undefined) return { passed: 0, failed: 1, skipped: 0, output };
    const shown = failures.map((one) => `${one.fullTitle}\n${one.err.stack ?? one.err.message}`).join("\n\n");
    const failed = stats.failures + (!ok && stats.failures === 0 ? 1 : 0);
    return { passed: stats.passes, failed, skipped: stats.pending, output: shown || output };
  });
}

interface MochaReport {
  stats?: { passes: number; failures: number; pending: number };
  failures: { fullTitle: string; err: { message: string; stack?: string } }[];
}

function readJson(file: string): MochaReport | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as MochaReport;
  } catch {
    return undefined;
  }
}

const goIsThere = spawnSync("go", ["version"], { env: { ...process.env, PATH: searchPath } }).status === 0;

async function goTests(): Promise<Outcome> {
  return timed("Go lister", async () => {
    if (!goIsThere) {
      console.log("There is no Go on this machine: the lister's own tests are SKIPPED.");
      return { passed: 0, failed: 0, skipped: 1, output: "" };
    }
    const { ok, output } = await run("go", ["test", "-json", "./..."], join(root, "app", "go"));
    const count = (action: string): number =>
      output.split("\n").filter((line) => line.includes(`"Action":"${action}"`) && line.includes('"Test":'))
        .length;
    const failed = count("fail");
    const text = output
      .split("\n")
      .map((line) => /"Output":"(.*)"}$/.exec(line)?.[1] ?? (line.startsWith("{") ? undefined : line))
      .filter((line) => line !== undefined)
      .join("\n");
    return {
      passed: count("pass"),
      failed: !ok && failed === 0 ? 1 : failed,
      skipped: count("skip"),
      output: text,
    };
  });
}

/** The release of Java that this machine compiles; undefined where it has no compiler, or no Maven. */
function javaRelease(): string | undefined {
  const tool = (name: string) => spawnSync(name, ["-version"], { env: { ...process.env, PATH: searchPath } });
  if (tool("mvn").status !== 0) return undefined;
  return /javac (\d+)/.exec(String(tool("javac").stdout))?.[1];
}

/** Builds the lister in Java, with its own tests. */
async function javaTests(): Promise<Outcome> {
  return timed("Java lister", async () => {
    const release = javaRelease();
    if (release === undefined) {
      console.log("There is no JDK or no Maven on this machine: the Java lister's own tests are SKIPPED.");
      return { passed: 0, failed: 0, skipped: 1, output: "" };
    }
    // A newer JDK compiles for the release that the project is for.
    const flags = Number(release) < 21 ? [`-Dmaven.compiler.release=${release}`] : [];
    const { ok, output } = await run("mvn", ["--batch-mode", ...flags, "package"], join(root, "app", "java"));
    const counts = [
      ...output.matchAll(/Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)$/gm),
    ].at(-1);
    const [tried = 0, failures = 0, errors = 0, skipped = 0] = (counts?.slice(1) ?? []).map(Number);
    const failed = failures + errors;
    return { passed: tried - failed - skipped, failed: ok ? failed : Math.max(failed, 1), skipped, output };
  });
}

/** The black-box suite, for one language. */
const fromOutside = (language: string): Promise<Outcome> => {
  const file = join(root, "test", "listers", "listers.blackbox.ts");
  return mocha(`${language} lister from outside`, "--no-config", "--grep", `in ${language},`, file);
};

async function timed(
  name: string,
  check: () => Promise<Omit<Outcome, "name" | "seconds">>,
): Promise<Outcome> {
  const since = performance.now();
  const result = await check();
  const outcome = { name, ...result, seconds: (performance.now() - since) / 1000 };
  const mark = outcome.failed > 0 ? "✖" : "✔";
  console.log(
    `${mark} ${name}: ${outcome.passed} passed, ${outcome.failed} failed (${outcome.seconds.toFixed(1)} s)`,
  );
  if (outcome.failed > 0) console.log(outcome.output);
  return outcome;
}

async function main(): Promise<void> {
  const outcomes = [
    ...(await Promise.all([
      single("types", join(modules, "tsc"), ["-p", ".", "--noEmit"]),
      goTests(),
      javaTests(),
    ])),
    ...(await Promise.all([
      single("lint and format", join(modules, "biome"), ["check", "--error-on-warnings", "."]),
      mocha("unit tests"),
      // Mostly waiting: they cost the others little.
      fromOutside("Go"),
      fromOutside("Java"),
    ])),
    ...(goIsThere ? [await single("go vet", "go", ["vet", "./..."], join(root, "app", "go"))] : []),
  ];
  rmSync(scratch, { recursive: true });
  const total = (key: "passed" | "failed" | "skipped"): number =>
    outcomes.reduce((sum, one) => sum + one[key], 0);
  const skipped = total("skipped") > 0 ? `, ${total("skipped")} skipped` : "";
  console.log(`${total("passed")} passed, ${total("failed")} failed${skipped}`);
  process.exit(total("failed") > 0 ? 1 : 0);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
