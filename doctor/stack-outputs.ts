import { join } from "node:path";

/** The folder of the project, whose stacks are looked for. */
const projectFolder = join(import.meta.dirname, "..");

/**
 * Outputs of a stack, secrets in clear: the kubeconfig is one. It selects no stack and makes none.
 *
 * @throws Error in one sentence: there is no such stack, with those that there are; there is no engine; or what the
 *   engine says.
 */
export async function stackOutputs(name: string): Promise<Readonly<Record<string, unknown>>> {
  const { LocalWorkspace } = await import("@pulumi/pulumi/automation/index.js");
  const workspace = await LocalWorkspace.create({ workDir: projectFolder }).catch((error: unknown) => {
    const missing = /ENOENT/.test(String(error));
    throw new Error(
      `The outputs of the stack ${name} need the Pulumi engine, which ${missing ? "is not on the PATH" : `could not be started: ${sentenceOf(error)}`}. Put it there, or name what they would: --cluster, --region, --namespace, --service-account.`,
    );
  });
  try {
    const outputs = await workspace.stackOutputs(name);
    return Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value]));
  } catch (error) {
    const stacks = await workspace.listStacks().then(
      (all) => all.map((one) => one.name),
      () => undefined,
    );
    if (stacks === undefined || stacks.includes(name)) {
      throw new Error(`The outputs of the stack ${name} could not be read: ${sentenceOf(error)}.`);
    }
    throw new Error(
      `There is no stack ${name}; ${stacks.length > 0 ? `there are: ${stacks.join(", ")}` : "there is none yet"}.`,
    );
  }
}

/** What the engine says was wrong, without the call's codes and streams around it. */
function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const said = /^\s*(?:stderr: )?error: (.+)$/m.exec(message)?.[1] ?? message.replace(/\s+/g, " ");
  return said.trim().replace(/\.$/, "");
}
