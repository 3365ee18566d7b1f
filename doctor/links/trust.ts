import { statementsOf } from "../../iam/policy-reader.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { type Broken, type Facts, holds, type Link, type Patient, unseen } from "../chain.ts";
import {
  judgePodIdentityTrust,
  judgeTrust,
  type RequestContext,
  type TrustFault,
  type TrustVerdict,
} from "../trust-verdict.ts";
import type { Role } from "../world.ts";
import { quoted } from "./mend.ts";

/** The role's trust policy admits this ServiceAccount of this cluster. */
export const trust: Link<"role" | "issuer" | "provider" | "audience", never> = {
  id: "trust",
  title: "The role trusts the ServiceAccount",
  needs: ["role", "issuer", "provider", "audience"],
  gives: [],
  shownBy: "sts",
  async examine({ role, issuer, provider, audience }, _, { namespace, serviceAccount }) {
    const sub = `system:serviceaccount:${namespace}:${serviceAccount}`;
    const claims = { issuer, providerArn: provider.arn, sub, aud: audience };
    const judge = (document: string): TrustVerdict => judgeTrust(document, claims);
    const { fault, undecided } = judge(role.trustPolicy);
    if (fault) {
      const right = trustPolicy({ oidcProviderArn: provider.arn, namespace, serviceAccount, audience });
      return brokenTrust(role, fault, right.Statement, judge);
    }
    return undecided.length > 0
      ? unseen(onlySts(undecided), "What STS answers to the token.")
      : holds({}, `admits ${sub} for ${audience}`);
  },
};

/** The role's trust policy admits EKS Pod Identity, with the tags that it sets. */
export const podIdentityTrust: Link<"role" | "association" | "cluster", never> = {
  id: "trust",
  title: "The role trusts EKS Pod Identity",
  needs: ["role", "association", "cluster"],
  gives: [],
  async examine({ role, association, cluster }, _, patient) {
    const { sessionTags } = association;
    const context = podIdentityContext(cluster, sessionTags, patient);
    const judge = (document: string): TrustVerdict => judgePodIdentityTrust(document, context, sessionTags);
    const { fault, undecided } = judge(role.trustPolicy);
    if (fault) {
      const right = podIdentityTrustPolicy([patient], { clusterNames: [patient.cluster], sessionTags });
      return brokenTrust(role, fault, right.Statement, judge);
    }
    return undecided.length > 0
      ? unseen(onlySts(undecided), "The pod's own word: what its SDK gets from the agent.")
      : holds({}, `admits ${sessionTags ? "sessions with tags" : "sessions without tags"}`);
  },
};

/** What EKS Pod Identity says of itself when it assumes a role. Source: "Grant Pods access to AWS resources based on tags", EKS User Guide. */
export function podIdentityContext(
  cluster: Pick<Facts["cluster"], "arn">,
  sessionTags: boolean,
  {
    cluster: clusterName,
    namespace,
    serviceAccount,
  }: Pick<Patient, "cluster" | "namespace" | "serviceAccount">,
): RequestContext {
  const tags = {
    "eks-cluster-arn": cluster.arn,
    "eks-cluster-name": clusterName,
    "kubernetes-namespace": namespace,
    "kubernetes-service-account": serviceAccount,
  };
  return new Map(
    Object.entries(tags).map(([tag, value]) => [`aws:requesttag/${tag}`, sessionTags ? value : undefined]),
  );
}

export const onlySts = (undecided: readonly string[]): string =>
  `Only STS can judge: ${undecided.join("; ")}.`;

/** Adds what is lacking, and leaves whom else the role admits; only a Deny that is in the way goes. */
export function brokenTrust(
  role: Pick<Role, "name" | "trustPolicy">,
  { cause, what, wanted, found, denial }: TrustFault,
  right: readonly object[],
  judge: (document: string) => TrustVerdict,
): Broken {
  const kept = statementsOf(role.trustPolicy).filter((_, index) => index !== denial);
  const policy = (Statement: readonly object[]): string =>
    JSON.stringify({ Version: "2012-10-17", Statement });
  const mended = judge(policy(kept)).fault === undefined ? policy(kept) : policy([...kept, ...right]);
  const advice =
    denial !== undefined
      ? ["It takes the Deny out. Somebody put it there: ask why, before."]
      : kept.length > 0
        ? ["Statements that are there stay; take out what was meant to be this one."]
        : [];
  return {
    state: "broken",
    cause,
    what,
    ...(wanted && found && { disagreement: { wanted, found } }),
    mend: [`aws iam update-assume-role-policy --role-name ${role.name} --policy-document ${quoted(mended)}`],
    advice,
  };
}
