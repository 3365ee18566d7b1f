import { type Finding, holds, type Link } from "../chain.ts";

/** The cluster is there, works, and is the one that the kubeconfig leads to. */
export const cluster: Link = {
  id: "cluster",
  title: "The cluster can be reached",
  async examine(seen, { eks, kubernetes }, { cluster: name, region }): Promise<Finding> {
    const found = await eks.cluster(name);
    if (found === undefined) {
      const names = await eks.clusterNames().catch(() => []);
      return {
        state: "broken",
        cause: "cluster-missing",
        what: `There is no EKS cluster ${name} in ${region}, in the account of these credentials.`,
        disagreement: {
          wanted: { name: "the cluster", value: name },
          found: { name: `clusters in ${region}`, value: names.join(", ") || "none" },
        },
        mend: [`aws eks list-clusters --region ${region}`, "aws sts get-caller-identity"],
      };
    }
    if (found.status !== "ACTIVE" && found.status !== "UPDATING") {
      return {
        state: "broken",
        cause: "cluster-inactive",
        what: `The cluster is ${found.status}.`,
        mend: [`aws eks describe-cluster --region ${region} --name ${name} --query cluster.health`],
      };
    }
    if (host(found.endpoint) !== host(kubernetes.server)) {
      return {
        state: "broken",
        cause: "kubeconfig-of-another-cluster",
        what: "The kubeconfig leads to another cluster.",
        disagreement: {
          wanted: { name: `API server of ${name}`, value: found.endpoint },
          found: { name: "server of the kubeconfig", value: kubernetes.server },
        },
        mend: [`aws eks update-kubeconfig --region ${region} --name ${name}`],
      };
    }
    seen.issuer = found.issuer;
    return holds(found.arn, `Kubernetes ${await kubernetes.version()} at ${found.endpoint}`);
  },
};

const host = (url: string): string => new URL(url).host.toLowerCase();
