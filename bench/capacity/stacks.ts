import type { EngineModel } from "./engine.ts";
import { largest } from "./model.ts";

// One stack or many: what a first roll-out of all bindings takes.

export interface Rollout {
  readonly bindings: number;
  readonly bindingsPerStack: number;
  /** Stacks that are brought up at a time, each by a runner of its own. */
  readonly parallel: number;
  /** Calls to IAM that a binding takes: one for its role, one for each policy. */
  readonly iamCallsPerBinding: number;
  /** Calls a second that IAM takes from the account. */
  readonly iamCallsPerSecond: number;
  readonly checkpoints: boolean;
}

export interface RolloutTime {
  readonly stacks: number;
  /** The engine's own time: the stacks in as many turns as it takes. */
  readonly engineSeconds: number;
  /** IAM's: all stacks of an account share its rate. */
  readonly iamSeconds: number;
  /** No shorter than either. */
  readonly seconds: number;
  readonly bound: "engine" | "IAM";
}

export function rolloutTime(rollout: Rollout, engine: EngineModel): RolloutTime {
  const { bindings, bindingsPerStack, parallel, checkpoints } = rollout;
  const stacks = Math.ceil(bindings / bindingsPerStack);
  const up = checkpoints ? engine.upSeconds : engine.upSecondsWithoutCheckpoints;
  // The last stack may be smaller; a turn takes as long as its largest.
  const turns = Math.ceil(stacks / parallel);
  const last = bindings - (stacks - 1) * bindingsPerStack;
  const lastTurn = stacks - (turns - 1) * parallel === 1 ? last : Math.min(bindings, bindingsPerStack);
  const engineSeconds = (turns - 1) * up(bindingsPerStack) + up(lastTurn);
  const iamSeconds = iamTime(bindings * rollout.iamCallsPerBinding, rollout.iamCallsPerSecond);
  return {
    stacks,
    engineSeconds,
    iamSeconds,
    seconds: Math.max(engineSeconds, iamSeconds),
    bound: engineSeconds > iamSeconds ? "engine" : "IAM",
  };
}

/** Seconds that IAM takes for so many calls. Holds while the rate binds: see {@link longestCall}. */
export const iamTime = (calls: number, callsPerSecond: number): number => calls / callsPerSecond;

/**
 * The longest that one call may take, in seconds, for IAM's rate to bind: with slower ones the engine's own parallelism
 * does, since it waits for that many at a time.
 */
export const longestCall = (parallelOperations: number, callsPerSecond: number): number =>
  parallelOperations / callsPerSecond;

/** The most bindings of a stack whose first `up` stays within so many seconds of the engine's time. */
export const bindingsWithin = (seconds: number, up: (bindings: number) => number): number =>
  largest((bindings) => up(bindings) <= seconds);
