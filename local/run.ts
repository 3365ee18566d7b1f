import { join } from "node:path";
import type { Credentials } from "./aws/account.ts";
import type { Bridge } from "./machine/bridge.ts";
import { runFolder } from "./machine/paths.ts";
import type { Daemon } from "./machine/process.ts";

/** Name of the stack that local runs. */
export const stackName = "local";

/** The AWS region that local plays. */
export const region = "eu-central-1";

/** What must be known of a run to end it again, from its first moment on. */
interface Begun {
  /** The checkout that it was started from. */
  project: string;
  /** When, in ISO 8601. */
  since: string;
  /** Processes, in the order of their start. */
  daemons: Daemon[];
  /** The bridge of its pods, from when it is there. */
  bridge?: Bridge;
  ports: Ports;
}

/** A run whose parts are being started, or were not all. */
export interface StartingRun extends Begun {
  phase: "starting";
}

/** What the start of the parts finds out. */
export interface Parts {
  /** Credentials of the account's administrator. */
  admin: Credentials;
  services: Services;
  /** The image that Go programs are built in, as dockerd knows it. */
  goImage: string;
}

/** A run of which every part was started. */
export interface UpRun extends Begun, Parts {
  phase: "up";
  /** Whether the proofs held when they were last run, and nothing was changed by `up` since. */
  proved: boolean;
  /** The images with Java, once they were asked for. */
  java?: JavaImages;
}

/** The one run that there can be; kept in `run/state.json`. */
export type Run = StartingRun | UpRun;

/** Ports of the servers in the services process. */
export interface Services {
  /** Port of the stand-in for each Pulumi provider. */
  providers: Record<string, number>;
  /** Port of the stand-in for Pulumi's Node.js language host. */
  languageHost: number;
  /** Why there is no Pod Identity agent, where there is none. */
  agentFault?: string;
}

export interface JavaImages {
  /** The image that Java programs are built in, as dockerd knows it. */
  build: string;
  /** The same, in local's registry: the toolbox runs it. */
  toolbox: string;
}

/** Ports that must be known before what listens on them is started. */
export const portNames = [
  ...(["miniStack", "frontDoor", "tokenAuthenticator", "webhook", "etcd", "etcdPeer"] as const),
  // As ECR shows it, and where it keeps the images.
  ...(["registry", "registryStorage"] as const),
  ...(["apiServer", "controllerManager", "scheduler", "kubelet", "kubeletHealth"] as const),
] as const;
export type Ports = Record<(typeof portNames)[number], number>;

/** Folders of the run, by what they belong to. */
export const folders = {
  pki: join(runFolder, "pki"),
  kubernetes: join(runFolder, "kubernetes"),
  miniStack: join(runFolder, "ministack"),
  registry: join(runFolder, "registry"),
  docker: join(runFolder, "docker"),
} as const;

export const files = {
  /** The administrator's kubeconfig. */
  kubeconfig: join(folders.kubernetes, "admin.kubeconfig"),
  dockerSocket: join(folders.docker, "docker.sock"),
  /** Where tests ask the front door for what AWS does not do. */
  testSocket: join(runFolder, "tests.sock"),
  /** The stack's configuration, as the last command of local set it. */
  stackConfig: join(runFolder, "pulumi", "project", `Pulumi.${stackName}.yaml`),
  signingKey: join(folders.pki, "service-account.key"),
} as const;

/** The one EKS cluster's OIDC issuer, shaped as EKS's: any fixed 32 hexadecimal digits will do. */
export const issuerOf = (inRegion: string): string =>
  `https://oidc.eks.${inRegion}.amazonaws.com/id/EC5A0000000000000000000000000001`;

/** URL of AWS's endpoint on this machine. */
export const awsEndpoint = (ports: Pick<Ports, "frontDoor">): string => `http://127.0.0.1:${ports.frontDoor}`;

/** What makes AWS's tools talk to local. */
export function awsEnvironment({ ports, admin }: Pick<UpRun, "ports" | "admin">): Record<string, string> {
  const endpoint = awsEndpoint(ports);
  return {
    AWS_ENDPOINT_URL: endpoint,
    // The Go SDK looks for no other when it exchanges a web identity token.
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: admin.accessKeyId,
    AWS_SECRET_ACCESS_KEY: admin.secretAccessKey,
  };
}
