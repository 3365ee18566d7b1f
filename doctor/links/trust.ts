import { conditions, type Statement, statementsOf, texts } from "../../iam/policy-reader.ts";
import { trustPolicyCharacters } from "../../iam/quotas.ts";
import { issuerHost, podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { type Broken, type Facts, holds, type Link, type Patient, unseen } from "../chain.ts";
import {
  judgePodIdentityTrust,
  judgeTrust,
  type RequestContext,
  type TrustFault,
  type TrustVerdict,
} from "../trust-verdict.ts";
import type { PodIdentityAssociation, Role } from "../world.ts";
import { iamCommand, quoted } from "./mend.ts";

/** The role's trust policy admits this ServiceAccount of this cluster. */
export const trust: Link<"role" | "issuer" | "provider" | "audience", never> = {
  id: "trust",
  title: "The role trusts the ServiceAccount",
  needs: ["role", "issuer", "provider", "audience"],
  gives: [],
  shownBy: "sts",
  async examine({ role, issuer, provider, audience }, _, { namespace, serviceAccount, profiles }) {
    const sub = `system:serviceaccount:${namespace}:${serviceAccount}`;
    const claims = { issuer, providerArn: provider.arn, sub, aud: audience };
    const judge = (document: string): TrustVerdict => judgeTrust(document, claims);
    const { fault, undecided } = judge(role.trustPolicy);
    if (fault) {
      const right = trustPolicy({ oidcProviderArn: provider.arn, namespace, serviceAccount, audience });
      const caller = { [`${issuerHost(provider.arn)}:sub`]: sub };
      return brokenTrust({ role, fault, right: right.Statement, caller, judge, profile: profiles?.role });
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
    const { broken, undecided } = judgeAssociation(role, association, cluster, patient);
    if (broken) return broken;
    return undecided.length > 0
      ? unseen(onlySts(undecided), "The pod's own word: what its SDK gets from the agent.")
      : holds({}, `admits ${association.sessionTags ? "sessions with tags" : "sessions without tags"}`);
  },
};

/**
 * Whether a role's trust policy admits what an association has EKS Pod Identity ask for. A session without tags is not
 * told from any other in the account: rather than open the role to all of them, the mend has the association set its tags.
 */
export function judgeAssociation(
  role: Pick<Role, "name" | "trustPolicy">,
  { id, sessionTags }: Pick<PodIdentityAssociation, "id" | "sessionTags">,
  cluster: Pick<Facts["cluster"], "arn">,
  patient: Omit<Patient, "actions">,
): { broken?: Broken; undecided: readonly string[] } {
  const judged = (tags: boolean) => (document: string) =>
    judgePodIdentityTrust(document, podIdentityContext(cluster, tags, patient), tags);
  const { fault, undecided } = judged(sessionTags)(role.trustPolicy);
  if (fault === undefined) return { undecided };
  const tagged = podIdentityContext(cluster, true, patient);
  const refused = (fault: TrustFault): Broken =>
    brokenTrust({
      role,
      fault,
      right: podIdentityTrustPolicy([patient], { clusterNames: [patient.cluster] }).Statement,
      caller: podIdentityCaller(tagged),
      judge: judged(true),
      profile: patient.profiles?.role,
    });
  if (sessionTags) return { broken: refused(fault), undecided: [] };
  const other = judged(true)(role.trustPolicy).fault;
  const { cause, what, wanted, found } = fault;
  return {
    broken: {
      state: "broken",
      cause,
      what,
      ...(wanted && found && { disagreement: { wanted, found } }),
      mend: [
        `aws eks update-pod-identity-association --region ${patient.region} --cluster-name ${patient.cluster} --association-id ${id} --no-disable-session-tags`,
        ...(other ? refused(other).mend : []),
      ],
      advice: [
        "Without its tags a session is told from no other: where they are to stay off, the role has to admit EKS Pod Identity without conditions, and whoever may make associations decides who gets it.",
      ],
    },
    undecided: [],
  };
}

/** By what a session of EKS Pod Identity is told from others. The cluster's ARN says no more than its name. */
const podIdentityCaller = (context: RequestContext): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...context].flatMap(([key, value]) =>
      value === undefined || key.endsWith("/eks-cluster-arn") ? [] : [[key, value]],
    ),
  );

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

/** A trust policy that refuses, and what it should admit. */
interface Refusal {
  readonly role: Pick<Role, "name" | "trustPolicy">;
  readonly fault: TrustFault;
  /** Statements that admit just the caller. */
  readonly right: readonly object[];
  /** The condition keys, with their values, that single the caller out. */
  readonly caller: Readonly<Record<string, string>>;
  readonly judge: (document: string) => TrustVerdict;
  readonly profile?: string | undefined;
}

/** Adds what is lacking for the caller, and leaves whom else the role admits and denies. */
export function brokenTrust({ role, fault, right, caller, judge, profile }: Refusal): Broken {
  const { cause, what, wanted, found } = fault;
  const there = statementsOf(role.trustPolicy);
  const past = pastDenials(there, judge, caller);
  const disagreement = wanted && found && { wanted, found };
  const admitted = judge(documentOf(past)).fault === undefined;
  const mended = documentOf(admitted ? past : [...past, ...right]);
  const set = iamCommand(
    `update-assume-role-policy --role-name ${role.name} --policy-document ${quoted(mended)}`,
    profile,
  );
  return {
    state: "broken",
    cause,
    what,
    ...(disagreement && { disagreement }),
    mend: [set],
    advice: [
      ...(cause === "trust-deny"
        ? ["It excepts just this caller from the Deny. Somebody put that there: ask why, before."]
        : there.length > 0
          ? ["Statements that are there stay; take out what was meant to be this one."]
          : []),
      ...(mended.length > trustPolicyCharacters.default
        ? [
            `It has ${mended.length} characters, and IAM takes ${trustPolicyCharacters.default} where the account's quota was not raised.`,
          ]
        : []),
    ],
  };
}

const documentOf = (Statement: readonly object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement });

/** Statements in which no Deny stands against the caller any more. */
function pastDenials(
  statements: readonly Statement[],
  judge: Refusal["judge"],
  caller: Refusal["caller"],
): readonly Statement[] {
  const denial = judge(documentOf(statements)).fault?.denial;
  if (denial === undefined) return statements;
  const except = statements.flatMap((one, at) => (at === denial ? excepting(one, caller) : one));
  return pastDenials(except, judge, caller);
}

/**
 * A Deny that lets one caller by and nobody else: one for each key, since the conditions of a statement must all hold for it
 * to deny. None where it denied this caller alone.
 */
function excepting(
  { Sid: _, ...statement }: Statement & { Sid?: string },
  caller: Refusal["caller"],
): Statement[] {
  const { Condition = {} } = statement;
  const keys = Object.entries(caller);
  const alone = keys.every(([key, value]) =>
    conditions(statement).some(
      (one) =>
        one.operator === "stringequals" &&
        one.key === key.toLowerCase() &&
        one.values.length === 1 &&
        one.values[0] === value,
    ),
  );
  if (alone) return [];
  return keys.map(([key, value]) => ({
    ...statement,
    Condition: {
      ...Condition,
      StringNotEquals: {
        ...Condition.StringNotEquals,
        [key]: [...texts(Condition.StringNotEquals?.[key]), value],
      },
    },
  }));
}
