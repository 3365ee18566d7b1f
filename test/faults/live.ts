import { request } from "node:http";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ECRClient } from "@aws-sdk/client-ecr";
import { EKSClient } from "@aws-sdk/client-eks";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import { AppsV1Api, CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import type { ProgramStack } from "../../automation/index.ts";
import type { FaultCounts, FaultPlan } from "../../local/aws/faults.ts";
import type { OtherCluster } from "../../local/eks/other-clusters.ts";
import { openLocalStack } from "../../local/pulumi/engine.ts";
import { awsEndpoint, files, region, type UpRun } from "../../local/run.ts";
import { running } from "../../local/state.ts";
import { command, localIs, localUp, works } from "../e2e/tools.ts";

// The live parts, for faults that need them: local, brought up where it is not.

/** The run that is up, with clients of its AWS and its Kubernetes. */
export class Live {
  readonly #config = new KubeConfig();

  readonly state: UpRun;
  /** The environment of a shell in which `aws`, `kubectl` and `pulumi` talk to local. */
  readonly shell: NodeJS.ProcessEnv;

  private constructor(state: UpRun, shell: NodeJS.ProcessEnv) {
    this.state = state;
    this.shell = shell;
    this.#config.loadFromFile(files.kubeconfig);
  }

  static async up(): Promise<Live> {
    const shell = await localUp();
    process.env.PATH = shell.PATH; // the Automation API looks for the engine there
    process.env.LD_LIBRARY_PATH = shell.LD_LIBRARY_PATH;
    const state = running();
    return new Live(state, shell);
  }

  get #client() {
    const { admin } = this.state;
    return { endpoint: awsEndpoint(this.state.ports), region, credentials: admin, maxAttempts: 10 };
  }

  readonly core = (): CoreV1Api => this.#config.makeApiClient(CoreV1Api);
  readonly apps = (): AppsV1Api => this.#config.makeApiClient(AppsV1Api);
  readonly iam = (): IAMClient => new IAMClient(this.#client);
  readonly eks = (): EKSClient => new EKSClient(this.#client);
  readonly ecr = (): ECRClient => new ECRClient(this.#client);
  readonly ec2 = (): EC2Client => new EC2Client(this.#client);
  readonly logs = (): CloudWatchLogsClient => new CloudWatchLogsClient(this.#client);
  readonly s3 = (): S3Client => new S3Client({ ...this.#client, forcePathStyle: true });
  readonly sts = (): STSClient => new STSClient(this.#client);

  /** Has AWS fail from now on, or no more. Gives what was injected until now. */
  faults = async (plan?: FaultPlan): Promise<FaultCounts> =>
    (await this.#control("faults", plan)) as FaultCounts;

  /** Has pods' sessions live so many seconds at most, or as long as in AWS. */
  shortenSessions = (seconds?: number): Promise<unknown> => this.#control("sessions", seconds);

  /** Has EKS and the front door know of more clusters, or of none. */
  otherClusters = (clusters: readonly OtherCluster[]): Promise<unknown> =>
    this.#control("clusters", clusters);

  #control(name: string, value: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { socketPath: files.testSocket, path: `/${name}`, method: "PUT" },
        async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(text));
        },
      );
      asked.once("error", reject);
      asked.end(JSON.stringify(value ?? null));
    });
  }

  /** The stack that `npm run local` runs, with `KEY=VALUE`s of `--config`. */
  open(...overrides: string[]): Promise<ProgramStack> {
    if (overrides.length > 0) localIs("changed");
    return openLocalStack(this.state, overrides);
  }

  /** Has the stack be as it is without `--config`, again. */
  async restore(): Promise<void> {
    await (await this.open()).up();
    localIs("plain");
  }

  async kubectl(...args: string[]): Promise<string> {
    return (await works(command("kubectl", args, { env: this.shell }))).stdout;
  }

  /** An object of Kubernetes; undefined when it is not there. */
  async object(kind: string, namespace: string, name: string): Promise<KubernetesObject | undefined> {
    const text = await this.kubectl("get", kind, "-n", namespace, name, "-o", "json", "--ignore-not-found");
    return text.trim() === "" ? undefined : (JSON.parse(text) as KubernetesObject);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind, read by paths that the test knows
export type KubernetesObject = Record<string, any>;

/** What an operation did with one resource. */
export type Step = Pick<StepEventMetadata, "op" | "urn" | "diffs" | "detailedDiff">;

/** Gathers what an operation did with each resource that did not stay as it was. */
export function stepsOf(events: readonly EngineEvent[]): Step[] {
  return events.flatMap(({ resOutputsEvent }) => {
    const step = resOutputsEvent?.metadata;
    return step === undefined || step.op === "same" || step.op === "read" ? [] : [step];
  });
}

/** A resource's own name in its URN. */
export const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";
