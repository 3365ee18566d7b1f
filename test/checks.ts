import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { searchPath } from "../local/machine/paths.ts";
import { nothing, type Outcome } from "./outcome.ts";

/** How long a test took. */
export interface Time {
  readonly test: string;
  readonly milliseconds: number;
}

/** What a check came to. */
export interface Checked extends Outcome {
  readonly output: string;
  readonly times?: readonly Time[];
}

/** One of the things that `npm test` does. */
export interface Check {
  readonly name: string;
  /** Name of the check that must have ended before: it makes what this one needs. */
  readonly after?: string;
  /** Whether it mostly waits, so that it runs beside the others whatever the cores have to do. Default false. */
  readonly waits?: boolean;
  /** `say` tells how far it is. The output is shown where something failed. */
  run(say: (at: string) => void): Promise<Checked>;
}

const root = join(import.meta.dirname, "..");
const modules = join(root, "node_modules", ".bin");
const env = { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache"), ...process.env, PATH: searchPath };

const goApp = join(root, "app", "go");
const javaApp = join(root, "app", "java");

/** Tests that run the real engine. */
const onEngine = "test/automation";
/** Without the files that Mocha's configuration names: only those of the command line. */
const alone = ["--no-config", "--extension", "ts", "--timeout", "5m"];

/**
 * The checks: first what another waits for, then those that take longest, so that all end at about the same time.
 */
export const checks: readonly Check[] = [
  { name: "Java lister", run: javaTests },
  { name: "Go lister", run: goTests },
  // In two processes: most of their time is that of the commands and engines that tests start.
  mocha("unit tests on the engine", ...alone, `${onEngine}/**/*.test.ts`),
  mocha("unit tests", "--ignore", `${onEngine}/**`),
  single("types", process.execPath, [
    join(root, "node_modules", "typescript-native", "bin", "tsc"),
    "--project",
    ".",
  ]),
  single("lint and format", join(modules, "biome"), ["check", "--error-on-warnings", "."]),
  { ...single("go vet", "go", ["vet", "./..."], goApp), after: "Go lister" },
  { ...fromOutside("Go"), after: "Go lister", waits: true },
  { ...fromOutside("Java"), after: "Java lister", waits: true },
];

const has = (name: string, ...args: string[]): boolean => spawnSync(name, args, { env }).status === 0;

/** Runs a command to its end, and tells each line that it prints on standard output. */
function command(
  name: string,
  args: readonly string[],
  { cwd = root, onLine }: { cwd?: string; onLine?: (line: string) => void } = {},
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(name, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    if (onLine) createInterface({ input: child.stdout }).on("line", onLine);
    child.once("error", (error) => resolve({ ok: false, output: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/** A check that passes or fails as a whole. */
function single(name: string, program: string, args: readonly string[], cwd?: string): Check {
  return {
    name,
    async run() {
      const { ok, output } = await command(program, args, { cwd });
      return { ...nothing, ...(ok ? { passed: 1 } : { failures: [name] }), output };
    },
  };
}

/** A run that ended badly without a failure, such as one whose files could not be loaded, has failed as a whole. */
const failuresOf = (name: string, ok: boolean, failures: readonly string[]): readonly string[] =>
  ok || failures.length > 0 ? failures : [`${name}: ended badly, without a failure`];

/** An event of Mocha's `json-stream` reporter. */
type MochaEvent =
  | ["start", { total: number }]
  | ["pass", { fullTitle: string; duration?: number }]
  | ["fail", { fullTitle: string; err: string; stack: string | null }]
  | ["end", { passes: number; pending: number }];

function mocha(name: string, ...more: string[]): Check {
  return {
    name,
    async run(say) {
      let [total, ended] = [0, 0];
      const [failures, stacks, times]: [string[], string[], Time[]] = [[], [], []];
      let stats = { passes: 0, pending: 0 };
      const onLine = (line: string): void => {
        if (!line.startsWith('["')) return; // what a test printed
        const [kind, event] = JSON.parse(line) as MochaEvent;
        if (kind === "start") total = event.total;
        else if (kind === "end") stats = event;
        else say(`${++ended} of ${total}`);
        if (kind === "pass") times.push({ test: event.fullTitle, milliseconds: event.duration ?? 0 });
        if (kind === "fail") {
          failures.push(`${event.fullTitle}: ${event.err}`);
          stacks.push(`${event.fullTitle}\n${event.stack ?? event.err}`);
        }
      };
      const program = [join(modules, "mocha"), "--reporter", "json-stream", ...more];
      const { ok, output } = await command(process.execPath, program, { onLine });
      return {
        passed: stats.passes,
        failures: failuresOf(name, ok, failures),
        skipped: stats.pending,
        times,
        output: stacks.length > 0 ? stacks.join("\n\n") : output,
      };
    },
  };
}

/** The black-box suite, for one language. */
function fromOutside(language: string): Check {
  const file = join(root, "test", "listers", "listers.blackbox.ts");
  return mocha(`${language} lister from outside`, ...alone, "--grep", `in ${language},`, file);
}

const skippedFor = (why: string): Checked => ({ ...nothing, skipped: 1, output: `SKIPPED: ${why}` });

async function goTests(say: (at: string) => void): Promise<Checked> {
  if (!has("go", "version")) return skippedFor("there is no Go on this machine");
  const counts = { pass: 0, skip: 0 };
  const [failures, texts]: [string[], string[]] = [[], []];
  const onLine = (line: string): void => {
    const event = JSON.parse(line) as { Action: string; Test?: string; Output?: string };
    if (event.Output !== undefined) texts.push(event.Output);
    if (event.Test === undefined) return;
    if (event.Action === "fail") failures.push(event.Test);
    if (!Object.hasOwn(counts, event.Action)) return;
    counts[event.Action as keyof typeof counts] += 1;
    say(String(counts.pass));
  };
  const { ok, output } = await command("go", ["test", "-json", "./..."], { cwd: goApp, onLine });
  return {
    passed: counts.pass,
    failures: failuresOf("go test", ok, failures),
    skipped: counts.skip,
    output: texts.join("") || output,
  };
}

/** The release of Java that this machine compiles; undefined where it has no compiler, or no Maven. */
function javaRelease(): string | undefined {
  if (!has("mvn", "-version")) return undefined;
  return /javac (\d+)/.exec(String(spawnSync("javac", ["-version"], { env }).stdout))?.[1];
}

/** Builds the lister in Java, with its own tests. */
async function javaTests(): Promise<Checked> {
  const release = javaRelease();
  if (release === undefined) return skippedFor("there is no JDK or no Maven on this machine");
  // A newer JDK compiles for the release that the project is for.
  const flags = Number(release) < 21 ? [`-Dmaven.compiler.release=${release}`] : [];
  const { ok, output } = await command("mvn", ["--batch-mode", ...flags, "package"], { cwd: javaApp });
  const counts = [
    ...output.matchAll(/Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)$/gm),
  ].at(-1);
  const [tried = 0, failures = 0, errors = 0, skipped = 0] = (counts?.slice(1) ?? []).map(Number);
  // As Surefire sums them up: `[ERROR]   ClassTest.method:12 what it said`.
  const named = [...output.matchAll(/^\[ERROR\] {3}(\w+\.\w+.*)$/gm)].map(([, failure = ""]) => failure);
  return {
    passed: tried - failures - errors - skipped,
    failures: failuresOf("mvn package", ok, named),
    skipped,
    output,
  };
}
