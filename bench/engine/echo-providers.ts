import { setTimeout as sleep } from "node:timers/promises";
import {
  type Context,
  type Difference,
  deepEqual,
  type HostedProvider,
  type Properties,
  type Provider,
  type ResourceType,
  serve,
  unknown,
} from "../../local/pulumi/provider-host/index.ts";
import { components, methods } from "../../local/pulumi/providers/eks/cluster.ts";
import { catchStrayErrors, componentService } from "../../local/pulumi/providers/eks/construct.ts";
import { eksProvider } from "../../local/pulumi/providers/eks/provider.ts";

// Providers that make nothing: every resource is at once what it was asked to be, or after a set time. What is left to
// measure is the engine and the program. They speak the engine's own protocol, as local's stand-ins do.

const region = "eu-central-1";
const account = "111122223333";
const registry = `${account}.dkr.ecr.${region}.amazonaws.com`;
const issuer = `https://oidc.eks.${region}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF`;
const arn = (service: string, resource: string): string => `arn:aws:${service}::${account}:${resource}`;

/** What AWS adds to the inputs of a type; the rest have nothing that this project's programs read. */
const computed: Readonly<Record<string, (id: string, inputs: Properties) => Properties>> = {
  "aws:iam/role:Role": (id) => ({ name: id, arn: arn("iam", `role/${id}`) }),
  "aws:iam/policy:Policy": (id) => ({ arn: arn("iam", `policy/${id}`) }),
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": (_, { url }) => {
    const host = String(url).replace(/^https:\/\//, "");
    return { url: host, arn: arn("iam", `oidc-provider/${host}`) };
  },
  "aws:ecr/repository:Repository": (id) => ({
    name: id,
    registryId: account,
    repositoryUrl: `${registry}/${id}`,
  }),
  "aws:ec2/launchTemplate:LaunchTemplate": () => ({ latestVersion: 1 }),
  "aws:eks/cluster:Cluster": (id, { vpcConfig }) => ({
    name: id,
    version: "1.34",
    arn: arn("eks", `cluster/${id}`),
    endpoint: "https://example.eks.amazonaws.com",
    certificateAuthority: { data: "Q0E=" },
    identities: [{ oidcs: [{ issuer }] }],
    vpcConfig: { ...(vpcConfig as object), clusterSecurityGroupId: "sg-0123456789abcdef0" },
  }),
  "docker:index/image:Image": (_, { imageName }) => ({
    repoDigest: `${String(imageName).replace(/:[^:/]*$/, "")}@sha256:${"ab".repeat(32)}`,
  }),
};

const functions: Provider<object>["functions"] = {
  "aws:index/getPartition:getPartition": async () => ({ id: "aws", partition: "aws" }),
  "aws:index/getRegion:getRegion": async () => ({ id: region, name: region, region }),
  "aws:eks/getAddon:getAddon": async ({ clusterName, addonName }) => ({ clusterName, addonName }),
  "aws:eks/getAddonVersion:getAddonVersion": async () => ({ version: "v1.0.0-eksbuild.1" }),
  "aws:ec2/getVpc:getVpc": async () => ({ id: "vpc-0123456789abcdef0" }),
  "aws:ec2/getSubnets:getSubnets": async () => ({ ids: ["subnet-0a", "subnet-0b"] }),
  "aws:ecr/getAuthorizationToken:getAuthorizationToken": async () => ({ userName: "AWS", password: "none" }),
  "aws:eks/getCluster:getCluster": async ({ name }) => ({
    name,
    endpoint: "https://example.eks.amazonaws.com",
    certificateAuthorities: [{ data: "Q0E=" }],
    computeConfigs: [],
    identities: [{ oidcs: [{ issuer }] }],
    vpcConfig: { endpointPublicAccess: true },
  }),
  "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": async ({ url }) => ({
    arn: arn("iam", `oidc-provider/${String(url).replace(/^https:\/\//, "")}`),
  }),
};

/** How long something takes, and what it waits for beyond the inputs that it was given. */
export interface Latency {
  /** Milliseconds that a creation takes. */
  readonly create: number;
  /** Milliseconds that a deletion takes. */
  readonly delete: number;
  /** A type of which a resource must be there before the creation's own time begins: pods wait for nodes. */
  readonly waitsFor?: string;
}

/** An operation as the provider saw it; times in milliseconds of `performance.now()`. */
export interface Operation {
  readonly kind: "create" | "delete";
  readonly type: string;
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface EchoOptions {
  /** By type token; a type that is not here takes no time. */
  readonly latencies?: Readonly<Record<string, Latency>>;
}

export interface EchoProviders {
  /** Value of PULUMI_DEBUG_PROVIDERS. */
  readonly attached: string;
  /** What was created and deleted, in the order in which it ended. */
  readonly operations: Operation[];
  close(): Promise<void>;
}

export async function startEchoProviders({ latencies = {} }: EchoOptions = {}): Promise<EchoProviders> {
  const operations: Operation[] = [];
  const there = new Map<string, number>();
  const log = (line: string): void => console.error(line);
  const release = catchStrayErrors(log);

  async function perform(
    kind: Operation["kind"],
    { type, logicalName, signal }: Context<object>,
  ): Promise<void> {
    const start = performance.now();
    const latency = latencies[type];
    const awaited = kind === "create" ? latency?.waitsFor : undefined;
    while (awaited !== undefined && !there.get(awaited)) await sleep(5, undefined, { signal });
    if (latency?.[kind]) await sleep(latency[kind], undefined, { signal });
    there.set(type, (there.get(type) ?? 0) + (kind === "create" ? 1 : -1));
    operations.push({ kind, type, name: logicalName, start, end: performance.now() });
  }

  const echo: ResourceType<object> = {
    check: async (_, news) => news,
    diff: (olds, news) =>
      Object.keys({ ...olds, ...news })
        .filter((key) => !deepEqual(olds[key], news[key]))
        .map((key): Difference => ({ path: [key], kind: "update", replace: false })),
    preview: (news, oldState) => ({ ...oldState, ...news }),
    create: async (inputs, context) => {
      await perform("create", context);
      const { name, metadata } = inputs as { name?: string; metadata?: { name?: string } };
      return name ?? metadata?.name ?? context.logicalName;
    },
    read: async (id, { type }, { inputs, state }) => ({
      ...state,
      ...inputs,
      ...computed[type]?.(id, inputs),
    }),
    update: async () => {},
    delete: async (_id, _state, context) => perform("delete", context),
  };
  // What only the service knows is unknown while a creation is previewed, as with the real providers.
  const typed = new Map<string, ResourceType<object>>();
  const typeOf = (type: string): ResourceType<object> => {
    const keys = Object.keys(computed[type]?.("", {}) ?? {});
    const made = typed.get(type) ?? {
      ...echo,
      preview: (news: Properties, oldState?: Properties) => ({
        ...Object.fromEntries(keys.map((key) => [key, unknown])),
        ...oldState,
        ...news,
      }),
    };
    typed.set(type, made);
    return made;
  };
  const provider = (name: string, version: string): Provider<object> => ({
    name,
    version,
    configure: () => ({}),
    resourceType: typeOf,
    functions,
  });

  const hosting = { host: "127.0.0.1", log: () => {} };
  const hosted: Record<string, HostedProvider> = {
    aws: await serve(provider("aws", "7.48.0"), hosting),
    kubernetes: await serve(provider("kubernetes", "4.34.2"), hosting),
    docker: await serve(provider("docker", "5.2.0"), hosting),
    eks: await serve(
      eksProvider,
      hosting,
      componentService({ components, methods }, () => {}),
    ),
  };
  return {
    attached: Object.entries(hosted)
      .map(([name, { port }]) => `${name}:${port}`)
      .join(","),
    operations,
    async close() {
      await Promise.all(Object.values(hosted).map((one) => one.close()));
      release();
    },
  };
}
