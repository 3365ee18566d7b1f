import { type Broken, type Disagreement, disagreement, holds, type Link, unseen } from "../chain.ts";
import type { World } from "../world.ts";

/** The cluster is there, works, and is the one that the kubeconfig leads to. */
export const cluster: Link<never, "cluster" | "apiIssuer"> = {
  id: "cluster",
  title: "The cluster can be reached",
  needs: [],
  gives: ["cluster", "apiIssuer"],
  async examine(_, { eks, kubernetes }, { cluster: name, region }) {
    const found = await eks.cluster(name);
    if (found === undefined) {
      const names = await eks.clusterNames().catch(() => []);
      return {
        state: "broken",
        cause: "cluster-missing",
        what: `There is no EKS cluster ${name} in ${region}, in the account of these credentials.`,
        disagreement: disagreement("the cluster", name, `clusters in ${region}`, names.join(", ") || "none"),
        mend: [],
        advice: [
          "Name one of these clusters, another region, or use the credentials of the cluster's account.",
        ],
        look: [`aws eks list-clusters --region ${region}`, "aws sts get-caller-identity"],
      };
    }
    const { endpoint, issuer, status } = found;
    if ((status !== "ACTIVE" && status !== "UPDATING") || endpoint === undefined) {
      return {
        state: "broken",
        cause: "cluster-inactive",
        what: `The cluster is ${status}.`,
        mend: [],
        advice: ["Wait until it is ACTIVE, or see what its health says."],
        look: [`aws eks describe-cluster --region ${region} --name ${name} --query cluster.health`],
      };
    }
    const update = `aws eks update-kubeconfig --region ${region} --name ${name}`;
    const broken = (disagreement: Disagreement): Broken => ({
      state: "broken",
      cause: "kubeconfig-of-another-cluster",
      what: "The kubeconfig leads to another cluster.",
      disagreement,
      mend: [update],
    });
    const known = recognise(endpoint, found.certificateAuthority, kubernetes);
    if (typeof known === "object") return broken(known);
    const apiIssuer = await kubernetes.issuer().catch(() => undefined);
    if (known === undefined) {
      if (apiIssuer === undefined || issuer === undefined) {
        return unseen(
          `The kubeconfig leads to ${kubernetes.server}, with another CA than ${name}'s, and what is there does not say which issuer it is.`,
          `Rights to read /.well-known/openid-configuration there, or the cluster's own kubeconfig: ${update}`,
        );
      }
      if (apiIssuer !== issuer) {
        return broken(
          disagreement("issuer of the cluster", issuer, `issuer at ${kubernetes.server}`, apiIssuer),
        );
      }
    }
    return holds(
      { cluster: found, apiIssuer },
      found.arn,
      `Kubernetes ${await kubernetes.version()} at ${kubernetes.server}, known by its ${known ?? "issuer"}`,
    );
  },
};

/**
 * By what the kubeconfig's server is known as the cluster's, or as another's, without asking it: a tunnel has another
 * address and the same CA. Undefined where only its issuer can tell, as behind a proxy with a CA of its own.
 */
export function recognise(
  endpoint: string,
  certificateAuthority: string | undefined,
  { server, certificateAuthority: ownAuthority }: World["kubernetes"],
): "address" | "CA" | Disagreement | undefined {
  if (host(endpoint) === host(server)) return "address";
  if (certificateAuthority !== undefined && sameText(certificateAuthority, ownAuthority)) return "CA";
  // EKS's own address of another cluster needs no one to say so.
  return /\.eks\.amazonaws\.com(\.cn)?$/.test(new URL(server).hostname)
    ? disagreement("API server of the cluster", endpoint, "server of the kubeconfig", server)
    : undefined;
}

const host = (url: string): string => new URL(url).host.toLowerCase();

/** Whether two PEMs in base64 are the same, however their lines end. */
const sameText = (one: string, other: string | undefined): boolean => {
  const bare = (base64: string): string => Buffer.from(base64, "base64").toString().replace(/\s/g, "");
  return other !== undefined && bare(one) === bare(other);
};
