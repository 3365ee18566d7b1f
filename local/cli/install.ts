import { shortPath } from "../../terminal.ts";
import { install as steps } from "../bring-up.ts";
import { cache, project } from "../machine/paths.ts";
import { lock } from "../state.ts";
import { askToInstall, type InstallOptions, needRootOnLinux } from "./consent.ts";
import { runSteps } from "./steps.ts";

/** Downloads and builds what `up` needs, and starts nothing: for the image of a CI machine. */
export async function install(options: InstallOptions): Promise<void> {
  needRootOnLinux();
  const unlock = lock("install", project);
  await askToInstall(options);
  await runSteps(steps, undefined);
  unlock();
  process.stdout.write(`Everything that local needs is in ${shortPath(cache)}.\n`);
}
