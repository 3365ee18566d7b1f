import { roleAnnotation } from "../doctor/links/mend.ts";
import type { OidcProvider } from "../doctor/world.ts";
import { conditions, matches, type Statement, texts } from "../iam/policy-reader.ts";
import { stsAudience } from "../iam/trust-policy.ts";
import {
  admissions,
  admitsPodIdentity,
  issuerOfProvider,
  onClaim,
  type TokenTrust,
  tokenTrustOf,
} from "../iam/trust-reader.ts";
import { type Reach, reachReader } from "./reach.ts";
import type {
  Association,
  AuditedPod,
  AuditedWorkload,
  RoleDetail,
  ServiceAccount,
  Snapshot,
} from "./snapshot.ts";

// Who is who in a cluster: each ServiceAccount with an identity, the roles that it comes to, and whom else they admit.

/** How a ServiceAccount comes to a role: by its annotation, by an association, or because its pods name it themselves. */
export type Way = "irsa" | "pod-identity" | "pod";

/** A role as a ServiceAccount has it. */
export interface RoleUse {
  readonly way: Way;
  readonly roleArn: string;
  /** Undefined where there is no such role, or it is another account's. */
  readonly role?: RoleDetail;
  readonly association?: Association;
  /** The association's second role, which EKS assumes with the credentials of the first. */
  readonly target?: RoleUse;
  /** What it may do as this ServiceAccount; undefined where the role is not seen. */
  readonly reach?: Reach;
}

/** A ServiceAccount with an identity. */
export interface Identity {
  readonly namespace: string;
  readonly name: string;
  /** `namespace/name`. */
  readonly key: string;
  /** Undefined where an association names a ServiceAccount that is not there. */
  readonly account?: ServiceAccount;
  readonly uses: readonly RoleUse[];
  readonly pods: readonly AuditedPod[];
  readonly workloads: readonly AuditedWorkload[];
}

/** Whom a role admits, from its trust policy. */
export interface Trust {
  readonly role: RoleDetail;
  readonly statements: readonly Statement[];
  /** Those by tokens of this cluster. */
  readonly ofCluster: readonly { readonly statement: Statement; readonly trust: TokenTrust }[];
  /** Subjects of this cluster that it names. */
  readonly subjects: readonly string[];
  /** Subjects of this cluster that it matches by a pattern. */
  readonly patterns: readonly string[];
}

/** A snapshot, and what is looked up in it, each once. */
export interface Inventory {
  readonly snapshot: Snapshot;
  readonly identities: readonly Identity[];
  readonly provider?: OidcProvider;
  /** Of every role. */
  readonly trusts: ReadonlyMap<RoleDetail, Trust>;
  /** ServiceAccounts that use a role, or mean to by an ARN that is not quite its own, by the role's ARN. */
  readonly users: ReadonlyMap<string, readonly Identity[]>;
  readonly accounts: ReadonlyMap<string, ServiceAccount>;
  readonly rolesByName: ReadonlyMap<string, RoleDetail>;
  reachOf(role: RoleDetail, sessionPolicy?: string): Reach;
  /** ServiceAccounts that are there and whose subject a pattern matches. */
  matching(pattern: string): readonly ServiceAccount[];
}

export const keyOf = ({ namespace, name }: { namespace: string; name: string }): string =>
  `${namespace}/${name}`;
export const subjectOf = ({ namespace, name }: { namespace: string; name: string }): string =>
  `system:serviceaccount:${namespace}:${name}`;
export const hostOf = (issuer: string): string => issuer.replace(/^https:\/\//, "");

/** The name of a role, from its ARN. */
export const nameOf = (arn: string): string => arn.replace(/^.*\//, "");

/** The account that an ARN is of. */
export const accountOf = (arn: string): string | undefined => arn.split(":")[4];

export function inventoryOf(snapshot: Snapshot): Inventory {
  const { cluster, accountId } = snapshot;
  const issuer = cluster.issuer === undefined ? undefined : hostOf(cluster.issuer);
  const reachOf = reachReader(snapshot);
  const rolesByArn = new Map(snapshot.roles.map((role) => [role.arn, role]));
  const rolesByName = new Map(snapshot.roles.map((role) => [role.name, role]));
  const accounts = new Map(snapshot.serviceAccounts.map((one) => [keyOf(one), one]));
  const podsOf = Map.groupBy(
    snapshot.pods,
    ({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`,
  );
  const workloadsOf = Map.groupBy(
    snapshot.workloads,
    ({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`,
  );
  const associationsOf = Map.groupBy(
    snapshot.associations,
    ({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`,
  );
  const accountsOf = Map.groupBy(snapshot.serviceAccounts, ({ namespace }) => namespace);
  const provider = snapshot.providers.find(({ url }) => hostOf(url) === issuer);

  /** A role as it is written: an ARN without or with another path still names it. */
  const use = (way: Way, roleArn: string, association?: Association): RoleUse => {
    const role = accountOf(roleArn) === accountId ? rolesByArn.get(roleArn) : undefined;
    return {
      way,
      roleArn,
      ...(association && { association }),
      ...(role && { role, reach: reachOf(role, association?.sessionPolicy) }),
    };
  };
  const keys = new Set([
    ...snapshot.serviceAccounts.filter(({ annotations }) => roleAnnotation in annotations).map(keyOf),
    ...associationsOf.keys(),
    ...[...podsOf].filter(([, pods]) => pods.some(hasRole)).map(([key]) => key),
  ]);
  const identities = [...keys].sort().map((key): Identity => {
    const [namespace = "", name = ""] = key.split("/");
    const account = accounts.get(key);
    const annotation = account?.annotations[roleAnnotation];
    const pods = podsOf.get(key) ?? [];
    const uses = [
      ...(annotation === undefined ? [] : [use("irsa", annotation)]),
      ...(associationsOf.get(key) ?? []).map((association) => {
        const first = use("pod-identity", association.roleArn, association);
        return association.targetRoleArn === undefined
          ? first
          : { ...first, target: use("pod-identity", association.targetRoleArn) };
      }),
    ];
    const own = annotation === undefined && uses.length === 0 ? rolesOfPods(pods) : [];
    return {
      namespace,
      name,
      key,
      ...(account && { account }),
      uses: [...uses, ...own.map((arn) => use("pod", arn))],
      pods,
      workloads: workloadsOf.get(key) ?? [],
    };
  });

  const meant = (arn: string): string => (rolesByArn.get(arn) ?? rolesByName.get(nameOf(arn)))?.arn ?? arn;
  const users = new Map<string, Identity[]>();
  for (const identity of identities) {
    const arns = identity.uses.flatMap(({ roleArn, target }) => [
      meant(roleArn),
      ...(target ? [meant(target.roleArn)] : []),
    ]);
    for (const arn of new Set(arns)) {
      const known = users.get(arn);
      if (known === undefined) users.set(arn, [identity]);
      else known.push(identity);
    }
  }
  return {
    snapshot,
    identities,
    ...(provider && { provider }),
    trusts: new Map(snapshot.roles.map((role) => [role, trustOf(role, issuer)])),
    users,
    accounts,
    rolesByName,
    reachOf,
    matching(pattern) {
      const [, , namespace = "*"] = pattern.split(":");
      const candidates = /[*?]/.test(namespace)
        ? snapshot.serviceAccounts
        : (accountsOf.get(namespace) ?? []);
      return candidates.filter((account) => matches(pattern, subjectOf(account)));
    },
  };
}

const hasRole = ({ containers }: AuditedPod): boolean =>
  containers.some(({ roleArn }) => roleArn !== undefined);
const rolesOfPods = (pods: readonly AuditedPod[]): string[] => [
  ...new Set(pods.flatMap(({ containers }) => containers.flatMap(({ roleArn }) => roleArn ?? []))),
];

function trustOf(role: RoleDetail, issuer: string | undefined): Trust {
  const statements = admissions(role.trustPolicy);
  const ofCluster = statements.flatMap((statement) => {
    const trust = tokenTrustOf(statement);
    const own = issuer !== undefined && trust?.issuers.includes(issuer.toLowerCase());
    return trust && own ? [{ statement, trust }] : [];
  });
  const values = (operator: RegExp): string[] =>
    ofCluster
      .flatMap(({ trust }) => onClaim(trust, "sub"))
      .filter((one) => operator.test(one.operator))
      .flatMap((one) => one.values);
  const like = values(/^stringlike/);
  return {
    role,
    statements,
    ofCluster,
    subjects: [...values(/^stringequals/), ...like.filter((one) => !/[*?]/.test(one))],
    patterns: like.filter((one) => /[*?]/.test(one)),
  };
}

/** The audience of a ServiceAccount's tokens. */
export const audienceOf = (account: ServiceAccount | undefined): string =>
  account?.annotations["eks.amazonaws.com/audience"] ?? stsAudience;

/** Whom a role admits, in words: ServiceAccounts of this cluster first, then everybody else. */
export function admittedBy({ statements, ofCluster }: Trust): string[] {
  const own = new Set(ofCluster.map(({ statement }) => statement));
  const here = ofCluster.flatMap(({ trust }) => {
    const subjects = onClaim(trust, "sub").flatMap(({ values }) => values);
    return subjects.length === 0
      ? ["every ServiceAccount of this cluster"]
      : subjects.map((subject) => subject.replace(/^system:serviceaccount:([^:]*):/, "$1/"));
  });
  const others = statements.filter((statement) => !own.has(statement)).flatMap(principalsOf);
  return [...new Set([...here, ...others])];
}

function principalsOf(statement: Statement): string[] {
  const { Principal } = statement;
  if (admitsPodIdentity(statement)) {
    const asked = conditions(statement).filter(({ key }) => key.startsWith("aws:requesttag/"));
    const [namespace, account] = ["namespace", "service-account"].map((tag) =>
      asked.find(({ key }) => key === `aws:requesttag/kubernetes-${tag}`)?.values.join(" or "),
    );
    return [`${namespace ?? "*"}/${account ?? "*"} by EKS Pod Identity`];
  }
  if (Principal === undefined) return [];
  if (typeof Principal === "string") return Principal === "*" ? ["anybody"] : [Principal];
  const trust = tokenTrustOf(statement);
  if (trust !== undefined) {
    const subjects = onClaim(trust, "sub").flatMap(({ values }) => values);
    const of = trust.providers.map(issuerOfProvider).join(", ");
    return [`${subjects.length > 0 ? subjects.join(", ") : "every token"} of ${of}`];
  }
  return Object.values(Principal)
    .flatMap(texts)
    .map((one) => (one === "*" ? "anybody" : one));
}
