import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { debian, venv as localVenv } from "../paths.ts";
import { exists } from "../process.ts";

/** Debian's Python, and the pip that it ships for virtual environments. */
export const pythonDebianPackages = ["python3", "python3-pip-whl"] as const;

/**
 * Installs Python packages, each pinned as `name==version`, into a virtual environment, local's own unless told otherwise;
 * with what they depend on, unless told otherwise.
 *
 * @returns those that were installed now; empty when all were there.
 */
export async function installPythonPackages(
  packages: readonly string[],
  onLine: (line: string) => void,
  { dependencies = true, venv = localVenv }: { dependencies?: boolean; venv?: string } = {},
): Promise<string[]> {
  const record = join(venv, "packages.txt");
  const present = new Set((await readFile(record, "utf8").catch(() => "")).split("\n"));
  const wanted = packages.filter((name) => !present.has(name));
  if (wanted.length === 0) return [];

  const python = join(venv, "bin", "python");
  if (!(await exists(python))) {
    const base = (await exists("/usr/bin/python3")) ? "/usr/bin/python3" : join(debian, "usr/bin/python3");
    await command(base, ["-m", "venv", "--without-pip", venv], { log: "python", onLine });
  }
  // A wheel can be imported as it is: pip installs without being installed.
  const pip = await pipWheel();
  // Compiled at once: where PYTHONDONTWRITEBYTECODE is set, each start of the AWS CLI would compile 0.6 s long.
  const flags = ["--no-input", "--disable-pip-version-check", ...(dependencies ? [] : ["--no-deps"])];
  await command(python, ["-m", "pip", "install", ...flags, ...wanted], {
    log: "python",
    env: { PYTHONPATH: pip },
    onLine,
  });
  await writeFile(record, [...present, ...wanted, ""].join("\n"));
  return wanted;
}

async function pipWheel(): Promise<string> {
  const folders = ["/usr/share/python-wheels", join(debian, "usr/share/python-wheels")];
  for (const folder of folders) {
    const wheel = (await readdir(folder).catch(() => [])).find((file) => /^pip-.*\.whl$/.test(file));
    if (wheel) return join(folder, wheel);
  }
  throw new Error(`There is no pip in ${folders.join(" or ")}, which Debian's python3-pip-whl brings.`);
}
