import { awsWorld } from "../doctor/aws.ts";
import { imageWorld } from "../doctor/images.ts";
import { kubernetesWorld } from "../doctor/kubernetes.ts";
import { cluster as clusterLink } from "../doctor/links/kubeconfig-cluster.ts";
import { Gaps, readAccount, readNodeGroups } from "./account-reader.ts";
import { readCluster } from "./cluster-reader.ts";
import type { Part, Snapshot } from "./snapshot.ts";

export interface Target {
  readonly cluster: string;
  readonly region: string;
  /** Default: all. */
  readonly namespaces?: readonly string[];
  /** Text of a kubeconfig. Default: `$KUBECONFIG` or `~/.kube/config`. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly skip: readonly Part[];
}

/**
 * Takes the snapshot of a cluster and its account. Reads only.
 *
 * @throws Error in a sentence where there is no such cluster, the kubeconfig leads to another one, or what every audit
 *   rests on may not be read: the account's roles and OIDC providers, ServiceAccounts, pods.
 */
export async function takeSnapshot({
  cluster,
  region,
  namespaces,
  kubeconfig,
  context,
  skip,
}: Target): Promise<Snapshot> {
  const gaps = new Gaps();
  const kubernetes = kubernetesWorld(kubeconfig, context);
  const found = await clusterLink.examine(
    {},
    { ...awsWorld(region), kubernetes, images: imageWorld() },
    { cluster, region, namespace: "", serviceAccount: "", actions: [] },
  );
  if (found.state !== "holds") {
    throw new Error(
      found.state === "unseen"
        ? `${found.why} It would take: ${found.takes}`
        : [
            found.what,
            ...(found.disagreement
              ? [
                  `${found.disagreement.wanted.name}: ${found.disagreement.wanted.value};`,
                  `${found.disagreement.found.name}: ${found.disagreement.found.value}.`,
                ]
              : []),
            ...(found.mend.length > 0 ? [`To mend it: ${found.mend.join("; ")}`] : []),
          ].join(" "),
    );
  }
  const [account, inside] = await Promise.all([
    readAccount(region, { name: cluster, ...found.proved.cluster }, gaps),
    readCluster(
      { kubernetes: { kubeconfig, context }, namespaces, stored: !skip.includes("stored-keys") },
      gaps,
    ),
  ]);
  const nodeGroups = skip.includes("nodes")
    ? []
    : await gaps.unless(
        "Node groups",
        "Rights for eks:ListNodegroups, eks:DescribeNodegroup, ec2:DescribeLaunchTemplateVersions and ec2:DescribeInstances, or --skip nodes.",
        [],
        () => readNodeGroups(region, cluster, account.roles, inside.unmanagedNodes),
      );
  const { agentAddon, ...ofAccount } = account;
  const { agentRuns, unmanagedNodes: _, ...ofCluster } = inside;
  return {
    taken: new Date(),
    region,
    ...(namespaces && { namespaces }),
    ...ofAccount,
    ...ofCluster,
    // What an association outside of the namespaces is for was not listed.
    associations: ofAccount.associations.filter(({ namespace }) => namespaces?.includes(namespace) ?? true),
    podIdentityAgent: agentAddon || agentRuns,
    nodeGroups,
    unseen: gaps.unseen,
    skipped: skip,
  };
}
