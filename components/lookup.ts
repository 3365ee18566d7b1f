import * as pulumi from "@pulumi/pulumi";
import { isGrpcError } from "@pulumi/pulumi/errors.js";

/** Something that is looked up is not there, or may not be read: one sentence, and what to do. Pulumi prints it without a stack trace. */
export class LookupError extends pulumi.RunError {
  constructor(sentence: string, options?: { readonly cause: unknown }) {
    super(sentence);
    this.name = "LookupError";
    this.cause = options?.cause;
    // Each resource that waits for the value writes `error serializing property "…": ` before the message (the SDK's
    // runtime/rpc.js), in the one error that they all wait for: six deep, and twice with two different beginnings.
    Object.defineProperty(this, "message", { get: () => sentence, set: () => {} });
  }
}

/** How a look-up is told of that came to nothing. */
export interface Lookup {
  /** What is looked up, with its article: `the EKS cluster dev in eu-central-1`. */
  readonly what: string;
  /** The IAM actions that it takes. */
  readonly needs: string;
  /** What a provider says where the thing is not there, and what to do then: sentences. */
  readonly missing?: { readonly said: RegExp; readonly instead: string };
}

/**
 * What a provider's function finds.
 *
 * @throws LookupError when it finds nothing, or may not look.
 */
export async function lookUp<T>(find: () => Promise<T>, { what, needs, missing }: Lookup): Promise<T> {
  try {
    return await find();
  } catch (error) {
    // The engine has gone, since something else failed: that is what is told.
    if (isGrpcError(error as Error)) throw error;
    const reason = reasonOf(error);
    throw new LookupError(
      missing?.said.test(reason)
        ? `There is no ${what.replace(/^the /, "")}. ${missing.instead}`
        : `Could not look up ${what}, which takes ${needs}: ${reason}`,
      { cause: error },
    );
  }
}

/** What the service said, without what SDK, engine, provider and client have put around it. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/^(invocation of \S+ returned an error: |invoking \S+: )+/, "")
    .replace(/^\d+ errors? occurred:\s*\* /, "")
    .replace(/operation error .*? RequestID: [^,\s]*, (api error )?/s, "")
    .replace(/\s+/g, " ")
    .trim();
}
