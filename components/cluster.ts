import "@pulumi/aws/eks/index.js"; // registers its classes: without it the reference `eksCluster` stays a bare id
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { LaunchTemplate } from "@pulumi/aws/ec2/launchTemplate.js";
import { SecurityGroupRule } from "@pulumi/aws/ec2/securityGroupRule.js";
import { AccessEntry } from "@pulumi/aws/eks/accessEntry.js";
import { AccessPolicyAssociation } from "@pulumi/aws/eks/accessPolicyAssociation.js";
import { Addon, type AddonArgs } from "@pulumi/aws/eks/addon.js";
import { getCluster } from "@pulumi/aws/eks/getCluster.js";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import { getOpenIdConnectProvider } from "@pulumi/aws/iam/getOpenIdConnectProvider.js";
import {
  OpenIdConnectProvider,
  type OpenIdConnectProviderArgs,
} from "@pulumi/aws/iam/openIdConnectProvider.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { Cluster as EksCluster } from "@pulumi/eks/cluster.js";
import type { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { partitionOfRegion } from "../iam/partition.ts";
import { awsManagedPolicyArn } from "../iam/policies.ts";
import { stsAudience } from "../iam/trust-policy.ts";
import { check } from "../iam/validation.ts";
import { agentAddon, lookForAgent } from "./agent-addon.ts";
import {
  type ClusterArgs,
  clusterArguments,
  type ExistingClusterArgs,
  existingClusterArguments,
  type ReferencedClusterArgs,
  referencedClusterArguments,
  systemOf,
} from "./cluster-arguments.ts";
import { defaultNetwork } from "./default-network.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { ownObjectsProvider } from "./kubernetes-provider.ts";
import { LookupError, lookUp } from "./lookup.ts";
import { checkReachable } from "./reachability.ts";

export type {
  ClusterArgs,
  EndpointArgs,
  ExistingClusterArgs,
  LogArgs,
  NetworkArgs,
  NodeArgs,
  ReferencedClusterArgs,
} from "./cluster-arguments.ts";
export type { CredentialsArgs } from "./kubeconfig.ts";

/** What the rest of a program needs to know of a cluster, whether it made it or found it. */
export interface ClusterAccess {
  readonly clusterName: pulumi.Output<string>;
  /** Kubeconfig as JSON; a secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** ARN of the IAM OIDC provider of the cluster's issuer. */
  readonly oidcProviderArn: pulumi.Output<string>;
  /** Kubernetes provider for objects that the stack makes: one that is there already is an error, not taken over. */
  readonly provider: Provider;
  /** The nodes that pods run on, where this stack makes them: what waits for its pods has to wait for these first. */
  readonly nodeGroup?: pulumi.Resource;
}

/**
 * An EKS cluster with its IAM OIDC provider, one managed node group, and its control plane's logs.
 *
 * Nodes answer requests for their own credentials over IMDSv2 and one network hop only, so no pod gets the node's role.
 */
export class Cluster extends pulumi.ComponentResource implements ClusterAccess {
  readonly cluster: EksCluster;
  /** Absent with EKS Auto Mode. */
  readonly nodeGroup?: NodeGroup;

  readonly clusterName: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly oidcProviderArn: pulumi.Output<string>;
  readonly provider: Provider;

  constructor(name: string, given: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = check(clusterArguments, given);
    super("eks-irsa:index:Cluster", name, {}, opts);
    const parent = { parent: this };
    const { tags, nodes, network, endpoint, logs } = args;
    // Children inherit protection, and a protected one cannot be replaced: so it is not the component's.
    const kept = { ...parent, protect: args.deletionProtection || undefined };

    const home = network === undefined ? defaultNetwork(args.region, parent) : undefined;

    const logGroup = new LogGroup(
      // Another name is another resource, not a replacement: where EKS refuses the new cluster, the group of the one that
      // stays is still in the state, and the next `up` need not make it beside itself.
      `${name}-logs-${args.clusterName}`,
      { name: `/aws/eks/${args.clusterName}/cluster`, retentionInDays: logs.retentionDays, tags },
      { ...kept, aliases: [{ name: `${name}-logs` }] },
    );

    this.cluster = new EksCluster(
      `${name}-cluster`,
      {
        name: args.clusterName,
        version: args.version,
        upgradePolicy: { supportType: args.upgradePolicy },
        authenticationMode: "API",
        // The component's own has no tags, and opens a connection to the issuer in every preview.
        createOidcProvider: false,
        // The component's own ask for the newest version in every preview, so that an unchanged program changes them.
        useDefaultVpcCni: true,
        kubeProxyAddonOptions: { enabled: false },
        skipDefaultNodeGroup: true,
        autoMode: nodes === "auto" ? { enabled: true } : undefined,
        ...(network ?? home),
        endpointPublicAccess: endpoint.public,
        endpointPrivateAccess: endpoint.private,
        publicAccessCidrs: endpoint.allowedCidrs,
        enabledClusterLogTypes: logs.types,
        deletionProtection: args.deletionProtection,
        tags,
      },
      // Were EKS first to write a log, it would make the log group itself, one that keeps everything for ever.
      { ...kept, dependsOn: logGroup },
    );

    // EKS lets the nodes alone reach a private endpoint. A rule each, since a rule that changes is replaced, and EC2 takes no
    // two that say the same.
    const https = {
      type: "ingress",
      protocol: "tcp",
      fromPort: 443,
      toPort: 443,
      securityGroupId: this.cluster.clusterSecurityGroupId,
      description: "Who may reach the private endpoint",
    };
    const rules = [
      ...(endpoint.privateCidrs ?? []).map((block) => ({ source: block, cidrBlocks: [block] })),
      ...(endpoint.securityGroupIds ?? []).map((id) => ({ source: id, sourceSecurityGroupId: id })),
    ].map(
      ({ source, ...from }) =>
        new SecurityGroupRule(`${name}-endpoint-${source}`, { ...https, ...from }, parent),
    );

    const partition = partitionOfRegion(args.region);
    // Auto Mode brings nodes, network and Pod Identity's agent by itself.
    if (nodes !== "auto") {
      const subnetIds = network?.privateSubnetIds ?? network?.publicSubnetIds ?? home?.subnetIds ?? [];
      this.nodeGroup = managedNodes(name, { ...args, nodes, partition, subnetIds }, this.cluster, parent);
      addons(name, args, this.cluster, parent);
    }

    for (const principalArn of args.admins ?? []) {
      const admin = `${name}-admin-${principalArn.split(":").slice(4).join(":")}`; // 111122223333:role/ci
      const entry = new AccessEntry(
        admin,
        { clusterName: this.cluster.eksCluster.name, principalArn, tags },
        parent,
      );
      new AccessPolicyAssociation(
        `${admin}-policy`,
        {
          clusterName: entry.clusterName,
          principalArn: entry.principalArn,
          policyArn: `arn:${partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`,
          accessScope: { type: "cluster" },
        },
        parent,
      );
    }

    this.clusterName = this.cluster.eksCluster.name;
    this.kubeconfig = pulumi.secret(
      // The component's own leaves the profile out. Its endpoint is known once it answers.
      args.credentials === undefined
        ? this.cluster.kubeconfigJson
        : pulumi
            .all([this.cluster.core.endpoint, this.cluster.eksCluster.certificateAuthority])
            .apply(([endpoint, authority]) =>
              kubeconfig({
                cluster: args.clusterName,
                endpoint,
                certificateAuthority: authority.data,
                region: args.region,
                credentials: args.credentials,
              }),
            ),
    );
    this.oidcProviderArn = new OpenIdConnectProvider(
      // Name and alias are those of pulumi-eks's own provider, so that a stack which has that keeps it.
      `${name}-cluster-oidcProvider`,
      oidcProvider(this.cluster.oidcProviderUrl, args),
      { ...kept, aliases: [{ parent: this.cluster }] },
    ).arn;
    const admitted = [...(endpoint.privateCidrs ?? []), ...(endpoint.securityGroupIds ?? [])];
    const usable = endpoint.public
      ? this.kubeconfig
      : pulumi
          // Whoever runs the program may be one of those that the rules let in.
          .all([this.kubeconfig, this.cluster.core.endpoint, rules.map(({ id }) => id)])
          .apply(async ([kubeconfig, url]) => {
            await checkReachable({ cluster: args.clusterName, endpoint: url, admitted });
            return kubeconfig;
          });
    this.provider = ownObjectsProvider(`${name}-kubernetes`, usable, { ...parent, dependsOn: rules });
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      oidcProviderArn: this.oidcProviderArn,
    });
  }
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

  constructor(name: string, given: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = check(existingClusterArguments, given);
    super("eks-irsa:index:ExistingCluster", name, {}, opts);
    const parent = { parent: this };

    const cluster = pulumi.output(
      lookUp(() => getCluster({ name: args.clusterName }, parent), {
        what: `the EKS cluster ${args.clusterName} in ${args.region}`,
        needs: "eks:DescribeCluster",
        missing: {
          said: /couldn't find resource|ResourceNotFoundException/,
          instead:
            `\`aws eks list-clusters --region ${args.region}\` lists those that there are, ` +
            "`aws sts get-caller-identity` says in which account.",
        },
      }),
    );
    const url = cluster.identities.apply((identities) => {
      const issuer = identities[0]?.oidcs[0]?.issuer;
      if (issuer === undefined) {
        throw new LookupError(
          `There is no OIDC issuer of the EKS cluster ${args.clusterName}: EKS gives it one.`,
        );
      }
      return issuer;
    });

    this.clusterName = args.podIdentityAgent
      ? pulumi
          .all([cluster.name, cluster.computeConfigs])
          .apply(([name, compute]) =>
            lookForAgent(name, this, parent, { auto: compute.some(({ enabled }) => enabled) }),
          )
      : cluster.name;
    this.kubeconfig = pulumi.secret(
      pulumi.all([cluster.endpoint, cluster.certificateAuthorities]).apply(([endpoint, authorities]) =>
        kubeconfig({
          cluster: args.clusterName,
          endpoint,
          certificateAuthority: authorities[0]?.data ?? "",
          region: args.region,
          credentials: args.credentials,
        }),
      ),
    );
    this.oidcProviderArn = args.createOidcProvider
      ? new OpenIdConnectProvider(`${name}-oidc-provider`, oidcProvider(url, args), parent).arn
      : url.apply((issuer) => registeredProvider(issuer, parent));
    const usable = pulumi
      .all([this.kubeconfig, cluster.endpoint, cluster.vpcConfig])
      .apply(async ([kubeconfig, endpoint, { endpointPublicAccess }]) => {
        if (!endpointPublicAccess) {
          await checkReachable({ cluster: args.clusterName, endpoint, admitted: [] });
        }
        return kubeconfig;
      });
    this.provider = ownObjectsProvider(`${name}-kubernetes`, usable, parent);
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      oidcProviderArn: this.oidcProviderArn,
    });
  }
}

type NewCluster = ReturnType<typeof check<typeof clusterArguments>>;

/** The managed node group, with the role and the launch template of its nodes. */
function managedNodes(
  name: string,
  args: NewCluster & {
    nodes: Exclude<NewCluster["nodes"], "auto">;
    partition: string;
    subnetIds: pulumi.Input<string[]>;
  },
  { eksCluster: cluster }: EksCluster,
  parent: pulumi.CustomResourceOptions,
): NodeGroup {
  const { nodes, partition, subnetIds, tags } = args;
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
      // A node group's own tags do not reach what EC2 makes for it.
      tagSpecifications: tags && taggedOfNodes.map((resourceType) => ({ resourceType, tags })),
      tags,
    },
    parent,
  );

  const nodeGroup = new NodeGroup(
    `${name}-node-group`,
    {
      clusterName: cluster.name,
      // Said always: by itself a node group stays at the version that it was made with.
      version: cluster.version,
      nodeRoleArn: nodeRole.arn,
      subnetIds,
      instanceTypes: nodes.instanceTypes,
      // Said always: EKS's own choice is for x86_64, whatever the types.
      amiType: systemOf(nodes.instanceTypes).amiType,
      scalingConfig: { minSize: nodes.min, maxSize: nodes.max, desiredSize: nodes.desired },
      launchTemplate: { id: launchTemplate.id, version: launchTemplate.latestVersion.apply(String) },
      tags,
    },
    {
      ...parent,
      // Nodes without these policies cannot join, and on destroy cannot leave. The role's ARN does not wait for them.
      dependsOn: nodePolicies,
      // How many nodes there are now is an autoscaler's to say.
      ignoreChanges: ["scalingConfig.desiredSize"],
    },
  );
  return nodeGroup;
}

/** The add-ons that the nodes of a managed group need. */
function addons(
  name: string,
  args: NewCluster,
  cluster: EksCluster,
  parent: pulumi.CustomResourceOptions,
): void {
  const { tags } = args;
  const addon = (resource: string, addonName: keyof typeof args.addons, more: Partial<AddonArgs> = {}) =>
    [
      `${name}-${resource}`,
      {
        clusterName: cluster.eksCluster.name,
        addonName,
        addonVersion: args.addons[addonName],
        ...more,
        tags,
      },
    ] as const;
  // EKS has installed these two already, without managing them: the add-on takes them over, and leaves them behind. Names
  // and aliases are those of pulumi-eks's own, so that a stack which has those keeps them.
  const takenOver = {
    preserve: true,
    resolveConflictsOnCreate: "OVERWRITE",
    resolveConflictsOnUpdate: "OVERWRITE",
  };
  new Addon(...addon("cluster-kube-proxy", "kube-proxy", takenOver), {
    ...parent,
    aliases: [{ parent: cluster }],
  });
  new Addon(...addon("cluster-vpc-cni", "vpc-cni", takenOver), {
    ...parent,
    aliases: [{ parent: pulumi.createUrn(`${name}-cluster-vpc-cni`, "eks:index:VpcCniAddon", cluster) }],
  });
  if (args.podIdentityAgent) {
    new Addon(...addon("pod-identity-agent", agentAddon), parent);
  }
}

/** What EC2 makes for a node, and takes tags. */
const taggedOfNodes = ["instance", "volume", "network-interface"];

/** No thumbprint: AWS checks EKS's issuers by the certificate authorities that it trusts itself. */
const oidcProvider = (
  url: pulumi.Input<string>,
  { audiences, tags }: { audiences: readonly string[]; tags?: Readonly<Record<string, string>> | undefined },
): OpenIdConnectProviderArgs => ({
  url,
  clientIdLists: [...new Set([stsAudience, ...audiences])],
  tags,
});

/** @throws LookupError that says what to do when the issuer has no provider. */
const registeredProvider = async (url: string, opts: pulumi.InvokeOptions): Promise<string> =>
  (
    await lookUp(() => getOpenIdConnectProvider({ url }, opts), {
      what: `the IAM OIDC provider of the issuer ${url} in this account`,
      needs: "iam:ListOpenIDConnectProviders and iam:GetOpenIDConnectProvider",
      missing: {
        said: /not found|couldn't find resource/i,
        instead: "If nobody makes one elsewhere, set the cluster's createOidcProvider to true.",
      },
    })
  ).arn;

/** An EKS cluster that another stack made. */
export class ReferencedCluster extends pulumi.ComponentResource implements ClusterAccess {
  readonly clusterName: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly oidcProviderArn: pulumi.Output<string>;
  readonly provider: Provider;

  constructor(name: string, given: ReferencedClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = check(referencedClusterArguments, given);
    super("eks-irsa:index:ReferencedCluster", name, {}, opts);
    const parent = { parent: this };

    const stack = new pulumi.StackReference(`${name}-stack`, { name: args.stack }, parent);
    const output = (key: string): pulumi.Output<string> =>
      stack.getOutput(key).apply((value) => {
        if (typeof value === "string") return value;
        throw new LookupError(
          `There is no output ${key} of the stack ${args.stack}. It must be a stack of eks-irsa that is up, or one with the ` +
            "outputs clusterName, kubeconfig and oidcProviderArn.",
        );
      });
    this.clusterName = args.podIdentityAgent
      ? output("clusterName").apply((name) => lookForAgent(name, this, parent))
      : output("clusterName");
    this.kubeconfig = pulumi.secret(output("kubeconfig"));
    this.oidcProviderArn = output("oidcProviderArn");
    this.provider = ownObjectsProvider(`${name}-kubernetes`, this.kubeconfig, parent);
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      oidcProviderArn: this.oidcProviderArn,
    });
  }
}
