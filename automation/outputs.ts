import { specialSecretSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc.js";
import type { State } from "./recovery.ts";

/** An output of the stack. */
export interface OutputValue {
  readonly value: unknown;
  readonly secret: boolean;
}

export type Outputs = Readonly<Record<string, OutputValue>>;

/** The values of the outputs that may be shown. */
export const withoutSecrets = (outputs: Outputs): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(outputs)
      .filter(([, { secret }]) => !secret)
      .map(([name, { value }]) => [name, value]),
  );

/**
 * The outputs of a stack, from its state as it is exported with its secrets in clear: one command of the engine, where the
 * SDK asks it twice, without the secrets and with them.
 */
export function outputsOf(state: State): Outputs {
  const root = state.resources?.find(({ type }) => type === "pulumi:pulumi:Stack");
  return Object.fromEntries(
    Object.entries(root?.outputs ?? {}).map(([name, held]) => {
      let secret = false;
      const value = revealed(held, () => {
        secret = true;
      });
      return [name, { value, secret }];
    }),
  );
}

/** A value with the secrets in it in clear. */
function revealed(held: unknown, onSecret: () => void): unknown {
  if (typeof held !== "object" || held === null) return held;
  if (Array.isArray(held)) return held.map((one) => revealed(one, onSecret));
  const { [specialSigKey]: signature, plaintext } = held as Record<string, unknown>;
  if (signature === specialSecretSig && typeof plaintext === "string") {
    onSecret();
    return JSON.parse(plaintext);
  }
  return Object.fromEntries(Object.entries(held).map(([key, one]) => [key, revealed(one, onSecret)]));
}
