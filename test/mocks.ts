import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import * as pulumi from "@pulumi/pulumi";

/** A resource as the program asked the engine for it. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** URN of the parent. */
  parent: string;
  custom: boolean;
  protect: boolean;
  /** URN and id of an explicit provider. */
  provider: string;
  dependencies: string[];
  /** What it may have been before: `<URN of the parent> <name>`, each where it was another. */
  aliases: string[];
  ignoreChanges: string[];
  deleteBeforeReplace: boolean;
  /** How long the engine waits for it, such as `300s`; empty where the provider says. */
  timeouts: { create: string; update: string };
}

export type Calls = Record<string, (args: Record<string, unknown>) => Record<string, unknown>>;
export type Outputs = Record<
  string,
  (name: string, inputs: Record<string, unknown>) => Record<string, unknown>
>;

const region = "eu-central-1";
const accountId = "111122223333";
export const issuer = `oidc.eks.${region}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF`;
export const oidcProviderArn = `arn:aws:iam::${accountId}:oidc-provider/${issuer}`;
/** What a program that looks whether it gets through to a private API server finds there. */
const listener = createServer().listen(0, "127.0.0.1").unref();
await once(listener, "listening");
const apiServer = `https://127.0.0.1:${(listener.address() as AddressInfo).port}`;
export const registry = `${accountId}.dkr.ecr.${region}.amazonaws.com`;

/** What AWS adds to a resource's inputs, for the types that the program uses. A type that is not here gets its inputs only. */
const outputs: Outputs = {
  "aws:iam/role:Role": (name) => ({ arn: `arn:aws:iam::${accountId}:role/${name}`, name: `${name}-1234567` }),
  "aws:iam/policy:Policy": (name) => ({ arn: `arn:aws:iam::${accountId}:policy/${name}` }),
  "aws:ecr/repository:Repository": (name) => ({
    name: `${name}-1234567`,
    registryId: accountId,
    repositoryUrl: `${registry}/${name}-1234567`,
  }),
  "aws:ec2/launchTemplate:LaunchTemplate": () => ({ latestVersion: 3 }),
  "docker:index/image:Image": (_name, inputs) => ({
    repoDigest: `${String(inputs.imageName).split(":")[0]}@sha256:${"ab".repeat(32)}`,
  }),
  "pulumi:pulumi:StackReference": (_name, inputs) => ({
    outputs: { clusterName: `cluster of ${inputs.name}`, kubeconfig: '{"kind":"Config"}', oidcProviderArn },
  }),
  "eks:index:Cluster": (_name, inputs) => ({
    eksCluster: {
      name: inputs.name,
      version: inputs.version ?? "1.34",
      certificateAuthority: { data: "Q0E=" },
    },
    core: { endpoint: apiServer },
    kubeconfigJson: '{"kind":"Config"}',
    clusterSecurityGroupId: "sg-0c",
    oidcProviderUrl: `https://${issuer}`,
  }),
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": () => ({ arn: oidcProviderArn }),
};

const calls: Calls = {
  "aws:ec2/getVpc:getVpc": () => ({ id: "vpc-default" }),
  "aws:ec2/getSubnets:getSubnets": () => ({ ids: ["subnet-a", "subnet-b"] }),
  "aws:ecr/getAuthorizationToken:getAuthorizationToken": () => ({
    userName: "AWS",
    password: "ecr-password",
  }),
};

/** The part of the engine's registration request that the tests look at; the mock interface passes on only some of it. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getProtect(): boolean;
  getProvider(): string;
  getDependenciesList(): string[];
  getAliasesList(): { getSpec(): { getParenturn(): string; getName(): string } }[];
  getIgnorechangesList(): string[];
  getDeletebeforereplace(): boolean;
  getCustomtimeouts(): { getCreate(): string; getUpdate(): string } | undefined;
}

/**
 * Sets mocks that record every registration. Only the invokes given here (and ECR's token, and the default VPC) are answered: any other one
 * rejects, so that a program which asks AWS for something new shows up as a failure, not as an empty answer.
 */
export async function setMocks(
  options: { stack?: string; config?: Record<string, string>; calls?: Calls; outputs?: Outputs } = {},
): Promise<Registered[]> {
  const registered: Registered[] = [];
  const answers = { ...calls, ...options.calls };
  const added = { ...outputs, ...options.outputs };
  await pulumi.runtime.setMocks(
    {
      newResource(args) {
        const resource = registered.find((one) => one.type === args.type && one.name === args.name);
        if (resource) resource.inputs = args.inputs;
        return {
          id: args.custom ? `${args.name}-id` : undefined,
          state: { ...args.inputs, ...added[args.type]?.(args.name, args.inputs) },
        };
      },
      call(args) {
        const answer = answers[args.token];
        if (answer === undefined)
          throw new Error(`The program called ${args.token}, which this test does not expect.`);
        return answer(args.inputs);
      },
    },
    "eks-irsa",
    options.stack ?? "test",
    false,
  );
  pulumi.runtime.setAllConfig(options.config ?? {});

  // The monitor behind the mocks: it alone sees parents, protection and dependencies.
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: RegisterRequest, callback: unknown): unknown;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    registered.push({
      type: request.getType(),
      name: request.getName(),
      inputs: {},
      parent: request.getParent(),
      custom: request.getCustom(),
      protect: request.getProtect(),
      provider: request.getProvider(),
      dependencies: request.getDependenciesList(),
      aliases: request.getAliasesList().map((alias) => {
        const spec = alias.getSpec();
        return [spec.getParenturn(), spec.getName()].filter(Boolean).join(" ");
      }),
      ignoreChanges: request.getIgnorechangesList(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      timeouts: {
        create: request.getCustomtimeouts()?.getCreate() ?? "",
        update: request.getCustomtimeouts()?.getUpdate() ?? "",
      },
    });
    return register(request, callback);
  };
  return registered;
}

/** The value of an output, once it is known. */
export function known<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    output.apply(resolve);
    // An output that rejects never calls apply's function; its promise tells.
    (output as unknown as { promise(): Promise<T> }).promise().catch(reject);
  });
}

/** Waits until everything that a piece of program registers is registered, as the end of a program does, and gives it. */
export async function settled(registered: Registered[]): Promise<Registered[]> {
  await pulumi.runtime.disconnect();
  return registered;
}

/** The one resource of a type, or the one of that name. */
export function only(registered: Registered[], type: string, name?: string): Registered {
  const found = registered.filter((one) => one.type === type && (name === undefined || one.name === name));
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(
      `${found.length} resources of type ${type}, expected one: ${found.map((one) => one.name)}`,
    );
  }
  return found[0];
}
