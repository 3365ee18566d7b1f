// The door: what a provider, and what serves one, need of this folder. README.md says how they go together.
export { type AutoNameRequest, type AutoNaming, autoName } from "./autoname.ts";
export { type Connection, Connections } from "./connections.ts";
export {
  asJson,
  type Difference,
  deepEqual,
  differences,
  type Path,
  type Property,
  sameJson,
  sameSet,
} from "./diff.ts";
export { describe, serviceError } from "./grpc-errors.ts";
export { type Extension, type HostedProvider, type HostOptions, serve } from "./host.ts";
export {
  containsUnknown,
  fromStruct,
  isObject,
  type Properties,
  secret,
  toStruct,
  unknown,
} from "./properties.ts";
export { BinaryReader, Empty, type JavaScriptValue, Struct } from "./protobuf.ts";
export {
  type Change,
  type Context,
  type Failure,
  InitializationError,
  type Provider,
  type ResourceType,
} from "./resource-type.ts";
