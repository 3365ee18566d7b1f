import { Listr, ListrLogger, type ListrTask, ProcessOutput } from "listr2";

/** Shows what a step is at. */
export type Say = (line: string) => void;

/** One step of a command, as the person sees it: takes what is known before it, and gives what it finds out. */
export interface Step<In, Out> {
  readonly title: string;
  /** As a task of listr's. `known` is asked when the step's turn has come; `found` is told what it found out. */
  readonly toTask: (known: () => In, found: (out: Partial<Out>) => void, view: View) => ListrTask;
}

interface View {
  live: boolean;
  seconds: Seconds;
}

/** Seconds that each step took, by title, in the order in which they ended. */
export type Seconds = Record<string, number>;

/** A step that only does something; what it returns, if anything, is shown behind its title. */
export const doing = <In>(
  title: string,
  run: (known: In, say: Say) => Promise<string | undefined>,
): Step<In, unknown> => leaf(title, async (known: In, say) => [{}, await run(known, say)]);

/** A step that finds something out. */
export const finding = <In, Out extends object>(
  title: string,
  run: (known: In, say: Say) => Promise<Out>,
  summary: (out: Out) => string | undefined,
): Step<In, Out> =>
  leaf(title, async (known: In, say) => {
    const out = await run(known, say);
    return [out, summary(out)];
  });

/** Steps one after the other: each knows what was known before and what those before it have found. */
export function inTurn<In, A, B>(title: string, a: Step<In, A>, b: Step<In & A, B>): Step<In, A & B>;
export function inTurn<In, A, B, C>(
  title: string,
  ...steps: [Step<In, A>, Step<In & A, B>, Step<In & A & B, C>]
): Step<In, A & B & C>;
export function inTurn<In, A, B, C, D>(
  title: string,
  ...steps: [Step<In, A>, Step<In & A, B>, Step<In & A & B, C>, Step<In & A & B & C, D>]
): Step<In, A & B & C & D>;
export function inTurn<In, A, B, C, D, E>(
  title: string,
  ...steps: [
    Step<In, A>,
    Step<In & A, B>,
    Step<In & A & B, C>,
    Step<In & A & B & C, D>,
    Step<In & A & B & C & D, E>,
  ]
): Step<In, A & B & C & D & E>;
export function inTurn(title: string, ...steps: Step<object, unknown>[]): Step<object, unknown> {
  return group(title, steps, false);
}

/** Steps side by side: each knows what was known before all of them. */
export function atOnce<In, A, B>(title: string, a: Step<In, A>, b: Step<In, B>): Step<In, A & B>;
export function atOnce<In, A, B, C>(
  title: string,
  ...steps: [Step<In, A>, Step<In, B>, Step<In, C>]
): Step<In, A & B & C>;
export function atOnce(title: string, ...steps: Step<object, unknown>[]): Step<object, unknown> {
  return group(title, steps, true);
}

function group(title: string, steps: readonly Step<object, unknown>[], concurrent: boolean) {
  const toTask: Step<object, unknown>["toTask"] = (known, found, view) => ({
    title,
    task: (_, task) => {
      let since: object = {};
      const add = (out: object): void => {
        since = { ...since, ...out };
        found(out);
      };
      const children = steps.map((step) =>
        step.toTask(() => ({ ...known(), ...(concurrent ? {} : since) }), add, view),
      );
      return task.newListr(children, { concurrent, exitOnError: true });
    },
  });
  return { title, toTask };
}

/**
 * Runs a step and shows it with its times: as a live list on a terminal, else a line at the start and the end of
 * each. It all goes to standard error, so that standard output carries results only.
 *
 * @throws what the first failing step throws.
 */
export async function runSteps<In, Out>(
  step: Step<In, Out>,
  known: In,
): Promise<{ found: Out; seconds: Seconds }> {
  const view: View = { live: process.stderr.isTTY === true, seconds: {} };
  const output = new ProcessOutput(process.stderr, process.stderr);
  let found: Partial<Out> = {};
  const add = (out: Partial<Out>): void => {
    found = { ...found, ...out };
  };
  const list = new Listr([step.toTask(() => known, add, view)], {
    concurrent: false,
    exitOnError: true,
    registerSignalListeners: false,
    renderer: "default",
    rendererOptions: { logger: new ListrLogger({ processOutput: output }), collapseSubtasks: false },
    silentRendererCondition: !view.live, // its lines are written below, with the steps' own results
  });
  await list.run();
  // Every step has run, so each part of it is there.
  return { found: found as Out, seconds: view.seconds };
}

function leaf<In, Out extends object>(
  title: string,
  run: (known: In, say: Say) => Promise<[out: Out, summary: string | undefined]>,
): Step<In, Out> {
  const toTask: Step<In, Out>["toTask"] = (known, found, { live, seconds }) => ({
    title,
    task: async (_, task) => {
      const since = performance.now();
      const elapsed = (): number => (performance.now() - since) / 1000;
      let at = "";
      const show = (): void => {
        task.output = `${clock(elapsed())}  ${at}`;
      };
      const remind = (): void => {
        process.stderr.write(`     ${title}: ${clock(elapsed())}  ${at}\n`);
      };
      const timer = live ? setInterval(show, 1000) : setInterval(remind, 15_000);
      if (!live) process.stderr.write(`  …  ${title}\n`);
      try {
        const [out, summary] = await run(known(), (line) => {
          at = line.trim().slice(0, (process.stderr.columns ?? 100) - 16);
          if (live) show();
        });
        found(out);
        seconds[title] = Math.round(elapsed() * 10) / 10;
        const ended = `${title}${summary ? `: ${summary}` : ""} [${clock(elapsed())}]`;
        if (live) task.title = ended;
        else process.stderr.write(`  ✔  ${ended}\n`);
      } catch (error) {
        if (!live) process.stderr.write(`  ✖  ${title} [${clock(elapsed())}]\n`);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  });
  return { title, toTask };
}

/** A duration as people read it: `0.4 s`, `12 s`, `3 min 05 s`. */
function clock(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
