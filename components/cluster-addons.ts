import { Addon, type AddonArgs } from "@pulumi/aws/eks/addon.js";
import type { Cluster as EksCluster } from "@pulumi/eks/cluster.js";
import * as pulumi from "@pulumi/pulumi";
import { agentAddon } from "./agent-addon.ts";
import type { NewCluster } from "./cluster-arguments.ts";

/** The add-ons that the nodes of a managed group need. */
export function addons(
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
