import { createRequire } from "node:module";
import type * as protobuf from "google-protobuf";
import type * as anyMessages from "google-protobuf/google/protobuf/any_pb.js";
import type * as emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";
import type * as structMessages from "google-protobuf/google/protobuf/struct_pb.js";

// The messages of the very copy of google-protobuf that the Pulumi SDK uses. Generated code registers its messages in
// one place for the whole process, so a second copy, such as of another version, breaks both.
const fromPulumi = createRequire(import.meta.resolve("@pulumi/pulumi"));
const load = <T>(name: string): T => fromPulumi(`google-protobuf/google/protobuf/${name}_pb`) as T;

export const { Struct } = load<typeof structMessages>("struct");
export const { Empty } = load<typeof emptyMessages>("empty");
export const { Any } = load<typeof anyMessages>("any");

/** For messages of which only a part is read, so that there is no code generated for them. */
export const { BinaryReader } = fromPulumi("google-protobuf") as typeof protobuf;

export type Struct = structMessages.Struct;
export type Empty = emptyMessages.Empty;
export type JavaScriptValue = structMessages.JavaScriptValue;
