import { join, relative } from "node:path";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import type * as pulumi from "@pulumi/pulumi";
import { Cluster, type ClusterAccess, ExistingCluster } from "./components/cluster";
import { Image } from "./components/image";
import { IrsaServiceAccount } from "./components/irsa";
import { S3Lister } from "./components/lister";
import { readConfig, type StackConfig } from "./config";

/** What the stack gives to people and to other tools. */
export interface Outputs {
  /** Region of everything. */
  region: string;
  clusterName: pulumi.Output<string>;
  /** Kubeconfig as JSON, for the caller's own AWS credentials; a secret. */
  kubeconfig: pulumi.Output<string>;
  oidcProviderArn: pulumi.Output<string>;
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
}

/**
 * The program: a cluster, an image, a role with its ServiceAccount, and the Deployment that proves them.
 *
 * Importing this module does nothing. `pulumi up` calls this function (see `program.js`), and so do the Automation API,
 * as an inline program, and the tests, under mocks.
 *
 * @throws ConfigError before anything is registered when the stack configuration is bad.
 */
export async function program(): Promise<Outputs> {
  const config = readConfig();
  const { region, tags } = config;

  const cluster = clusterOf(config);

  const image = new Image("s3-lister", {
    context: contextOf(config.app),
    build: config.build,
    forceDelete: config.cluster.existing || !config.cluster.deletionProtection,
    tags,
  });

  const inCluster = { provider: cluster.provider };
  const namespace = config.createNamespace
    ? new Namespace("namespace", { metadata: { name: config.namespace } }, inCluster).metadata.name
    : config.namespace;

  const irsa = new IrsaServiceAccount(
    "s3-irsa",
    {
      oidcProviderArn: cluster.oidcProviderArn,
      namespace,
      serviceAccountName: config.serviceAccount,
      policies: config.policies,
      tags,
    },
    { providers: [cluster.provider] },
  );

  const lister = new S3Lister(
    "s3-lister",
    {
      image: image.reference,
      namespace: irsa.namespace,
      serviceAccountName: irsa.serviceAccountName,
      region,
      replicas: config.replicas,
      intervalSeconds: config.intervalSeconds,
    },
    // Without it a pod could start before the policies are attached, and on destroy outlive them.
    { providers: [cluster.provider], dependsOn: irsa },
  );

  return {
    region,
    clusterName: cluster.clusterName,
    kubeconfig: cluster.kubeconfig,
    oidcProviderArn: cluster.oidcProviderArn,
    roleArn: irsa.roleArn,
    image: image.reference,
    repositoryUrl: image.repositoryUrl,
    namespace: irsa.namespace,
    serviceAccount: irsa.serviceAccountName,
    deployment: lister.name,
    logCommand: irsa.namespace.apply((name) => `kubectl logs --namespace ${name} deployment/s3-lister`),
  };
}

function clusterOf({ cluster, region, tags }: StackConfig): ClusterAccess {
  if (cluster.existing) return new ExistingCluster("cluster", { clusterName: cluster.name, region });
  const { name, version, nodes, endpoint, network, logs, deletionProtection } = cluster;
  return new Cluster("cluster", {
    clusterName: name,
    region,
    version,
    nodes,
    endpoint,
    network,
    logTypes: logs.types,
    logRetentionDays: logs.retentionDays,
    deletionProtection,
    tags,
  });
}

/**
 * The lister's build context. Relative where `pulumi up` runs it, in the project's folder, so that the state is the same
 * whoever's machine it came from.
 */
function contextOf(app: string): string {
  const context = join(__dirname, "app", app);
  const fromHere = relative(process.cwd(), context);
  return fromHere.startsWith("..") ? context : fromHere;
}
