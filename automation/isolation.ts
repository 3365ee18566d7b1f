import type { AsyncLocalStorage } from "node:async_hooks";

type Listener = (...args: unknown[]) => void;

const uncaught = new Set<string | symbol>(["unhandledRejection", "uncaughtException"]);

let kept = false;

/**
 * Keeps an error that nobody caught to the operation that it is of.
 *
 * While the SDK runs an inline program, it listens for this process's unhandled rejections and uncaught exceptions, and
 * takes each for its own program's: of two operations at once, the one that fails would fail the other too. So whoever
 * listens from within a run is told of that run's errors only, and of those that are of no run, as before.
 */
export function keepErrorsApart(): void {
  if (kept) return;
  kept = true;
  let replacing = false;
  process.on("newListener", (event: NodeJS.Signals, listener: Listener) => {
    const run = currentRun();
    if (replacing || run === undefined || !uncaught.has(event)) return;
    const own: Listener = (...args) => {
      if ([run, undefined].includes(currentRun())) listener(...args);
    };
    // The listener itself is added once this returns.
    queueMicrotask(() => {
      if (!process.listeners(event).includes(listener)) return;
      replacing = true;
      process.off(event, listener);
      // As `once` does it: `process.off(event, listener)` takes off this one.
      process.on(event, Object.assign(own, { listener }));
      replacing = false;
    });
  });
}

/** What the SDK keeps through one run of an inline program, by which it tells runs apart itself. Undefined outside of one. */
const currentRun = (): unknown =>
  (globalThis as { asyncLocalStorage?: AsyncLocalStorage<unknown> }).asyncLocalStorage?.getStore();
