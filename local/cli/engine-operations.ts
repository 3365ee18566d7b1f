import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../../automation/errors.ts";
import { withoutSecrets } from "../../automation/outputs.ts";
import { changed, describe, summary } from "../../automation/progress.ts";
import type { ProgramStack, OperationOptions as StackOperationOptions } from "../../automation/stack.ts";
import { shortPath } from "../../terminal.ts";
import { logs, project } from "../machine/paths.ts";
import { openLocalStack } from "../pulumi/engine.ts";
import type { UpRun } from "../run.ts";
import { lock, running } from "../state.ts";
import { finding, runSteps } from "./steps.ts";

interface OperationOptions {
  config?: string[];
}

/** Outputs of the stack, secrets left out. */
export async function outputsOf(state: UpRun): Promise<Record<string, unknown>> {
  const stack = await openLocalStack(state, []);
  return withoutSecrets(await stack.outputs());
}

export const preview = (options: OperationOptions): Promise<void> =>
  operate("preview", options, async (stack, common) => {
    const { changes, output } = await stack.preview({ ...common, diff: true });
    return [output, changed(changes) ? summary(changes) : "nothing would change"];
  });

export const refresh = (options: OperationOptions): Promise<void> =>
  operate("refresh", options, async (stack, common) => {
    const { changes, output } = await stack.refresh(common);
    return [output, changed(changes) ? summary(changes) : "nothing has drifted"];
  });

export const destroy = (options: OperationOptions): Promise<void> =>
  operate("destroy", options, async (stack, common) => {
    const { changes, output } = await stack.destroy(common);
    return [output, summary(changes)];
  });

/** Runs one operation of the engine, with its progress on standard error and its own output on standard output. */
async function operate(
  title: string,
  options: OperationOptions,
  act: (stack: ProgramStack, common: StackOperationOptions) => Promise<[output: string, result: string]>,
): Promise<void> {
  const state = running();
  const unlock = lock(title, project);
  const { found } = await runSteps(
    finding(
      title,
      async (_, say) => {
        const stack = await openLocalStack(state, options.config ?? []);
        const [output, result] = await engineOperation(say, (common) => act(stack, common));
        return { output, result };
      },
      ({ result }) => result,
    ),
    undefined,
  );
  unlock();
  process.stdout.write(`${found.output.trim()}\n\n${title}: ${found.result}\n`);
}

/**
 * An operation of the engine: its progress is said, its output kept in the log.
 *
 * @throws Error with what went wrong, and where the rest of what the engine printed is.
 */
export async function engineOperation<T>(
  say: (line: string) => void,
  act: (common: StackOperationOptions) => Promise<T>,
): Promise<T> {
  const log = join(logs, "pulumi.log");
  const lines: string[] = [];
  try {
    return await act({
      onOutput: (text) => lines.push(text),
      onProgress: (progress) => say(describe(progress)),
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new Error(`${error.message}\n\nThe engine's whole output is in ${shortPath(log)}.`, {
      cause: error,
    });
  } finally {
    await appendFile(log, lines.join(""));
  }
}
