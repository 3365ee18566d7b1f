import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import providerMessages from "@pulumi/pulumi/proto/provider_pb.js";
import statusMessages from "@pulumi/pulumi/proto/status_pb.js";
import { type Properties, toStruct } from "./properties.ts";
import { Any } from "./protobuf.ts";
import type { InitializationError } from "./resource-type.ts";

/** An error as gRPC carries it; the message is what the engine prints below the resource. */
export function serviceError(error: unknown): Partial<ServiceError> {
  if (error instanceof Error && "code" in error && typeof error.code === "number" && "metadata" in error) {
    return error as Partial<ServiceError>;
  }
  return { code: status.UNKNOWN, details: describe(error) };
}

/** What went wrong, for the person at the terminal: the service's code in front where there is one. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError) return error.errors.map(describe).join("; ");
  const cause = error.cause instanceof Error ? `: ${describe(error.cause)}` : "";
  const text = error.message || ("code" in error ? String(error.code) : error.name);
  const named = error.name !== "Error" && !error.name.endsWith("Error") ? `${error.name}: ` : "";
  return named + text + cause;
}

/** The error by which the engine learns that a resource exists and must go into the state, though it does not work. */
export function initializationFailed(
  error: InitializationError,
  message: string,
  state: Properties,
  inputs: Properties,
): Partial<ServiceError> & Error {
  const detail = new providerMessages.ErrorResourceInitFailed();
  detail.setId(error.id);
  detail.setProperties(toStruct(state));
  detail.setInputs(toStruct(inputs));
  detail.setReasonsList([...error.reasons]);
  const any = new Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const rich = new statusMessages.Status();
  rich.setCode(status.UNKNOWN);
  rich.setMessage(message);
  rich.addDetails(any);
  // Go's gRPC reads structured details from this key; grpc-js has no notion of them.
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
  return Object.assign(new Error(message), { code: status.UNKNOWN, details: message, metadata });
}
