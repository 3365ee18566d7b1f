import { type IdentityMechanism, trustPolicyFor } from "../components/irsa-arguments.ts";
import { isNamePattern, isNamespaceName, isServiceAccountName } from "../iam/names.ts";
import { statementsOf, texts } from "../iam/policy-reader.ts";
import { trustPolicyCharacters } from "../iam/quotas.ts";
import { issuerHost, type Matching, type Subject, stsAudience } from "../iam/trust-policy.ts";
import { sameDocument } from "./same-document.ts";

/** A role's trust policy in the words of a binding. */
export interface TrustWords {
  readonly identity: IdentityMechanism;
  readonly audience: string;
  /** Whom the role admits beside the binding's own ServiceAccount. */
  readonly otherSubjects: readonly Subject[];
  /** Whether it is longer than IAM takes by default. */
  readonly long: boolean;
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
export function trustWords(
  document: string,
  own: { readonly namespace: string; readonly serviceAccount: string },
  oidcProviderArn: string | undefined,
): Said<TrustWords> {
  try {
    return { said: read(document, own, oidcProviderArn) };
  } catch (error) {
    if (!(error instanceof Unsaid)) throw error;
    return { why: error.message };
  }
}

function read(
  document: string,
  own: { readonly namespace: string; readonly serviceAccount: string },
  oidcProviderArn: string | undefined,
): TrustWords {
  const statements = statementsOf(document) as readonly object[] as readonly Json[];
  if (statements.length === 0) throw new Unsaid("its trust policy has no statement");
  const byPods = statements.some(({ Principal }) => isPodIdentity(Principal));
  const identity = byPods ? "pod-identity" : "irsa";
  const admitted = statements.map((statement) =>
    byPods ? podIdentityStatement(statement) : tokenStatement(statement, oidcProviderArn),
  );
  const [audience = stsAudience, ...others] = new Set(admitted.flatMap(({ audience = [] }) => audience));
  if (others.length > 0) {
    throw new Unsaid(`its trust policy takes several audiences (${[audience, ...others].join(", ")})`);
  }
  const subjects = admitted.flatMap(({ subjects }) => subjects);
  const isOwn = (one: Subject): boolean =>
    one.namespace === own.namespace && one.serviceAccount === own.serviceAccount;
  if (!subjects.some(isOwn)) {
    throw new Unsaid(
      `its trust policy does not name the ServiceAccount ${own.namespace}/${own.serviceAccount}, which a binding's always does; it admits ${subjects.map(subjectText).join(", ")}`,
    );
  }
  const otherSubjects = subjects.filter((one) => !isOwn(one));
  const longest = { trustPolicyCharacters: trustPolicyCharacters.max };
  const ours = trustPolicyFor(
    { identity, audience, quotas: longest },
    [oidcProviderArn ?? ""],
    [own, ...otherSubjects],
  );
  if (!sameDocument(JSON.parse(document), ours)) {
    throw new Unsaid(
      statements.length === ours.Statement.length
        ? "its trust policy is laid out differently from a binding's, which is of Version 2012-10-17 and has no Id"
        : `its trust policy spreads over ${statements.length} statements what a binding's says in ${ours.Statement.length}`,
    );
  }
  const long = JSON.stringify(ours).length > trustPolicyCharacters.default;
  return { identity, audience, otherSubjects, long };
}

interface Admitted {
  readonly subjects: readonly Subject[];
  readonly audience?: readonly string[];
}

const isPodIdentity = (principal: unknown): boolean =>
  isMap(principal) && texts(principal.Service).includes("pods.eks.amazonaws.com");

const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A statement that admits tokens of the cluster: by `sub` and `aud`, and nothing else. */
function tokenStatement(statement: Json, oidcProviderArn: string | undefined): Admitted {
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

/** A statement that admits EKS Pod Identity for one ServiceAccount. */
function podIdentityStatement(statement: Json): Admitted {
  checkFrame(statement, { Service: "pods.eks.amazonaws.com" }, ["sts:AssumeRole", "sts:TagSession"]);
  const keys = {
    namespace: "aws:RequestTag/kubernetes-namespace",
    serviceAccount: "aws:RequestTag/kubernetes-service-account",
  };
  if (!isMap(statement.Condition)) {
    throw new Unsaid(
      "its trust policy admits every Pod Identity association of the account, where a binding's names the ServiceAccount",
    );
  }
  const tags = conditionsOf(statement, Object.values(keys));
  const part = (key: string): string | Matching => {
    const tag = tags.get(key);
    const [value, ...others] = tag?.values ?? [];
    if (tag === undefined || value === undefined || others.length > 0)
      throw new Unsaid(`its trust policy does not check ${key} for one value, as a binding's does`);
    return tag.operator === "StringLike" && /[*?]/.test(value) ? { matching: value } : value;
  };
  const subject = { namespace: part(keys.namespace), serviceAccount: part(keys.serviceAccount) };
  checkSubject(subject, subjectText(subject));
  return { subjects: [subject] };
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
