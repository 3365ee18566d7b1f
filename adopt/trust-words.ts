import { type IdentityArgs, phaseOf } from "../components/irsa-identity.ts";
import { trustPolicyFor } from "../components/irsa-rules.ts";
import { isNamePattern, isNamespaceName, isServiceAccountName } from "../iam/names.ts";
import { characters } from "../iam/policy-document.ts";
import { statementsOf, texts } from "../iam/policy-reader.ts";
import { trustPolicyCharacters } from "../iam/quotas.ts";
import { issuerHost, type Matching, type Subject, stsAudience } from "../iam/trust-policy.ts";
import { sameDocument } from "./same-document.ts";

/** A role's trust policy in the words of a binding. */
export interface TrustWords {
  readonly audience: string;
  /** Whom the role admits beside the binding's own ServiceAccount. */
  readonly otherSubjects: readonly Subject[];
  /** Whether it is longer than IAM takes by default. */
  readonly long: boolean;
}

/** Whom the trust policy is to admit, and how. */
export interface Admission {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly identity: IdentityArgs;
  /** Whether EKS Pod Identity tags its sessions. */
  readonly sessionTags: boolean;
  readonly oidcProviderArn: string | undefined;
  readonly clusterName: string;
}

/** What is said, or why it cannot be. */
export type Said<T> = { readonly said: T } | { readonly why: string };

/** A statement of a trust policy that a binding cannot say. */
class Unsaid extends Error {}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a trust policy back into what would write it. Whatever is read is written again and compared, so that nothing is
 * said which comes out as another policy.
 */
export function trustWords(document: string, wanted: Admission): Said<TrustWords> {
  try {
    return { said: read(document, wanted) };
  } catch (error) {
    if (!(error instanceof Unsaid)) throw error;
    return { why: error.message };
  }
}

function read(document: string, wanted: Admission): TrustWords {
  const { namespace, serviceAccount, identity, sessionTags, oidcProviderArn, clusterName } = wanted;
  const statements = statementsOf(document) as readonly object[] as readonly Json[];
  if (statements.length === 0) throw new Unsaid("its trust policy has no statement");
  const { webIdentity, podIdentity } = phaseOf(identity);
  const ofPods = statements.filter(({ Principal }) => isPodIdentity(Principal));
  const ofTokens = statements.filter(({ Principal }) => !isPodIdentity(Principal));
  for (const [name, asked, found] of [
    ["IRSA", webIdentity, ofTokens],
    ["EKS Pod Identity", podIdentity, ofPods],
  ] as const) {
    if (asked && found.length === 0) {
      throw new Unsaid(`its trust policy does not admit ${name}, by which the ServiceAccount comes to it`);
    }
    if (!asked && found.length > 0 && found === ofPods) {
      throw new Unsaid(`its trust policy admits ${name}, by which the ServiceAccount does not come to it`);
    }
  }
  const tokens = ofTokens.map((statement) => tokenStatement(statement, oidcProviderArn));
  const [audience = stsAudience, ...others] = new Set(tokens.flatMap((one) => one.audience));
  if (others.length > 0) {
    throw new Unsaid(`its trust policy takes several audiences (${[audience, ...others].join(", ")})`);
  }
  const named = sessionTags ? ofPods.map((statement) => podIdentityStatement(statement, clusterName)) : [];
  const isOwn = (one: Subject): boolean =>
    one.namespace === namespace && one.serviceAccount === serviceAccount;
  const admitted = [tokens.flatMap(({ subjects }) => subjects), named];
  for (const subjects of admitted) {
    if (subjects.length > 0 && !subjects.some(isOwn)) {
      throw new Unsaid(
        `its trust policy does not name the ServiceAccount ${namespace}/${serviceAccount}, which a binding's always does; it admits ${subjects.map(subjectText).join(", ")}`,
      );
    }
  }
  const otherSubjects = (webIdentity ? admitted[0] : named)?.filter((one) => !isOwn(one)) ?? [];
  if (podIdentity && otherSubjects.length > 0) {
    throw new Unsaid("its trust policy names several ServiceAccounts, each with an association of its own");
  }
  const ours = trustPolicyFor(
    {
      identity,
      audience,
      session: sessionTags ? undefined : { disableTags: true },
      quotas: { trustPolicyCharacters: trustPolicyCharacters.max },
    },
    {
      oidcProviderArns: oidcProviderArn === undefined ? [] : [oidcProviderArn],
      clusterNames: [clusterName],
      subjects: [{ namespace, serviceAccount }, ...otherSubjects],
    },
  );
  if (!sameDocument(JSON.parse(document), ours)) {
    throw new Unsaid(
      statements.length === ours.Statement.length
        ? "its trust policy is laid out differently from a binding's, which is of Version 2012-10-17 and has no Id"
        : `its trust policy spreads over ${statements.length} statements what a binding's says in ${ours.Statement.length}`,
    );
  }
  const long = characters(ours) > trustPolicyCharacters.default;
  return { audience, otherSubjects, long };
}

interface Tokens {
  readonly subjects: readonly Subject[];
  readonly audience: readonly string[];
}

const isPodIdentity = (principal: unknown): boolean =>
  isMap(principal) && texts(principal.Service).includes("pods.eks.amazonaws.com");

const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A statement that admits tokens of the cluster: by `sub` and `aud`, and nothing else. */
function tokenStatement(statement: Json, oidcProviderArn: string | undefined): Tokens {
  if (oidcProviderArn === undefined)
    throw new Unsaid("the cluster's issuer has no OIDC provider in this account");
  checkFrame(statement, { Federated: oidcProviderArn }, ["sts:AssumeRoleWithWebIdentity"]);
  const issuer = issuerHost(oidcProviderArn);
  const keys = { sub: `${issuer}:sub`, aud: `${issuer}:aud` };
  const claims = conditionsOf(statement, [keys.sub, keys.aud]);
  const { sub, aud } = { sub: claims.get(keys.sub), aud: claims.get(keys.aud) };
  if (sub === undefined)
    throw new Unsaid("its trust policy does not check sub: every pod of the cluster may assume it");
  if (aud === undefined)
    throw new Unsaid("its trust policy does not check aud, which a binding's always does");
  if (aud.operator !== "StringEquals") {
    throw new Unsaid(
      `its trust policy compares aud by ${aud.operator}, as the Terraform module does, where a binding's has StringEquals`,
    );
  }
  return { subjects: sub.values.map((one) => subjectOf(one, sub.operator)), audience: aud.values };
}

/** A statement that admits EKS Pod Identity for one ServiceAccount of the cluster. */
function podIdentityStatement(statement: Json, clusterName: string): Subject {
  checkFrame(statement, { Service: "pods.eks.amazonaws.com" }, ["sts:AssumeRole", "sts:TagSession"]);
  if (!isMap(statement.Condition)) {
    throw new Unsaid(
      "its trust policy admits every Pod Identity association of the account, where a binding's names the ServiceAccount",
    );
  }
  const keys = {
    cluster: "aws:RequestTag/eks-cluster-name",
    namespace: "aws:RequestTag/kubernetes-namespace",
    serviceAccount: "aws:RequestTag/kubernetes-service-account",
  };
  const tags = conditionsOf(statement, Object.values(keys));
  const onlyValue = (key: string): string => {
    const [value, ...others] = tags.get(key)?.values ?? [];
    if (value === undefined || others.length > 0) {
      throw new Unsaid(`its trust policy does not check ${key} for one value, as a binding's does`);
    }
    return value;
  };
  if (onlyValue(keys.cluster) !== clusterName) {
    throw new Unsaid(`its trust policy is for the cluster ${onlyValue(keys.cluster)}`);
  }
  const part = (key: string): string | Matching =>
    tags.get(key)?.operator === "StringLike" && /[*?]/.test(onlyValue(key))
      ? { matching: onlyValue(key) }
      : onlyValue(key);
  const subject = { namespace: part(keys.namespace), serviceAccount: part(keys.serviceAccount) };
  checkSubject(subject, subjectText(subject));
  return subject;
}

/** All of a statement but its conditions. */
function checkFrame(statement: Json, principal: Json, actions: readonly string[]): void {
  const known = ["Effect", "Principal", "Action", "Condition"];
  const more = Object.entries(statement).find(([key, value]) => !known.includes(key) && value !== "");
  if (more) {
    throw new Unsaid(
      `its trust policy has a statement with ${more[0]} ${JSON.stringify(more[1])}, which a binding has no word for`,
    );
  }
  if (statement.Effect !== "Allow") throw new Unsaid(`its trust policy has a ${String(statement.Effect)}`);
  if (!sameDocument(statement.Principal, principal)) {
    throw new Unsaid(
      `its trust policy admits ${JSON.stringify(statement.Principal)}, which is not this cluster's alone`,
    );
  }
  if (!sameDocument(statement.Action, actions)) {
    throw new Unsaid(
      `its trust policy allows ${texts(statement.Action).join(", ")} (not ${actions.join(", ")})`,
    );
  }
}

interface Compared {
  readonly operator: "StringEquals" | "StringLike";
  readonly values: readonly string[];
}

/** The conditions of a statement, of which there may be these only. */
function conditionsOf({ Condition }: Json, keys: readonly string[]): Map<string, Compared> {
  const found = new Map<string, Compared>();
  for (const [operator, tests] of Object.entries(isMap(Condition) ? Condition : {})) {
    if (operator !== "StringEquals" && operator !== "StringLike") {
      throw new Unsaid(`its trust policy has a condition ${operator}, which a binding has no word for`);
    }
    for (const [key, values] of Object.entries(isMap(tests) ? tests : {})) {
      if (!keys.includes(key)) {
        throw new Unsaid(
          /^arn:[^:]*:iam::\d*:oidc-provider\//.test(key)
            ? `its trust policy has the provider's ARN in the condition key ${key}, so that nobody can assume it`
            : `its trust policy has a condition on ${key}, which a binding has no word for`,
        );
      }
      if (found.has(key)) throw new Unsaid(`its trust policy compares ${key} twice in one statement`);
      found.set(key, { operator, values: texts(values) });
    }
  }
  return found;
}

function subjectOf(claim: string, operator: Compared["operator"]): Subject {
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(claim) ?? [];
  if (namespace === undefined || serviceAccount === undefined) {
    throw new Unsaid(`its trust policy admits ${claim}, which is no namespace and name of a ServiceAccount`);
  }
  const part = (text: string): string | Matching =>
    operator === "StringLike" && /[*?]/.test(text) ? { matching: text } : text;
  const subject = { namespace: part(namespace), serviceAccount: part(serviceAccount) };
  checkSubject(subject, claim);
  return subject;
}

function checkSubject({ namespace, serviceAccount }: Subject, claim: string): void {
  const fits = (part: string | Matching, isName: (name: string) => boolean): boolean =>
    typeof part === "string" ? isName(part) : isNamePattern(part.matching);
  if (!fits(namespace, isNamespaceName) || !fits(serviceAccount, isServiceAccountName)) {
    throw new Unsaid(`its trust policy admits ${claim}, which Kubernetes has no name for`);
  }
}

const subjectText = ({ namespace, serviceAccount }: Subject): string =>
  [namespace, serviceAccount].map((part) => (typeof part === "string" ? part : part.matching)).join("/");
