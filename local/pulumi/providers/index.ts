import { type HostedProvider, serve } from "../provider-host/index.ts";
import type { AwsOptions } from "./aws/clients.ts";
import { awsProvider } from "./aws/provider.ts";
import { dockerProvider } from "./docker/provider.ts";
import { components, methods } from "./eks/cluster.ts";
import { catchStrayErrors, componentService } from "./eks/construct.ts";
import { eksProvider } from "./eks/provider.ts";

/** The packages that have a stand-in. */
export type ProviderName = "aws" | "eks" | "docker";

export interface ProvidersOptions extends AwsOptions {
  /** Address to listen on; each provider takes a free port. */
  readonly host: string;
  /** Path of dockerd's Unix socket. */
  readonly dockerSocket: string;
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
 * Serves stand-ins for Pulumi's aws, eks and docker providers. An engine finds them by
 * `PULUMI_DEBUG_PROVIDERS=aws:PORT,eks:PORT,docker:PORT`.
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
    return serve(dockerProvider({ dockerSocket: options.dockerSocket, workDir }), hosting);
  };
  const [aws, eks, docker] = await Promise.all([start("aws"), start("eks"), start("docker")]);
  return {
    ports: { aws: aws.port, eks: eks.port, docker: docker.port },
    async close() {
      await Promise.all([aws, eks, docker].map((one) => one.close()));
      release();
    },
  };
}
