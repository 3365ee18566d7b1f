import { getAddon } from "@pulumi/aws/eks/getAddon.js";
import * as pulumi from "@pulumi/pulumi";

/** The add-on without which no pod gets credentials by EKS Pod Identity. */
export const agentAddon = "eks-pod-identity-agent";

/**
 * Warns, in a preview too, where a cluster that is there has no agent. No more: it may have been installed otherwise.
 *
 * @returns the cluster's name, so that what needs the agent waits for the answer.
 */
export async function lookForAgent(
  clusterName: string,
  resource: pulumi.Resource,
  opts: pulumi.InvokeOptions,
  { auto = false } = {},
): Promise<string> {
  if (auto) return clusterName; // EKS Auto Mode's nodes have it built in
  try {
    await getAddon({ clusterName, addonName: agentAddon }, opts);
  } catch (error) {
    await pulumi.log.warn(
      `EKS Pod Identity needs its agent on each node, and the add-on ${agentAddon} was not found in the cluster ${clusterName}: ${(error as Error).message}\n` +
        "Unless the agent comes otherwise (EKS Auto Mode, a chart), no pod gets credentials. To add it: " +
        `aws eks create-addon --cluster-name ${clusterName} --addon-name ${agentAddon}`,
      resource,
    );
  }
  return clusterName;
}
