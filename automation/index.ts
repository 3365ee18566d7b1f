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
export { type Changes, changed, describe, type Progress, summary } from "./progress.ts";
export {
  checkConfig,
  type HistoryEntry,
  type OperationOptions,
  type OperationResult,
  type Outputs,
  type OutputValue,
  openStack,
  ProgramStack,
  type StackOptions,
} from "./stack.ts";
