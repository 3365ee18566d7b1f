import { join } from "node:path";
import { canAsk, columnsOf, confirm, folded, shortPath } from "../../terminal.ts";
import { cache } from "../machine/paths.ts";
import { exists } from "../machine/process.ts";

export interface InstallOptions {
  /** Do not ask. */
  yes?: boolean;
}

/** @throws Error where local cannot run. */
export function needRootOnLinux(): void {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new Error(
      "npm run local needs Linux (Debian) and root: it runs containers, mounts and a network bridge. " +
        "It keeps everything it makes in one folder, and `npm run local -- down` removes the rest.",
    );
  }
}

/**
 * The first run downloads and builds. Somebody at a terminal is asked; a script has said what it wants by calling.
 *
 * @throws NotConfirmedError when the person says no.
 */
export async function askToInstall(options: InstallOptions): Promise<void> {
  if (await exists(join(cache, "bin", "pulumi"))) return;
  const said =
    "The first run, and only that, downloads Debian, Python and Go packages and builds from their Go modules: Kubernetes, and " +
    "where Pulumi's releases are out of reach also its engine and its Kubernetes provider. That took 15 minutes on 2 busy cores. " +
    `It all goes to ${shortPath(cache)} (8 GB); nothing is installed on the system.`;
  process.stderr.write(
    `${folded(said, Math.min(columnsOf(process.stderr), 100)).join("\n")}
To remove it later: npm run local -- down && rm -rf ${shortPath(cache)}\n`,
  );
  if (!options.yes && canAsk()) await confirm("Go on?", { byDefault: "yes" });
}
