import { conditions, type Statement, texts } from "../../iam/policy-reader.ts";
import { issuerOfProvider, onClaim, podIdentityService, restricts } from "../../iam/trust-reader.ts";
import { type Finding, finding, role as subjectRole } from "../finding.ts";
import { accountOf, hostOf, type Inventory, keyOf, subjectOf, type Trust } from "../inventory.ts";
import { deleteRole, narrowTrust, withoutStatement } from "./mends.ts";

/** Whom roles admit that this cluster's ServiceAccounts use, or may. */
export function trustFindings(inventory: Inventory): Finding[] {
  const { trusts, users, snapshot } = inventory;
  return [...trusts.values()].flatMap((trust) => [
    ...(isOfCluster(inventory, trust) || users.has(trust.role.arn)
      ? [
          ...trust.statements.flatMap((statement) => principals(inventory, trust, statement)),
          ...claims(inventory, trust),
        ]
      : []),
    ...(snapshot.namespaces === undefined ? goneIssuers(inventory, trust) : []),
  ]);
}

/** Whether a role is for ServiceAccounts of this cluster, in the namespaces that are looked at. */
export function isOfCluster(
  { snapshot: { namespaces } }: Inventory,
  { ofCluster, subjects, patterns }: Trust,
): boolean {
  if (ofCluster.length === 0) return false;
  if (namespaces === undefined) return true;
  const open = subjects.length === 0 && patterns.length === 0;
  return (
    open || [...subjects, ...patterns].some((subject) => namespaces.includes(subject.split(":")[2] ?? ""))
  );
}

const isAnybody = ({ Principal }: Statement): boolean =>
  Principal === "*" || (typeof Principal === "object" && texts(Principal.AWS).includes("*"));

/** Principals that are no token of this cluster. */
function principals(inventory: Inventory, { role }: Trust, statement: Statement): Finding[] {
  const { Principal } = statement;
  const { accountId } = inventory.snapshot;
  const asked = conditions(statement).map(({ key }) => key);
  const found = (id: Parameters<typeof finding>[0], what: string, evidence: string[]) =>
    finding(id, subjectRole(role), what, { evidence, ...withoutStatement(inventory, role, statement) });
  if (isAnybody(statement)) {
    if (asked.length > 0) return [];
    return [
      found("trust-anyone", "The trust policy admits every principal of every account.", [
        JSON.stringify(statement),
      ]),
    ];
  }
  if (Principal === undefined || typeof Principal === "string") return [];
  const accounts = texts(Principal.AWS);
  // An external id, an organization or a principal named in a condition is what tells a caller from any other of his account.
  const told = asked.some((key) =>
    /^sts:externalid$|^aws:principal(arn|orgid|orgpaths|account|tag)/.test(key),
  );
  const foreign = told
    ? []
    : accounts.filter((one) => /^(\d{12}$|arn:)/.test(one) && ofAccount(one) !== accountId);
  const whole = accounts.filter((one) => ofAccount(one) === accountId && /^\d{12}$|:root$/.test(one));
  const deleted = accounts.filter((one) => /^A[A-Z]{3}[A-Z0-9]{12,}$/.test(one));
  const services = texts(Principal.Service).filter((one) => one !== podIdentityService);
  return [
    ...(foreign.length > 0
      ? [
          found(
            "trust-foreign-account",
            `The trust policy admits ${foreign.join(", ")}, of another account, and asks for no external id.`,
            foreign,
          ),
        ]
      : []),
    ...(whole.length > 0 && asked.length === 0
      ? [found("trust-whole-account", "The trust policy admits the whole account.", whole)]
      : []),
    ...(deleted.length > 0
      ? [
          found(
            "trust-deleted-principal",
            `The trust policy names ${deleted.join(", ")}, the id of a principal that was deleted.`,
            deleted,
          ),
        ]
      : []),
    ...(services.length > 0
      ? [found("trust-other-service", `The trust policy admits ${services.join(", ")} too.`, services)]
      : []),
  ];
}

const ofAccount = (principal: string): string | undefined =>
  /^\d{12}$/.test(principal) ? principal : accountOf(principal);

/** What statements by this cluster's tokens ask of them. */
function claims(inventory: Inventory, trust: Trust): Finding[] {
  const { role, ofCluster } = trust;
  const users = inventory.users.get(role.arn) ?? [];
  const using = new Set(users.map(({ key }) => key));
  return ofCluster
    .filter(({ statement }) => !isAnybody(statement))
    .flatMap(({ statement, trust: token }) => {
      const sub = onClaim(token, "sub");
      const found = (id: Parameters<typeof finding>[0], what: string, evidence: string[]) =>
        finding(id, subjectRole(role), what, { evidence, ...narrowTrust(inventory, role, statement) });
      const findings: Finding[] = [];
      // A condition on the claim under another issuer's name admits nobody: that is told at the ServiceAccount.
      const otherKey = (claim: string): boolean =>
        token.conditions.some(
          ({ key }) =>
            key.endsWith(`:${claim}`) && !onClaim(token, claim as "sub").some((one) => one.key === key),
        );
      if (sub.length === 0 && !otherKey("sub")) {
        findings.push(
          found("trust-no-subject", "The trust policy has no condition on sub.", [JSON.stringify(statement)]),
        );
      }
      if (!onClaim(token, "aud").some(restricts) && !otherKey("aud")) {
        findings.push(
          found("trust-no-audience", "The trust policy has no condition on aud.", [
            JSON.stringify(statement),
          ]),
        );
      }
      for (const { operator, values } of sub) {
        const patterns = values.filter((value) => /[*?]/.test(value));
        if (/^stringequals/.test(operator)) {
          const refused = users.some(
            ({ namespace, name }) => !trust.subjects.includes(subjectOf({ namespace, name })),
          );
          if (patterns.length > 0 && !refused) {
            findings.push(
              found(
                "trust-pattern-literal",
                `The trust policy has ${patterns.join(", ")} under an operator that takes the * literally.`,
                [JSON.stringify({ [operator]: values })],
              ),
            );
          }
          continue;
        }
        if (!/^stringlike/.test(operator)) continue;
        for (const pattern of patterns) findings.push(...ofPattern(pattern));
      }
      return findings;

      function ofPattern(pattern: string): Finding[] {
        const [, , namespace = "*", name = "*"] = pattern.split(":");
        if (/^\*+$/.test(pattern) || (/^\*+$/.test(namespace) && /^\*+$/.test(name))) {
          return [found("trust-any-subject", `The trust policy admits ${pattern}.`, [pattern])];
        }
        const admitted = inventory.matching(pattern).map(keyOf);
        if (/^\*+$/.test(namespace)) {
          return [
            found("trust-any-namespace", `The trust policy admits ${name} of every namespace.`, [
              pattern,
              `admitted now: ${admitted.join(", ") || "none"}`,
            ]),
          ];
        }
        const others = admitted.filter((key) => !using.has(key));
        if (others.length > 0) {
          return [
            found(
              "trust-pattern-others",
              `The trust policy admits ${pattern}, and so ${others.join(", ")}, which ${others.length > 1 ? "do" : "does"} not ask for the role.`,
              [pattern, `in use by: ${[...using].join(", ") || "none"}`],
            ),
          ];
        }
        return admitted.length === 0
          ? []
          : [
              found(
                "trust-pattern-open",
                `The trust policy admits ${pattern}: ${admitted.join(", ")} now, and what comes later.`,
                [pattern],
              ),
            ];
      }
    });
}

/** Statements by tokens of providers that the account does not have. */
function goneIssuers(inventory: Inventory, { role, statements }: Trust): Finding[] {
  const { providers, cluster, accountId } = inventory.snapshot;
  const there = new Set(providers.map(({ arn }) => arn));
  const own = cluster.issuer && hostOf(cluster.issuer).toLowerCase();
  return statements.flatMap((statement) => {
    const { Principal } = statement;
    const gone = (typeof Principal === "object" ? texts(Principal.Federated) : []).filter(
      (arn) =>
        /:oidc-provider\/oidc\.eks\./.test(arn) &&
        accountOf(arn) === accountId &&
        !there.has(arn) &&
        issuerOfProvider(arn) !== own,
    );
    return gone.length === 0
      ? []
      : [
          finding(
            "trust-issuer-gone",
            subjectRole(role),
            `The role trusts ${gone.join(", ")}, which does not exist.`,
            {
              evidence: gone,
              ...(statements.length > 1
                ? withoutStatement(inventory, role, statement)
                : { mend: deleteRole(role) }),
            },
          ),
        ];
  });
}
