import { join } from "node:path";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import type * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster.ts";
import type { ClusterAccess } from "./components/cluster-access.ts";
import { ExistingCluster } from "./components/existing-cluster.ts";
import { Image } from "./components/image.ts";
import { IrsaServiceAccount } from "./components/irsa.ts";
import { phaseOf } from "./components/irsa-identity.ts";
import { S3Lister } from "./components/lister.ts";
import { ReferencedCluster } from "./components/referenced-cluster.ts";
import { Toolbox } from "./components/toolbox.ts";
import {
  audiencesOf,
  type Binding,
  componentOf,
  home,
  listerComponent,
  readConfig,
  type StackConfig,
} from "./config.ts";

/** What the stack gives to people and to other tools. */
export interface Outputs extends Partial<ListerOutputs> {
  /** Region of everything. */
  region: string;
  clusterName: pulumi.Output<string>;
  /** Kubeconfig as JSON, for the caller's own AWS credentials or those of `aws:profile` and `aws:assumeRoles`; a secret. */
  kubeconfig: pulumi.Output<string>;
  oidcProviderArn: pulumi.Output<string>;
  /** Role ARNs of `eks-irsa:bindings`, by `<namespace>/<serviceAccount>`. */
  bindings: Record<string, pulumi.Output<string> | undefined>;
}

/** What the lister adds; absent with `app: none`. */
export interface ListerOutputs {
  roleArn: pulumi.Output<string>;
  /** The image that runs, by digest. */
  image: pulumi.Output<string>;
  repositoryUrl: pulumi.Output<string>;
  namespace: pulumi.Output<string>;
  serviceAccount: pulumi.Output<string>;
  /** Name of the Deployment that lists the buckets. */
  deployment: pulumi.Output<string>;
  /** Shows the buckets that the pod listed. Needs the `kubeconfig` output in `$KUBECONFIG`. */
  logCommand: pulumi.Output<string>;
  /** Name of the Deployment to work in by hand; absent without `eks-irsa:toolbox`. */
  toolbox?: pulumi.Output<string>;
}

/**
 * The program: a cluster; an image, a role with its ServiceAccount, and the Deployment that proves them; and as many
 * more ServiceAccounts with their roles as the configuration binds.
 *
 * Importing this module does nothing. Pulumi's Node.js host calls what it exports by default, and so do the Automation API,
 * as an inline program, and the tests, under mocks.
 *
 * @param folder Where the files of policies are that the configuration names. Default: the project's.
 * @throws ConfigError before anything is registered when the stack configuration is bad.
 */
export default async function program(folder?: string): Promise<Outputs> {
  const config = readConfig(folder);
  const { region, bindings } = config;

  const cluster = clusterOf(config);
  const namespaces = namespacesOf(config, cluster);
  const lister = config.app === "none" ? {} : listerOf(config, cluster, namespaces);

  const clusters = clustersOf(config, cluster);
  // What is adopted is patched, for which the provider wants server-side apply: its default, and not the cluster's.
  const patching = bindings.some(({ adopt }) => adopt)
    ? new Provider("kubernetes-adopted", { kubeconfig: cluster.kubeconfig })
    : cluster.provider;
  const bound = bindings.map((binding) =>
    bind(binding, clusters, namespaces, binding.adopt ? patching : cluster.provider),
  );

  return {
    region,
    clusterName: cluster.clusterName,
    kubeconfig: cluster.kubeconfig,
    oidcProviderArn: cluster.oidcProviderArn,
    ...lister,
    bindings: Object.fromEntries(
      bindings.map((binding, index) => [nameOf(binding), bound[index]?.roleArn] as const),
    ),
  };
}

/** The image, the role with its ServiceAccount, and the Deployment that proves them. */
function listerOf(config: StackConfig, cluster: ClusterAccess, namespaces: Namespaces): ListerOutputs {
  const { region, tags } = config;
  const image = new Image("s3-lister", {
    context: join(home, "app", config.app),
    workDir: home,
    build: config.build,
    forceDelete: config.cluster.existing || !config.cluster.deletionProtection,
    tags,
  });

  const irsa = new IrsaServiceAccount(
    listerComponent,
    {
      ...clustersOf(config, cluster),
      namespace: namespaces(config.namespace),
      serviceAccount: config.serviceAccount,
      policies: config.policies,
      role: config.role,
      identity: config.identity,
      targetRole: config.targetRole,
      session: config.session,
      chain: config.chain,
      admission: config.admission,
      quotas: config.quotas,
      tags,
    },
    { providers: [cluster.provider] },
  );

  // Without the role's policies a pod could start before they are attached, and on destroy outlive them. Without its nodes,
  // the time that it has to get ready would be theirs to come up.
  const first = [irsa, ...(cluster.nodeGroup ? [cluster.nodeGroup] : [])];
  const lister = new S3Lister(
    "s3-lister",
    {
      image: image.reference,
      namespace: irsa.namespace,
      serviceAccountName: irsa.serviceAccountName,
      podAnnotations: irsa.podAnnotations,
      podAdditions: irsa.podAdditions,
      region,
      replicas: config.replicas,
      intervalSeconds: config.intervalSeconds,
      progressDeadlineSeconds: config.progressDeadlineSeconds,
      // The JVM itself takes 60 MB.
      memory: config.app === "java" ? { request: "96Mi", limit: "192Mi" } : undefined,
    },
    { providers: [cluster.provider], dependsOn: first },
  );

  const toolbox =
    config.toolbox === false
      ? undefined
      : new Toolbox(
          "toolbox",
          {
            image: config.toolbox === true ? undefined : config.toolbox,
            namespace: irsa.namespace,
            serviceAccountName: irsa.serviceAccountName,
            podAnnotations: irsa.podAnnotations,
            podAdditions: irsa.podAdditions,
            region,
          },
          { providers: [cluster.provider], dependsOn: first },
        );

  return {
    roleArn: irsa.roleArn,
    image: image.reference,
    repositoryUrl: image.repositoryUrl,
    namespace: irsa.namespace,
    serviceAccount: irsa.serviceAccountName,
    deployment: lister.name,
    logCommand: irsa.namespace.apply((name) => `kubectl logs --namespace ${name} deployment/s3-lister`),
    ...(toolbox && { toolbox: toolbox.name }),
  };
}

/** A name by which a binding is known, in outputs and errors; no two are the same. */
const nameOf = ({ namespace, serviceAccount }: Binding): string => `${namespace}/${serviceAccount}`;

/** The clusters whose ServiceAccounts the roles admit: the stack's own first. */
const clustersOf = ({ otherClusters }: StackConfig, { clusterName, oidcProviderArn }: ClusterAccess) => ({
  clusterName: [clusterName, ...otherClusters.map(({ name }) => name)],
  oidcProviderArn: [
    oidcProviderArn,
    ...otherClusters.flatMap(({ oidcProviderArn }) => oidcProviderArn ?? []),
  ],
});

function bind(
  binding: Binding,
  clusters: ReturnType<typeof clustersOf>,
  namespaces: Namespaces,
  provider: Provider,
): IrsaServiceAccount {
  const { createNamespace: _, ...args } = binding;
  return new IrsaServiceAccount(
    componentOf(binding),
    {
      ...args,
      ...clusters,
      namespace: namespaces(binding.namespace),
    },
    { providers: [provider] },
  );
}

/** A namespace's name, which waits for the namespace where this stack makes it. */
type Namespaces = (name: string) => pulumi.Input<string>;

function namespacesOf(config: StackConfig, { provider }: ClusterAccess): Namespaces {
  const wanted = new Set(config.bindings.filter((one) => one.createNamespace).map((one) => one.namespace));
  if (config.createNamespace && config.app !== "none") wanted.add(config.namespace);
  const made = new Map(
    [...wanted].map((name) => {
      const namespace = new Namespace(`namespace-${name}`, { metadata: { name } }, { provider });
      return [name, namespace.metadata.name] as const;
    }),
  );
  return (name) => made.get(name) ?? name;
}

function clusterOf({
  cluster,
  region,
  credentials,
  tags,
  app,
  identity,
  bindings,
}: StackConfig): ClusterAccess {
  const identities = [...(app === "none" ? [] : [identity]), ...bindings.map((one) => one.identity)];
  const podIdentityAgent = identities.some((one) => phaseOf(one).podIdentity);
  if ("stack" in cluster) {
    return new ReferencedCluster("cluster", { stack: cluster.stack, podIdentityAgent });
  }
  const audiences = audiencesOf(bindings);
  if (cluster.existing) {
    const { name, createOidcProvider } = cluster;
    return new ExistingCluster("cluster", {
      clusterName: name,
      region,
      createOidcProvider,
      // One that is there lists its own.
      audiences: createOidcProvider ? audiences : [],
      podIdentityAgent,
      credentials,
      tags,
    });
  }
  const { name, existing: _, ...args } = cluster;
  return new Cluster("cluster", {
    ...args,
    clusterName: name,
    region,
    audiences,
    credentials,
    podIdentityAgent,
    tags,
  });
}
