import type { Conditions, TrustPolicy, TrustStatement } from "./policy-document.ts";

/** The audience that EKS gives its tokens and STS expects, in every partition, China included. */
export const stsAudience = "sts.amazonaws.com";

/**
 * Every name that a pattern matches: `*` stands for any characters, `?` for one. Asked for in so many words, so that
 * a stray `*` in a name stays an error.
 *
 * @example { matching: "team-*" }
 */
export interface Matching {
  readonly matching: string;
}

/** One ServiceAccount, or with a pattern all that it matches. */
export interface Subject {
  /** Kubernetes namespace of the ServiceAccount. */
  readonly namespace: string | Matching;
  /** Name of the ServiceAccount. */
  readonly serviceAccount: string | Matching;
}

export interface TrustPolicyArgs extends Subject {
  /**
   * ARN of the cluster's IAM OIDC provider: `arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123…`.
   * With several, the subjects are admitted from each of these clusters.
   */
  readonly oidcProviderArn: string | readonly string[];
  /** ServiceAccounts that are admitted beside the first. Default none. */
  readonly otherSubjects?: readonly Subject[];
  /** Audience that the token must be for. Default `sts.amazonaws.com`. */
  readonly audience?: string;
  /** Characters that the account's quota allows. Default 2,048. */
  readonly maxCharacters?: number;
}

/** Characters that a role's trust policy may have. Source: "IAM and AWS STS quotas", IAM User Guide. */
export const trustPolicyCharacters = { default: 2048, most: 4096 } as const;

/**
 * The trust policy that lets exactly these ServiceAccounts of these clusters assume a role.
 *
 * Both claims are always checked, `aud` with `StringEquals`, and `sub` too but for patterns. Without `sub` every pod of
 * the cluster could assume the role; without `aud` a token made for another service could. The condition keys carry
 * the issuer without its scheme: with `https://`, or with the provider's ARN, they would match nothing and STS would
 * refuse everybody.
 *
 * @throws Error when `oidcProviderArn` is not the ARN of an OIDC provider, or a name is not one of Kubernetes; when
 *   the policy is longer than IAM takes, with how many of the subjects would fit.
 */
export function trustPolicy(args: TrustPolicyArgs): TrustPolicy {
  const arns = [args.oidcProviderArn].flat();
  const subjects: Subject[] = [
    { namespace: args.namespace, serviceAccount: args.serviceAccount },
    ...(args.otherSubjects ?? []),
  ];
  const audience = args.audience ?? stsAudience;
  const policy = (clusters: number, admitted: number): TrustPolicy => ({
    Version: "2012-10-17",
    Statement: arns
      .slice(0, clusters)
      .flatMap((arn) => statementsFor(arn, subjects.slice(0, admitted), audience)),
  });
  const whole = policy(arns.length, subjects.length);
  const limit = args.maxCharacters ?? trustPolicyCharacters.default;
  if (length(whole) > limit) {
    const fits = (clusters: number, admitted: number) => length(policy(clusters, admitted)) <= limit;
    const most = (upTo: number, test: (count: number) => boolean) =>
      Array.from({ length: upTo }, (_, index) => upTo - index).find(test) ?? 0;
    const room = [
      subjects.length > 1 &&
        `${most(subjects.length, (count) => fits(arns.length, count))} of its ${subjects.length} ServiceAccounts`,
      arns.length > 1 &&
        `${most(arns.length, (count) => fits(count, subjects.length))} of its ${arns.length} clusters`,
    ].filter(Boolean);
    throw new Error(
      `The trust policy has ${length(whole)} characters; IAM takes ${limit}.` +
        (room.length > 0 ? ` There is room for ${room.join(", or for ")}.` : "") +
        ` Make several roles, admit by pattern, or have the quota raised (to at most ${trustPolicyCharacters.most}) and say so with maxTrustPolicyCharacters.`,
    );
  }
  return whole;
}

/**
 * The trust policy for EKS Pod Identity: the service may assume the role for these ServiceAccounts. EKS tells it by the
 * session tags that it sets; which cluster they live in, the association says.
 */
export function podIdentityTrustPolicy(subjects: readonly Subject[]): TrustPolicy {
  return {
    Version: "2012-10-17",
    Statement: subjects.map(({ namespace, serviceAccount }): TrustStatement => {
      const tags = {
        "aws:RequestTag/kubernetes-namespace": checkedName(namespace, namespaceKind),
        "aws:RequestTag/kubernetes-service-account": checkedName(serviceAccount, serviceAccountKind),
      };
      const like = isMatching(namespace) || isMatching(serviceAccount);
      return {
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Condition: like ? { StringLike: tags } : { StringEquals: tags },
      };
    }),
  };
}

/** One cluster: a statement for the subjects that are named, and one for those that are matched. */
function statementsFor(
  oidcProviderArn: string,
  subjects: readonly Subject[],
  audience: string,
): TrustStatement[] {
  const issuer = issuerHost(oidcProviderArn);
  const sub = `${issuer}:sub`;
  const aud = { [`${issuer}:aud`]: audience };
  const statement = (Condition: Conditions): TrustStatement => ({
    Effect: "Allow",
    Principal: { Federated: oidcProviderArn },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition,
  });
  const claims = (some: readonly Subject[]) => {
    const [first = "", ...rest] = some.map(({ namespace, serviceAccount }) =>
      subject(namespace, serviceAccount),
    );
    return rest.length === 0 ? first : [first, ...rest];
  };
  const patterns = subjects.filter(isPattern);
  const names = subjects.filter((one) => !isPattern(one));
  return [
    ...(names.length > 0 ? [statement({ StringEquals: { [sub]: claims(names), ...aud } })] : []),
    ...(patterns.length > 0
      ? [statement({ StringEquals: aud, StringLike: { [sub]: claims(patterns) } })]
      : []),
  ];
}

/** Characters of a policy as IAM counts them: without white space. */
const length = (policy: TrustPolicy): number => JSON.stringify(policy).replace(/\s/g, "").length;

const isMatching = (name: string | Matching): name is Matching => typeof name === "object";
const isPattern = ({ namespace, serviceAccount }: Subject): boolean =>
  isMatching(namespace) || isMatching(serviceAccount);

/**
 * The `sub` claim of a ServiceAccount's tokens: `system:serviceaccount:<namespace>:<name>`.
 *
 * @throws Error when a name is not valid in Kubernetes, or a pattern could match no name.
 */
export function subject(namespace: string | Matching, serviceAccount: string | Matching): string {
  return `system:serviceaccount:${checkedName(namespace, namespaceKind)}:${checkedName(serviceAccount, serviceAccountKind)}`;
}

interface Kind {
  name: string;
  rule: string;
  test: (name: string) => boolean;
}

function checkedName(name: string | Matching, kind: Kind): string {
  if (isMatching(name)) {
    if (/[*?]/.test(name.matching) && /^[-a-z0-9.*?]+$/.test(name.matching)) return name.matching;
    throw new Error(
      `${JSON.stringify(name.matching)} is no pattern for ${kind.name}: it must have a * or ?, and else only what names have.`,
    );
  }
  if (!kind.test(name)) {
    throw new Error(`${JSON.stringify(name)} is not the name of ${kind.name}: ${kind.rule}.`);
  }
  return name;
}

/** The issuer as IAM writes it in ARNs and condition keys: host and path, no scheme. */
export function issuerHost(oidcProviderArn: string): string {
  const issuer = /^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/(\S+)$/.exec(oidcProviderArn)?.[1];
  if (issuer === undefined) {
    throw new Error(
      `${JSON.stringify(oidcProviderArn)} is not the ARN of an IAM OIDC provider (arn:aws:iam::<account>:oidc-provider/<issuer>).`,
    );
  }
  return issuer;
}

/** RFC 1123 label, which Kubernetes asks of a namespace's name. */
export const namespaceNameRule =
  "lower-case letters, digits and '-', starting and ending with a letter or digit, at most 63";
export const isNamespaceName = (name: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name);
const namespaceKind: Kind = { name: "a namespace", rule: namespaceNameRule, test: isNamespaceName };

/** RFC 1123 subdomain, which Kubernetes asks of a ServiceAccount's name. */
export const serviceAccountNameRule =
  "lower-case letters, digits, '-' and '.', each part between dots starting and ending with a letter or digit, at most 253";
export const isServiceAccountName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name);
const serviceAccountKind: Kind = {
  name: "a ServiceAccount",
  rule: serviceAccountNameRule,
  test: isServiceAccountName,
};
