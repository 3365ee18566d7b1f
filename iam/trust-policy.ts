import type * as z from "zod";
import {
  isNamePattern,
  isNamespaceName,
  isServiceAccountName,
  namePattern,
  namespaceName,
  namespaceNameRule,
  serviceAccountName,
  serviceAccountNameRule,
} from "./names.ts";
import { dnsSuffixOfRegion, partitionOfRegion } from "./partition.ts";
import { type Conditions, characters, type TrustPolicy, type TrustStatement } from "./policy-document.ts";
import { trustPolicyCharacters } from "./quotas.ts";
import { anyOf, type Late, list, matching, object } from "./validation.ts";

/** The audience that EKS gives its tokens and STS expects, in every partition, China included. */
export const stsAudience = "sts.amazonaws.com";

/**
 * Every name that a pattern matches: `*` stands for any characters, `?` for one. Asked for in so many words, so that
 * a stray `*` in a name stays an error.
 *
 * @example { matching: "team-*" }
 */
export interface Matching {
  /** The pattern, such as `team-*`. */
  readonly matching: string;
}

/** One ServiceAccount, or with a pattern all that it matches. `L` is the type of a text that may come later. */
export interface Subject<L = string> {
  /** Kubernetes namespace of the ServiceAccount. */
  readonly namespace: L | Matching;
  /** Name of the ServiceAccount. */
  readonly serviceAccount: L | Matching;
}

/** The ServiceAccounts that a role admits beside its own. */
export const subjectsSchema = <L>(late: Late<L>): z.ZodType<Subject<L>[], readonly Subject<L>[]> => {
  const nameOrPattern = (name: z.ZodType<string, string>, rule: string) =>
    anyOf([late(name), namePattern], `${rule}; or { matching: PATTERN } with * or ? in the pattern`);
  return list(
    object({
      namespace: nameOrPattern(namespaceName, namespaceNameRule),
      serviceAccount: nameOrPattern(serviceAccountName, serviceAccountNameRule),
    }),
    "a list of { namespace, serviceAccount }",
    { min: 0 },
  );
};

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
  const { namespace, serviceAccount, otherSubjects = [], oidcProviderArn, audience, maxCharacters } = args;
  return roleTrustPolicy({
    subjects: [{ namespace, serviceAccount }, ...otherSubjects],
    webIdentity: { oidcProviderArns: [oidcProviderArn].flat(), audience },
    maxCharacters,
  });
}

/** How EKS Pod Identity may assume a role. */
export interface PodIdentityTrust {
  /** The clusters that the ServiceAccounts live in, by name. Default: every cluster of the account. */
  readonly clusterNames?: readonly string[] | undefined;
  /**
   * Whether EKS tags its sessions. Default true. Without its tags a trust policy cannot tell one ServiceAccount, or one
   * cluster, from another: whom the role is for, the associations alone say, and whoever may make them (`iam:PassRole`).
   */
  readonly sessionTags?: boolean | undefined;
}

/**
 * The trust policy for EKS Pod Identity: the service may assume the role for these ServiceAccounts of these clusters. EKS
 * tells both by the session tags that it sets. Not `aws:SourceArn`: it is not the same in each way in which EKS assumes a
 * role (awslabs/mountpoint-s3-csi-driver#781).
 *
 * @throws Error when it is longer than `maxCharacters`, with how many of the subjects would fit.
 */
export const podIdentityTrustPolicy = (
  subjects: readonly Subject[],
  { maxCharacters, ...podIdentity }: PodIdentityTrust & { readonly maxCharacters?: number } = {},
): TrustPolicy => roleTrustPolicy({ subjects, podIdentity, maxCharacters });

/** Whom a role admits, by either mechanism, or by both while its pods move from one to the other. */
export interface RoleTrust {
  readonly subjects: readonly Subject[];
  readonly webIdentity?:
    | { readonly oidcProviderArns: readonly string[]; readonly audience?: string | undefined }
    | undefined;
  readonly podIdentity?: PodIdentityTrust | undefined;
  readonly maxCharacters?: number | undefined;
}

/**
 * The trust policy of a role by the mechanisms that it is given.
 *
 * @throws Error as `trustPolicy` does.
 */
export function roleTrustPolicy({
  subjects,
  webIdentity,
  podIdentity,
  maxCharacters: limit = trustPolicyCharacters.default,
}: RoleTrust): TrustPolicy {
  const arns = webIdentity?.oidcProviderArns ?? [];
  const clusterNames = podIdentity?.clusterNames ?? [];
  const policy = (clusters: number, admitted: number): TrustPolicy => {
    const some = subjects.slice(0, admitted);
    return {
      Version: "2012-10-17",
      Statement: [
        ...arns
          .slice(0, clusters)
          .flatMap((arn) => statementsFor(arn, some, webIdentity?.audience ?? stsAudience)),
        ...(podIdentity
          ? podIdentityStatements(some, { ...podIdentity, clusterNames: clusterNames.slice(0, clusters) })
          : []),
      ],
    };
  };
  const clusters = Math.max(arns.length, clusterNames.length);
  const whole = policy(clusters, subjects.length);
  if (characters(whole) <= limit) return whole;
  const fits = (some: number, admitted: number) => characters(policy(some, admitted)) <= limit;
  throw new Error(
    tooLong(whole, limit, [
      roomFor("ServiceAccounts", subjects.length, (count) => fits(clusters, count)),
      roomFor("clusters", clusters, (count) => fits(count, subjects.length)),
    ]),
  );
}

/** How many of several would fit; undefined where there is one only. */
function roomFor(what: string, count: number, fits: (count: number) => boolean): string | undefined {
  if (count < 2) return undefined;
  const fitting = Array.from({ length: count }, (_, index) => count - index).find(fits) ?? 0;
  return `${fitting} of its ${count} ${what}`;
}

function tooLong(policy: TrustPolicy, limit: number, rooms: readonly (string | undefined)[]): string {
  const room = rooms.filter((one) => one !== undefined);
  const { max } = trustPolicyCharacters;
  return (
    `The trust policy has ${characters(policy)} characters; IAM takes ${limit}.` +
    (room.length > 0 ? ` There is room for ${room.join(", or for ")}.` : "") +
    ` Make several roles, admit by pattern${limit < max ? `, or have the quota raised (to at most ${max}) and say so with quotas.trustPolicyCharacters` : ""}.`
  );
}

function podIdentityStatements(
  subjects: readonly Subject[],
  { clusterNames = [], sessionTags = true }: PodIdentityTrust,
): TrustStatement[] {
  const service = {
    Effect: "Allow",
    Principal: { Service: "pods.eks.amazonaws.com" },
    // Both, also for sessions without tags: AWS documents one trust policy for all associations, and EKS looks at it when it
    // makes one.
    Action: ["sts:AssumeRole", "sts:TagSession"],
  } as const;
  if (!sessionTags) return [service];
  const cluster: Readonly<Record<string, string | readonly string[]>> =
    clusterNames.length === 0 ? {} : { "aws:RequestTag/eks-cluster-name": oneOrAll(clusterNames) };
  return subjects.map(({ namespace, serviceAccount }) => {
    const account = {
      "aws:RequestTag/kubernetes-namespace": checkedName(namespace, namespaceKind),
      "aws:RequestTag/kubernetes-service-account": checkedName(serviceAccount, serviceAccountKind),
    };
    return {
      ...service,
      Condition: isPattern({ namespace, serviceAccount })
        ? { ...(clusterNames.length > 0 && { StringEquals: cluster }), StringLike: account }
        : { StringEquals: { ...cluster, ...account } },
    };
  });
}

const oneOrAll = (texts: readonly string[]): string | readonly string[] =>
  texts.length === 1 ? (texts[0] as string) : texts;

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
  const claims = (some: readonly Subject[]) =>
    oneOrAll(some.map(({ namespace, serviceAccount }) => subject(namespace, serviceAccount)));
  const patterns = subjects.filter(isPattern);
  const names = subjects.filter((one) => !isPattern(one));
  return [
    ...(names.length > 0 ? [statement({ StringEquals: { [sub]: claims(names), ...aud } })] : []),
    ...(patterns.length > 0
      ? [statement({ StringEquals: aud, StringLike: { [sub]: claims(patterns) } })]
      : []),
  ];
}

const isMatching = (name: unknown): name is Matching =>
  typeof name === "object" && name !== null && Object.hasOwn(name, "matching");

/** Whether a subject is a pattern, by one of its names or both. */
export const isPattern = ({ namespace, serviceAccount }: Subject<unknown>): boolean =>
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

const namespaceKind: Kind = { name: "a namespace", rule: namespaceNameRule, test: isNamespaceName };
const serviceAccountKind: Kind = {
  name: "a ServiceAccount",
  rule: serviceAccountNameRule,
  test: isServiceAccountName,
};

function checkedName(name: string | Matching, kind: Kind): string {
  if (isMatching(name)) {
    if (isNamePattern(name.matching)) return name.matching;
    throw new Error(
      `${JSON.stringify(name.matching)} is no pattern for ${kind.name}: it must have a * or ?, and else only what names have.`,
    );
  }
  if (!kind.test(name)) {
    throw new Error(`${JSON.stringify(name)} is not the name of ${kind.name}: ${kind.rule}.`);
  }
  return name;
}

const oidcProviderArnPattern = /^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/([\x21-\x7e]+)$/;
export const oidcProviderArnSchema = matching(
  oidcProviderArnPattern,
  "the ARN of an IAM OIDC provider (arn:aws:iam::<account>:oidc-provider/<issuer>)",
);

/** The ARN of a cluster's OIDC provider, with other digits: as long as that of any cluster in the region. */
export const oidcProviderArnLike = (region: string): string =>
  `arn:${partitionOfRegion(region)}:iam::${"0".repeat(12)}:oidc-provider/oidc.eks.${region}.${dnsSuffixOfRegion(region)}/id/${"0".repeat(32)}`;

/** The issuer as IAM writes it in ARNs and condition keys: host and path, no scheme. */
export function issuerHost(oidcProviderArn: string): string {
  const issuer = oidcProviderArnPattern.exec(oidcProviderArn)?.[1];
  if (issuer === undefined) {
    throw new Error(
      `${JSON.stringify(oidcProviderArn)} is not the ARN of an IAM OIDC provider (arn:aws:iam::<account>:oidc-provider/<issuer>).`,
    );
  }
  return issuer;
}
