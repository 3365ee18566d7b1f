import { install as steps } from "../bring-up";
import { askToInstall, type InstallOptions, needRootOnLinux } from "../consent";
import { cache, project } from "../paths";
import { runSteps } from "../progress";
import { lock } from "../state";

/** Downloads and builds what `up` needs, and starts nothing: for the image of a CI machine. */
export async function install(options: InstallOptions): Promise<void> {
  needRootOnLinux();
  const unlock = lock("install", project);
  await askToInstall(options);
  await runSteps([steps], {});
  unlock();
  process.stdout.write(`Everything that local needs is in ${cache}.\n`);
}
