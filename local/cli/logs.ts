import { spawn } from "node:child_process";
import { once } from "node:events";
import { command } from "../machine/command.ts";
import { files, stackName } from "../run.ts";
import { running } from "../state.ts";
import { outputsOf } from "./engine-operations.ts";

/** The log of `pod/NAME`, or of a pod of `deployment/NAME`, as `kubectl` gives it. */
export function podLog(namespace: string, pod: string): Promise<string> {
  return command("kubectl", arguments_(namespace, pod), { log: "kubectl" });
}

/** Shows the log. */
export async function logs(options: { follow?: boolean }): Promise<void> {
  const outputs = await outputsOf(running());
  if (outputs.deployment === undefined) {
    throw new Error(`The stack ${stackName} has no Deployment. Make it with \`npm run local -- up\`.`);
  }
  const args = arguments_(String(outputs.namespace), `deployment/${outputs.deployment}`);
  const child = spawn("kubectl", options.follow ? [...args, "--follow"] : args, { stdio: "inherit" });
  const [code] = await once(child, "exit");
  process.exitCode = (code as number | null) ?? 1;
}

const arguments_ = (namespace: string, from: string): string[] => [
  `--kubeconfig=${files.kubeconfig}`,
  "logs",
  `--namespace=${namespace}`,
  from,
];
