import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, openShards, type Progress } from "../../automation/index.ts";
import type { IdentityArgs } from "../../components/irsa-identity.ts";
import { startEchoProviders } from "./echo-providers.ts";

// Many bindings on a file backend, as other tools have them: the Automation API, the engine's own state.

const perNamespace = 10;

export interface UpOptions {
  /** As each binding says it. Default `irsa`. */
  readonly identity?: IdentityArgs;
  /** Default as many as `openShards` opens. */
  readonly stacks?: number | undefined;
  /** Whether the engine writes its state once, at the end: quicker, where nobody looks how long it takes. Default false. */
  readonly preparing?: boolean;
}

export interface Upped {
  /** With opening the stacks, as a command would. */
  readonly seconds: number;
  /** What it did to how many resources of a type: `{ "update aws:iam/role:Role": 3 }`. */
  readonly done: Readonly<Record<string, number>>;
}

/** Brings an environment to so many bindings. */
export type Up = (size: number, options?: UpOptions) => Promise<Upped>;

/** An environment with a state of its own, in which nothing is, while `act` runs. */
export async function withEnvironment<Result>(act: (up: Up) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "eks-irsa-environment-"));
  const providers = await startEchoProviders();
  const env = {
    // As docs/reliability.md says of a file backend: without files of metadata.
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DEBUG_PROVIDERS: providers.attached,
  };
  try {
    mkdirSync(join(folder, "state"));
    return await act(async (size, { identity, stacks, preparing = false } = {}) => {
      const done: Record<string, number> = {};
      const note = (progress: Progress): void => {
        if (progress.kind !== "resource" || progress.state !== "done") return;
        const what = `${progress.operation} ${progress.type}`;
        done[what] = (done[what] ?? 0) + 1;
      };
      const since = performance.now();
      const opened = await openShards({
        environment: "bench",
        region: "eu-central-1",
        config: configOf(size, identity),
        ...(stacks !== undefined && { stacks }),
        pulumiHome: join(folder, "home"),
        env: { ...env, ...(preparing && { PULUMI_SKIP_CHECKPOINTS: "true" }) },
      });
      await opened.up({ onProgress: note });
      return { seconds: (performance.now() - since) / 1000, done };
    });
  } finally {
    await providers.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const configOf = (size: number, identity: IdentityArgs = "irsa"): ConfigInput => ({
  app: "none",
  cluster: { name: "bench", existing: true },
  bindings: Array.from({ length: size }, (_, index) => ({
    namespace: `team-${Math.floor(index / perNamespace)}`,
    serviceAccount: `app-${index}`,
    policies: ["AmazonS3ReadOnlyAccess"],
    identity,
  })),
});
