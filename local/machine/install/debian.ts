import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { debian } from "../paths.ts";

/** Names of the packages that were unpacked, one a line. */
const record = join(debian, "packages.txt");

/**
 * Makes the programs of Debian packages available without installing them: those that the machine lacks, and what they
 * depend on, are downloaded by apt and unpacked below the cache. So no service is started or enabled, no user or group
 * made, and removing the cache removes them.
 *
 * @returns the names of the packages that were unpacked now; empty when there was nothing to do.
 */
export async function installDebianPackages(
  packages: readonly string[],
  onLine: (line: string) => void,
): Promise<string[]> {
  const unpacked = new Set((await readFile(record, "utf8").catch(() => "")).split("\n"));
  const wanted = (await missing(packages)).filter((name) => !unpacked.has(name));
  if (wanted.length === 0) return [];

  await unpack(debian, wanted, onLine);
  await writeFile(record, [...unpacked, ...wanted, ""].join("\n"));
  return wanted;
}

/**
 * Unpacks Debian packages with everything that they depend on, the C library included, into a folder that so becomes the
 * root file system of an image. Their maintainer scripts are not run.
 */
export async function unpackRoot(
  root: string,
  packages: readonly string[],
  onLine: (line: string) => void,
): Promise<void> {
  // To apt nothing is installed, so that it leaves nothing out.
  await unpack(root, packages, onLine, ["-o", "Dir::State::status=/dev/null"]);
}

async function unpack(
  folder: string,
  packages: readonly string[],
  onLine: (line: string) => void,
  more: readonly string[] = [],
): Promise<void> {
  const work = `${folder}.apt`;
  const archives = join(work, "archives");
  await mkdir(join(archives, "partial"), { recursive: true });
  await mkdir(join(work, "lists", "partial"), { recursive: true });
  const options = [
    ...["-o", `Dir::State::lists=${join(work, "lists")}`],
    ...["-o", `Dir::Cache::archives=${archives}`],
    ...["-o", "APT::Sandbox::User=root"],
    ...more,
  ];
  const apt = (...args: string[]) =>
    command("apt-get", ["-q", "-y", ...options, ...args], { log: "apt", onLine });
  await apt("update");
  await apt("install", "--download-only", "--no-install-recommends", ...packages);
  await mkdir(folder, { recursive: true });
  for (const archive of (await readdir(archives)).filter((file) => file.endsWith(".deb"))) {
    await command("dpkg-deb", ["--extract", join(archives, archive), folder], { log: "apt" });
  }
  await rm(work, { recursive: true });
}

/** Those that the machine does not have installed. */
async function missing(packages: readonly string[]): Promise<string[]> {
  const selections = await command("dpkg", ["--get-selections"], { log: "apt" });
  const installed = new Set(
    selections
      .split("\n")
      .filter((line) => /\t(install|hold)$/.test(line))
      .map((line) => line.split(/[:\t]/)[0]),
  );
  return packages.filter((name) => !installed.has(name));
}
