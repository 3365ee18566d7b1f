import { Listr, ListrLogger, type ListrTask, ProcessOutput } from "listr2";

/** One step of a command, as the person sees it. */
export interface Step<C> {
  title: string;
  /** Does the work. `say` shows what it is at; what it returns, if anything, is shown behind the title. */
  run?: (context: C, say: (line: string) => void) => Promise<string | undefined>;
  /** Steps that it consists of, instead of `run`. */
  steps?: readonly Step<C>[];
  /** Whether these steps run side by side. Default one after the other. */
  concurrent?: boolean;
}

/** Seconds that each step took, by title, in the order in which they ended. */
export type Seconds = Record<string, number>;

/**
 * Runs steps and shows them with their times: as a live list on a terminal, else a line at the start and the end of
 * each. It all goes to standard error, so that standard output carries results only.
 *
 * @throws what the first failing step throws.
 */
export async function runSteps<C>(steps: readonly Step<C>[], context: C): Promise<Seconds> {
  const seconds: Seconds = {};
  const live = process.stderr.isTTY === true;
  const output = new ProcessOutput(process.stderr, process.stderr);
  const tasks = steps.map((step) => toTask<C>(step, seconds, live));
  const list = new Listr<C, "default", "simple">(tasks, {
    concurrent: false,
    exitOnError: true,
    registerSignalListeners: false,
    renderer: "default",
    rendererOptions: { logger: new ListrLogger({ processOutput: output }), collapseSubtasks: false },
    silentRendererCondition: !live, // its lines are written below, with the steps' own results
  });
  await list.run(context);
  return seconds;
}

function toTask<C>(step: Step<C>, seconds: Seconds, live: boolean): ListrTask<C> {
  return {
    title: step.title,
    task: async (context, task) => {
      const since = performance.now();
      const elapsed = (): number => (performance.now() - since) / 1000;
      if (step.steps) {
        const children = step.steps.map((child) => toTask<C>(child, seconds, live));
        return task.newListr(children, { concurrent: step.concurrent ?? false, exitOnError: true });
      }
      let doing = "";
      const show = (): void => {
        task.output = `${clock(elapsed())}  ${doing}`;
      };
      const remind = (): void => {
        process.stderr.write(`     ${step.title}: ${clock(elapsed())}  ${doing}\n`);
      };
      const timer = live ? setInterval(show, 1000) : setInterval(remind, 15_000);
      if (!live) process.stderr.write(`  …  ${step.title}\n`);
      try {
        const result = await step.run?.(context, (line) => {
          doing = line.trim().slice(0, (process.stderr.columns ?? 100) - 16);
          if (live) show();
        });
        seconds[step.title] = Math.round(elapsed() * 10) / 10;
        const title = `${step.title}${result ? `: ${result}` : ""} [${clock(elapsed())}]`;
        if (live) task.title = title;
        else process.stderr.write(`  ✔  ${title}\n`);
      } catch (error) {
        if (!live) process.stderr.write(`  ✖  ${step.title} [${clock(elapsed())}]\n`);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}

/** A duration as people read it: `0.4 s`, `12 s`, `3 min 05 s`. */
export function clock(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
