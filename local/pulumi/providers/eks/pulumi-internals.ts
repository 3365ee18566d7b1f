import type * as pulumi from "@pulumi/pulumi";
import * as server from "@pulumi/pulumi/provider/server.js";
import * as settings from "@pulumi/pulumi/runtime/settings.js";
import * as state from "@pulumi/pulumi/runtime/state.js";
import type { Map as ProtobufMap } from "google-protobuf";
import type { Struct } from "../../provider-host/index.ts";

// Functions that the Pulumi SDK exports, but leaves out of its type declarations. Their types are those of its source,
// version 3.259.0.

type Dependencies = ProtobufMap<string, { getUrnsList(): string[] }>;

/** Inputs as a component takes them, with what each depends on. */
export const { deserializeInputs } = server as unknown as {
  deserializeInputs(inputs: Struct | undefined, dependencies: Dependencies): Promise<pulumi.Inputs>;
};

export const { awaitFeatureSupport, waitForRPCs } = settings as unknown as {
  /** Asks the engine what it can do; before anything is registered. */
  awaitFeatureSupport(): Promise<void>;
  /** Resolves when everything that was registered has been answered. */
  waitForRPCs(): Promise<void>;
};

export const { withLocalStorage } = state as unknown as {
  /** Runs it with runtime settings of its own. */
  withLocalStorage<T>(work: () => Promise<T>): Promise<T>;
};
