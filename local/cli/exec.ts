import { spawn } from "node:child_process";
import { once } from "node:events";
import { files } from "../run.ts";
import { running } from "../state.ts";
import { outputsOf } from "./engine-operations.ts";

/** Opens a shell in the toolbox, or runs a command in it. */
export async function exec(command: readonly string[]): Promise<void> {
  const { namespace, toolbox } = await outputsOf(running());
  if (toolbox === undefined) {
    throw new Error("There is no toolbox. Make it with `npm run local -- up --config toolbox=true`.");
  }
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  const args = [
    ...[`--kubeconfig=${files.kubeconfig}`, "exec", "--stdin", ...(terminal ? ["--tty"] : [])],
    ...[
      `--namespace=${namespace}`,
      `deployment/${toolbox}`,
      "--",
      ...(command.length > 0 ? command : ["sh"]),
    ],
  ];
  const child = spawn("kubectl", args, { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  process.exitCode = code ?? 1;
}
