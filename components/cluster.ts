import "@pulumi/aws/eks/index.js"; // registers its classes: without it the reference `eksCluster` stays a bare id
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { SecurityGroupRule } from "@pulumi/aws/ec2/securityGroupRule.js";
import { AccessEntry } from "@pulumi/aws/eks/accessEntry.js";
import { AccessPolicyAssociation } from "@pulumi/aws/eks/accessPolicyAssociation.js";
import type { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import { OpenIdConnectProvider } from "@pulumi/aws/iam/openIdConnectProvider.js";
import { Cluster as EksCluster } from "@pulumi/eks/cluster.js";
import type { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { partitionOfRegion } from "../iam/partition.ts";
import { check } from "../iam/validation.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { addons } from "./cluster-addons.ts";
import { type ClusterArgs, clusterArguments } from "./cluster-arguments.ts";
import { defaultNetwork } from "./default-network.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { ownObjectsProvider } from "./kubernetes-provider.ts";
import { managedNodes } from "./managed-nodes.ts";
import { oidcProvider } from "./oidc-provider.ts";
import { checkReachable } from "./reachability.ts";

export type { ClusterArgs, EndpointArgs, LogArgs, NetworkArgs, NodeArgs } from "./cluster-arguments.ts";
export type { CredentialsArgs } from "./kubeconfig.ts";

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
