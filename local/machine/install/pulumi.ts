import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { command } from "../command.ts";
import { bin, pulumiHome } from "../paths.ts";
import { exists } from "../process.ts";

// Pulumi's own releases, for machines that reach them: in seconds what takes minutes to build.

/** Where Pulumi publishes them. Source: https://www.pulumi.com/docs/install/ */
const publisher = "https://get.pulumi.com/releases";

/** Milliseconds that the publisher has to answer before it counts as out of reach. */
const patience = 5000;

/** Where to look for releases. */
export interface Releases {
  /** Base URL. Default Pulumi's. */
  readonly publisher?: string;
}

const archiveOf = (version: string, { publisher: base = publisher }: Releases): string =>
  `${base}/sdk/pulumi-${version}-linux-${process.arch === "arm64" ? "arm64" : "x64"}.tar.gz`;

/** Whether the release of an engine can be had from here. Asks once, and waits 5 s at most. */
export async function isReleaseInReach(version: string, releases: Releases = {}): Promise<boolean> {
  const signal = AbortSignal.timeout(patience);
  const answer = await fetch(archiveOf(version, releases), { method: "HEAD", signal }).catch(() => undefined);
  return answer?.ok === true;
}

/**
 * Gets programs of an engine's release, unless they are there.
 *
 * @returns whether they were downloaded now.
 * @throws Error when the download fails or lacks one of them; what was there before stays.
 */
export async function installRelease(
  version: string,
  programs: readonly string[],
  { folder = bin, ...releases }: Releases & { readonly folder?: string } = {},
): Promise<boolean> {
  const stamp = join(folder, "pulumi.release");
  if ((await readFile(stamp, "utf8").catch(() => "")) === version) return false;
  const url = archiveOf(version, releases);
  const answer = await fetch(url);
  if (!answer.ok || answer.body === null) throw new Error(`${url} answered ${answer.status}.`);
  const scratch = await mkdtemp(join(tmpdir(), "pulumi-release-"));
  try {
    const archive = join(scratch, "pulumi.tar.gz");
    await pipeline(answer.body, createWriteStream(archive));
    await promisify(execFile)("tar", ["--extract", "--file", archive, "--directory", scratch]);
    await mkdir(folder, { recursive: true });
    for (const program of programs) {
      const target = join(folder, program);
      await cp(join(scratch, "pulumi", program), `${target}.new`);
      await rename(`${target}.new`, target);
      await rm(`${target}.stamp`, { force: true }); // it is no build any more
    }
  } finally {
    await rm(scratch, { recursive: true });
  }
  await writeFile(stamp, version);
  return true;
}

/** A resource plugin of the engine. */
export interface Plugin {
  readonly name: string;
  readonly version: string;
}

const folderOf = ({ name, version }: Plugin, home: string): string =>
  join(home, "plugins", `resource-${name}-v${version}`);

/** The plugin as this person's own Pulumi has it; undefined where it has not. */
export async function ownPlugin(plugin: Plugin): Promise<string | undefined> {
  const folder = folderOf(plugin, process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"));
  return (await exists(folder)) ? folder : undefined;
}

/**
 * Installs a plugin for local's engine with `pulumi plugin install`, unless it is there from the same source.
 *
 * @param source A binary or a folder; undefined for the plugin's release. Its text and `mark` tell it from another.
 * @returns whether it was installed now.
 */
export async function installPlugin(
  plugin: Plugin,
  source: string | undefined,
  { mark = "", home = pulumiHome }: { readonly mark?: string; readonly home?: string } = {},
): Promise<boolean> {
  const { name, version } = plugin;
  const record = `${folderOf(plugin, home)}.source`;
  const from = `${source ?? "release"} ${mark}`;
  if ((await readFile(record, "utf8").catch(() => "")) === from) return false;
  const file = source === undefined ? [] : ["--file", source];
  await command("pulumi", ["plugin", "install", "resource", name, version, "--reinstall", ...file], {
    log: "plugins",
    env: { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  await writeFile(record, from);
  return true;
}
