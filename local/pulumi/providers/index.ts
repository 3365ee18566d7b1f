import { searchPath } from "../../machine/paths.ts";
import { type HostedProvider, serve } from "../provider-host/index.ts";
import type { AwsOptions } from "./aws/clients.ts";
import { awsProvider } from "./aws/provider.ts";
import { dockerProvider } from "./docker/provider.ts";
import { components, methods } from "./eks/cluster.ts";
import { catchStrayErrors, componentService } from "./eks/construct.ts";
import { eksProvider } from "./eks/provider.ts";
import { kubernetesProvider } from "./kubernetes/provider.ts";

/** The packages that have a stand-in. */
export type ProviderName = "aws" | "eks" | "kubernetes" | "docker";

export interface ProvidersOptions extends AwsOptions {
  /** Address to listen on; each provider takes a free port. */
  readonly host: string;
  /** Path of dockerd's Unix socket. */
  readonly dockerSocket: string;
  /** Kubeconfig, a path or its text, for Kubernetes providers that are given none. Default: such a provider fails. */
  readonly kubeconfigFallback?: string;
  /** Folder that build contexts given as relative paths start from: where the program runs. Default: this process's. */
  readonly workDir?: string;
  /** One line for each change that a provider made, or failed to make. */
  readonly log: (line: string) => void;
}

export interface Providers {
  readonly ports: Readonly<Record<ProviderName, number>>;
  /** Cancels what is under way and stops listening. */
  close(): Promise<void>;
}

/**
 * Serves stand-ins for Pulumi's aws, eks, kubernetes and docker providers. An engine finds them by
 * `PULUMI_DEBUG_PROVIDERS=aws:PORT,eks:PORT,kubernetes:PORT,docker:PORT`.
 *
 * While they run, rejected promises that nobody handles do not end this process, but are logged: the Pulumi SDK leaves
 * some when a resource inside a component fails.
 */
export async function startProviders(options: ProvidersOptions): Promise<Providers> {
  const { host, log, workDir = process.cwd() } = options;
  const release = catchStrayErrors(log);
  const start = (name: ProviderName): Promise<HostedProvider> => {
    const hosting = { host, log: (line: string) => log(`${name}: ${line}`) };
    if (name === "aws") return serve(awsProvider(options), hosting);
    if (name === "eks")
      return serve(eksProvider, hosting, componentService({ components, methods }, hosting.log));
    if (name === "docker")
      return serve(dockerProvider({ dockerSocket: options.dockerSocket, workDir }), hosting);
    const { kubeconfigFallback } = options;
    return serve(kubernetesProvider({ kubeconfigFallback, execEnvironment: environment(options) }), hosting);
  };
  const [aws, eks, kubernetes, docker] = await Promise.all([
    start("aws"),
    start("eks"),
    start("kubernetes"),
    start("docker"),
  ]);
  return {
    ports: { aws: aws.port, eks: eks.port, kubernetes: kubernetes.port, docker: docker.port },
    async close() {
      await Promise.all([aws, eks, kubernetes, docker].map((one) => one.close()));
      release();
    },
  };
}

/** What `aws eks get-token` needs to ask the local AWS. */
const environment = ({ endpoint, region, credentials }: ProvidersOptions): Record<string, string> => ({
  PATH: searchPath,
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});
