import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { describe, openLocalStack, summary } from "../engine";
import { logs, project } from "../paths";
import { alive } from "../process";
import { runSteps } from "../progress";
import type { Run } from "../run";
import { load, lock } from "../state";
import { readable } from "./up";

interface OperationOptions {
  config?: string[];
}

/** What an operation of the engine gives back. */
interface Reporting {
  onOutput: (chunk: string) => void;
  onEvent: (event: EngineEvent) => void;
}

/** The run that is up. @throws Error when there is none, or a part of it has ended. */
export function running(): Run {
  const state = load();
  if (!state?.complete) throw new Error("local is not up. Bring it up with `npm run local`.");
  const ended = state.daemons.find((daemon) => !alive(daemon));
  if (ended) {
    throw new Error(`${ended.name} has ended; its log is ${ended.log}. Start anew with \`npm run local\`.`);
  }
  return state;
}

/** Outputs of the stack, secrets left out. */
export async function outputsOf(state: Run): Promise<Record<string, unknown>> {
  const stack = await openLocalStack(state, []);
  const outputs = Object.entries(await stack.outputs()).filter(([, output]) => !output.secret);
  return Object.fromEntries(outputs.map(([name, output]) => [name, output.value]));
}

export const preview = (options: OperationOptions): Promise<void> =>
  operate("preview", options, async (stack, reporting) => {
    const { changeSummary } = await stack.preview({ ...reporting, diff: true });
    return changesOnly(changeSummary) ? summary(changeSummary) : "nothing would change";
  });

export const refresh = (options: OperationOptions): Promise<void> =>
  operate("refresh", options, async (stack, reporting) => {
    const result = await stack.refresh(reporting);
    const changes = result.summary.resourceChanges;
    return changesOnly(changes) ? summary(changes) : "nothing has drifted";
  });

export const destroy = (options: OperationOptions): Promise<void> =>
  operate("destroy", options, async (stack, reporting) => {
    const result = await stack.destroy(reporting);
    return summary(result.summary.resourceChanges);
  });

const changesOnly = (changes: Readonly<Record<string, number>> | undefined): boolean =>
  Object.entries(changes ?? {}).some(([kind, count]) => kind !== "same" && count > 0);

/** Runs one operation of the engine, with its progress on standard error and its own output on standard output. */
async function operate(
  title: string,
  options: OperationOptions,
  act: (stack: Stack, reporting: Reporting) => Promise<string>,
): Promise<void> {
  const state = running();
  const unlock = lock(title, project);
  const lines: string[] = [];
  let result = "";
  await runSteps(
    [
      {
        title,
        run: async (_, say) => {
          const stack = await openLocalStack(state, options.config ?? []);
          const onEvent = (event: EngineEvent): void => {
            const line = describe(event);
            if (line) say(line);
          };
          try {
            result = await act(stack, { onOutput: (chunk) => lines.push(chunk), onEvent });
          } catch (error) {
            throw new Error(readable(error, lines), { cause: error });
          } finally {
            await appendFile(join(logs, "pulumi.log"), lines.join(""));
          }
          return result;
        },
      },
    ],
    undefined,
  );
  unlock();
  process.stdout.write(`${lines.join("").trim()}\n\n${title}: ${result}\n`);
}
