// What other tools import.
export { ConfigError, type ConfigInput, type ConfigIssue, project } from "../config.ts";
export {
  BusyStackError,
  CancelledError,
  ConfigMissingError,
  EngineMissingError,
  OperationError,
  ResourceError,
  StackMissingError,
} from "./errors.ts";
export type { Outputs, OutputValue } from "./outputs.ts";
export { type Changes, changed, describe, type Progress, summary } from "./progress.ts";
export {
  openShards,
  type ShardedResult,
  ShardedStack,
  type ShardReport,
  ShardsError,
  type ShardsOptions,
} from "./sharded-stack.ts";
export type { Move } from "./shards.ts";
export {
  checkConfig,
  type HistoryEntry,
  type OperationOptions,
  type OperationResult,
  openStack,
  ProgramStack,
  type StackOptions,
} from "./stack.ts";
