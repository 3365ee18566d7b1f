import "@pulumi/aws/eks/index.js"; // registers its classes: without it the reference `eksCluster` stays a bare id
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { LaunchTemplate } from "@pulumi/aws/ec2/launchTemplate.js";
import { Addon } from "@pulumi/aws/eks/addon.js";
import { getClusterOutput } from "@pulumi/aws/eks/getCluster.js";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import { getOpenIdConnectProvider } from "@pulumi/aws/iam/getOpenIdConnectProvider.js";
import { OpenIdConnectProvider } from "@pulumi/aws/iam/openIdConnectProvider.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { Cluster as EksCluster } from "@pulumi/eks/cluster.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { partitionOfRegion } from "../iam/partition.ts";
import { awsManagedPolicyArn } from "../iam/policies.ts";
import { stsAudience } from "../iam/trust-policy.ts";
import { kubeconfig } from "./kubeconfig.ts";

/** The machines that run the cluster's pods. */
export interface NodeArgs {
  /** EC2 instance types, the first that EC2 has is taken. Default `["t3.medium"]`. */
  readonly instanceTypes?: readonly string[];
  /** Fewest nodes. Default 1. */
  readonly min?: number;
  /** Most nodes. Default 3. */
  readonly max?: number;
  /** Nodes to start with. Default `min`. */
  readonly desired?: number;
}

/** From where the API server can be reached. */
export interface EndpointArgs {
  /** From the internet. Default true. */
  readonly public?: boolean;
  /** From inside the VPC. Default true. */
  readonly private?: boolean;
  /** Blocks that may reach the public endpoint. Default everywhere, `["0.0.0.0/0"]`. */
  readonly allowedCidrs?: readonly string[];
}

/** The network to use. */
export interface NetworkArgs {
  readonly vpcId: string;
  /** Subnets for load balancers that face the internet. */
  readonly publicSubnetIds?: readonly string[];
  /** Subnets for the nodes; where there are none, they go into the public ones. */
  readonly privateSubnetIds?: readonly string[];
}

export interface ClusterArgs {
  /** Name of the EKS cluster. */
  readonly clusterName: string;

  /** Region of the cluster. */
  readonly region: string;

  /** Kubernetes version, such as `"1.34"`. Default: the one that EKS takes for new clusters. */
  readonly version?: string;

  readonly nodes?: NodeArgs;
  readonly endpoint?: EndpointArgs;

  /** Default: the region's default VPC. */
  readonly network?: NetworkArgs;

  /** Control plane logs to keep: any of `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`. Default none. */
  readonly logTypes?: readonly string[];

  /** Days that CloudWatch keeps them. Default 30. */
  readonly logRetentionDays?: number;

  /**
   * Whether EKS and Pulumi both refuse to delete the cluster. Default false. To delete a protected one, run `up` with
   * false first.
   */
  readonly deletionProtection?: boolean;

  /** Whether to install the add-on that EKS Pod Identity needs. Default false. */
  readonly podIdentityAgent?: boolean;

  /** Tags of everything that can be tagged. Default none. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** What the rest of a program needs to know of a cluster, whether it made it or found it. */
export interface ClusterAccess {
  readonly clusterName: pulumi.Output<string>;
  /** Kubeconfig as JSON; a secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** ARN of the IAM OIDC provider of the cluster's issuer. */
  readonly oidcProviderArn: pulumi.Output<string>;
  /** Kubernetes provider for resources in the cluster. */
  readonly provider: Provider;
}

/**
 * An EKS cluster with its IAM OIDC provider, one managed node group, and its control plane's logs.
 *
 * Nodes answer requests for their own credentials over IMDSv2 and one network hop only, so no pod gets the node's role.
 */
export class Cluster extends pulumi.ComponentResource implements ClusterAccess {
  readonly cluster: EksCluster;
  readonly nodeGroup: NodeGroup;

  readonly clusterName: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly oidcProviderArn: pulumi.Output<string>;
  readonly provider: Provider;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const protect = args.deletionProtection ?? false;
    super("eks-irsa:index:Cluster", name, {}, { protect, ...opts });
    const parent = { parent: this };
    const { tags, network } = args;
    const logTypes = args.logTypes ?? [];

    const logGroup = new LogGroup(
      `${name}-logs`,
      { name: `/aws/eks/${args.clusterName}/cluster`, retentionInDays: args.logRetentionDays ?? 30, tags },
      parent,
    );

    this.cluster = new EksCluster(
      `${name}-cluster`,
      {
        name: args.clusterName,
        version: args.version,
        authenticationMode: "API",
        createOidcProvider: true,
        skipDefaultNodeGroup: true,
        vpcId: network?.vpcId,
        publicSubnetIds: mutable(network?.publicSubnetIds),
        privateSubnetIds: mutable(network?.privateSubnetIds),
        endpointPublicAccess: args.endpoint?.public ?? true,
        endpointPrivateAccess: args.endpoint?.private ?? true,
        publicAccessCidrs: mutable(args.endpoint?.allowedCidrs),
        enabledClusterLogTypes: [...logTypes],
        deletionProtection: protect,
        tags,
      },
      // Were EKS first to write a log, it would make the log group itself, one that keeps everything for ever.
      { ...parent, dependsOn: logGroup },
    );

    const nodeRole = new Role(
      `${name}-node-role`,
      {
        description: `Nodes of the EKS cluster ${args.clusterName}`,
        assumeRolePolicy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
          ],
        }),
        tags,
      },
      parent,
    );
    const partition = partitionOfRegion(args.region);
    const nodePolicies = [
      "AmazonEKSWorkerNodePolicy",
      "AmazonEKS_CNI_Policy",
      "AmazonEC2ContainerRegistryPullOnly",
    ].map(
      (policy) =>
        new RolePolicyAttachment(
          `${name}-node-${policy}`,
          { role: nodeRole.name, policyArn: awsManagedPolicyArn(partition, policy) },
          parent,
        ),
    );

    const launchTemplate = new LaunchTemplate(
      `${name}-nodes`,
      {
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        updateDefaultVersion: true,
        tags,
      },
      parent,
    );

    const { min = 1, max = Math.max(3, min), desired = min } = args.nodes ?? {};
    this.nodeGroup = new NodeGroup(
      `${name}-node-group`,
      {
        clusterName: this.cluster.eksCluster.name,
        nodeRoleArn: nodeRole.arn,
        subnetIds: mutable(network?.privateSubnetIds) ?? this.cluster.core.subnetIds,
        instanceTypes: [...(args.nodes?.instanceTypes ?? ["t3.medium"])],
        scalingConfig: { minSize: min, maxSize: max, desiredSize: desired },
        launchTemplate: { id: launchTemplate.id, version: launchTemplate.latestVersion.apply(String) },
        tags,
      },
      // Nodes without these policies cannot join, and on destroy cannot leave. The role's ARN does not wait for them.
      { ...parent, dependsOn: nodePolicies },
    );

    if (args.podIdentityAgent) {
      new Addon(
        `${name}-pod-identity-agent`,
        { clusterName: this.cluster.eksCluster.name, addonName: "eks-pod-identity-agent", tags },
        parent,
      );
    }

    this.clusterName = this.cluster.eksCluster.name;
    this.kubeconfig = pulumi.secret(this.cluster.kubeconfigJson);
    this.oidcProviderArn = this.cluster.oidcProviderArn;
    this.provider = new Provider(`${name}-kubernetes`, { kubeconfig: this.kubeconfig }, parent);
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      oidcProviderArn: this.oidcProviderArn,
    });
  }
}

export interface ExistingClusterArgs {
  /** Name of the EKS cluster. */
  readonly clusterName: string;
  /** Region of the cluster. */
  readonly region: string;

  /**
   * Whether to make the IAM OIDC provider of the cluster's issuer, since nobody has. Default false: it is looked up. AWS
   * takes one for an issuer, so a second can never come to be. Said and not found out: a program that looked first
   * would find its own provider the second time, and delete it.
   */
  readonly createOidcProvider?: boolean;

  /** Tags of the OIDC provider. Default none. */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * An EKS cluster that is there already, made by whatever tool. It is only read. Its IAM OIDC provider is looked up, or
 * made where none is.
 */
export class ExistingCluster extends pulumi.ComponentResource implements ClusterAccess {
  readonly clusterName: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly oidcProviderArn: pulumi.Output<string>;
  readonly provider: Provider;

  constructor(name: string, args: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("eks-irsa:index:ExistingCluster", name, {}, opts);
    const parent = { parent: this };

    const cluster = getClusterOutput({ name: args.clusterName }, parent);
    const url = cluster.identities.apply((identities) => {
      const issuer = identities[0]?.oidcs[0]?.issuer;
      if (issuer === undefined) throw new Error(`The EKS cluster ${args.clusterName} has no OIDC issuer.`);
      return issuer;
    });

    this.clusterName = cluster.name;
    this.kubeconfig = pulumi.secret(
      pulumi.all([cluster.endpoint, cluster.certificateAuthorities]).apply(([endpoint, authorities]) =>
        kubeconfig({
          cluster: args.clusterName,
          endpoint,
          certificateAuthority: authorities[0]?.data ?? "",
          region: args.region,
        }),
      ),
    );
    this.oidcProviderArn = args.createOidcProvider
      ? new OpenIdConnectProvider(
          `${name}-oidc-provider`,
          // No thumbprint: AWS checks EKS's issuers by the certificate authorities that it trusts itself.
          { url, clientIdLists: [stsAudience], tags: args.tags },
          parent,
        ).arn
      : url.apply((issuer) => registeredProvider(issuer, parent));
    this.provider = new Provider(`${name}-kubernetes`, { kubeconfig: this.kubeconfig }, parent);
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      oidcProviderArn: this.oidcProviderArn,
    });
  }
}

/** @throws Error that says what to do when the issuer has no provider. */
async function registeredProvider(url: string, opts: pulumi.InvokeOptions): Promise<string> {
  try {
    return (await getOpenIdConnectProvider({ url }, opts)).arn;
  } catch (error) {
    throw new pulumi.RunError(
      `The issuer ${url} has no IAM OIDC provider in this account that can be read: ${(error as Error).message}\n` +
        "If nobody has made one, set eks-irsa:cluster.createOidcProvider to true.",
    );
  }
}

export interface ReferencedClusterArgs {
  /** Full name of a stack with the outputs `clusterName`, `kubeconfig` and `oidcProviderArn`, such as one of this program. */
  readonly stack: string;
}

/** An EKS cluster that another stack made. */
export class ReferencedCluster extends pulumi.ComponentResource implements ClusterAccess {
  readonly clusterName: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly oidcProviderArn: pulumi.Output<string>;
  readonly provider: Provider;

  constructor(name: string, args: ReferencedClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("eks-irsa:index:ReferencedCluster", name, {}, opts);
    const parent = { parent: this };

    const stack = new pulumi.StackReference(`${name}-stack`, { name: args.stack }, parent);
    const output = (key: string): pulumi.Output<string> => stack.requireOutput(key).apply(String);
    this.clusterName = output("clusterName");
    this.kubeconfig = pulumi.secret(output("kubeconfig"));
    this.oidcProviderArn = output("oidcProviderArn");
    this.provider = new Provider(`${name}-kubernetes`, { kubeconfig: this.kubeconfig }, parent);
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      oidcProviderArn: this.oidcProviderArn,
    });
  }
}

/** The SDK's inputs want mutable lists. */
const mutable = <T>(list: readonly T[] | undefined): T[] | undefined => list && [...list];
