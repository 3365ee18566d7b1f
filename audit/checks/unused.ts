import { annotate } from "../../doctor/links/mend.ts";
import { stsAudience } from "../../iam/trust-policy.ts";
import { tokenTrusts } from "../../iam/trust-reader.ts";
import { type Finding, finding, type Subject, role as subjectRole } from "../finding.ts";
import {
  audienceOf,
  hostOf,
  type Identity,
  type Inventory,
  keyOf,
  subjectOf,
  type Trust,
} from "../inventory.ts";
import type { RoleDetail } from "../snapshot.ts";
import { isOfCluster } from "./admitted.ts";
import { deleteRole } from "./mends.ts";

/** Days without use after which a role is stale. */
const staleDays = 90;
const day = 24 * 60 * 60 * 1000;

/** OIDC providers, roles and associations: those that nothing uses, those that several do, those that are lacking. */
export function usageFindings(inventory: Inventory): Finding[] {
  return [...providers(inventory), ...roles(inventory), ...agent(inventory)];
}

function providers({ snapshot, provider, identities, trusts }: Inventory): Finding[] {
  const { cluster, region, issuers, namespaces } = snapshot;
  const { issuer } = cluster;
  const findings: Finding[] = [];
  const annotated = identities.filter(({ uses }) => uses.some(({ way }) => way !== "pod-identity"));
  if (issuer !== undefined && provider === undefined && annotated.length > 0) {
    const audiences = [...new Set([stsAudience, ...annotated.map(({ account }) => audienceOf(account))])];
    findings.push(
      finding(
        "provider-missing",
        { kind: "Cluster", name: cluster.name },
        "The account has no OIDC provider for the cluster's issuer.",
        {
          evidence: [issuer, `annotated: ${annotated.map(({ key }) => key).join(", ")}`],
          mend: [
            `aws iam create-open-id-connect-provider --url ${issuer} --client-id-list ${audiences.join(" ")}`,
          ],
        },
      ),
    );
  }
  if (provider !== undefined) {
    const subject: Subject = { kind: "OidcProvider", name: provider.arn };
    const lacking = Map.groupBy(
      annotated.filter(({ account }) => !provider.audiences.includes(audienceOf(account))),
      ({ account }) => audienceOf(account),
    );
    for (const [audience, asking] of lacking) {
      findings.push(
        finding("provider-audience", subject, `It does not list the audience ${audience}.`, {
          evidence: [
            `audiences: ${provider.audiences.join(", ") || "none"}`,
            `asked for by: ${asking.map(({ key }) => key).join(", ")}`,
          ],
          mend: [
            `aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${provider.arn} --client-id ${audience}`,
          ],
        }),
      );
    }
    const trusted = [...trusts.values()].some(({ ofCluster }) => ofCluster.length > 0);
    if (!trusted && annotated.length === 0 && namespaces === undefined) {
      findings.push(
        finding("provider-unused", subject, "No role trusts it, and no ServiceAccount is annotated.", {
          evidence: [provider.url],
          mend: [`aws iam delete-open-id-connect-provider --open-id-connect-provider-arn ${provider.arn}`],
          advice: ["Where the first role is still to come, leave it."],
        }),
      );
    }
  }
  if (issuers === undefined || namespaces !== undefined) return findings;
  const alive = new Set(issuers.map(hostOf));
  const ofRegion = new RegExp(`^oidc\\.eks\\.${region}\\.`);
  const dead = snapshot.providers.filter(({ url }) => ofRegion.test(hostOf(url)) && !alive.has(hostOf(url)));
  if (dead.length === 0) return findings;
  const roles = Map.groupBy(
    [...trusts.keys()].flatMap((role) =>
      tokenTrusts(role.trustPolicy).flatMap(({ providers }) => providers.map((arn) => ({ arn, role }))),
    ),
    ({ arn }) => arn,
  );
  for (const { arn, url } of dead) {
    const trusting = (roles.get(arn) ?? []).map(({ role }) => role.arn);
    findings.push(
      finding(
        "provider-cluster-gone",
        { kind: "OidcProvider", name: arn },
        `No cluster of this account in ${region} has the issuer ${url}.`,
        {
          evidence: [`trusted by: ${trusting.join(", ") || "no role"}`],
          mend: [`aws iam delete-open-id-connect-provider --open-id-connect-provider-arn ${arn}`],
          advice: ["Where it is the issuer of a cluster of another account, leave it."],
        },
      ),
    );
  }
  return findings;
}

function roles(inventory: Inventory): Finding[] {
  return [...inventory.trusts.values()].flatMap((trust) => {
    const using = inventory.users.get(trust.role.arn) ?? [];
    return [
      ...(isOfCluster(inventory, trust) ? ofSubjects(inventory, trust, using) : []),
      ...(using.length > 0 ? ofUsers(inventory, trust.role, using) : []),
    ];
  });
}

/** The subjects that a role admits beside those that use it. */
function ofSubjects(
  inventory: Inventory,
  { role, subjects, patterns }: Trust,
  using: readonly Identity[],
): Finding[] {
  const byName = new Map(subjects.map((one) => [one, inventory.accounts.get(accountOfSubject(one))]));
  const byPattern = new Map(patterns.map((one) => [one, inventory.matching(one)]));
  const gone = [...byName]
    .filter(([subject, account]) => account === undefined && isLooked(inventory, subject))
    .map(([subject]) => subject);
  const nobody = [...gone, ...patterns.filter((one) => byPattern.get(one)?.length === 0)];
  const isAre = nobody.length > 1 ? "are" : "is";
  const all = subjects.length + patterns.length;
  if (all > 0 && using.length === 0 && nobody.length === all) {
    return [
      finding(
        "role-unused",
        subjectRole(role),
        `It admits ${nobody.join(", ")}, which ${isAre} not there, and nothing uses it.`,
        {
          evidence: [...nobody, role.lastUsed ? `last used ${role.lastUsed.toISOString()}` : "no use known"],
          mend: deleteRole(role),
        },
      ),
    ];
  }
  // Where the role refuses who uses it, that is the fault, and told there.
  const refuses = using.some(
    (one) =>
      one.uses.some(({ way }) => way === "irsa") &&
      !subjects.includes(subjectOf(one)) &&
      ![...byPattern.values()].flat().some((account) => keyOf(account) === one.key),
  );
  if (refuses) return [];
  const users = new Set(using.map(({ key }) => key));
  const named = [...byName.values()].flatMap((one) =>
    one === undefined || users.has(keyOf(one)) ? [] : [one],
  );
  const missing = gone.filter((one) => !/[*?]/.test(one));
  return [
    ...(missing.length > 0
      ? [
          finding(
            "trust-subject-gone",
            subjectRole(role),
            `It admits ${missing.join(", ")}, which ${missing.length > 1 ? "are" : "is"} not there.`,
            { evidence: missing, advice: ["Take the subject out of the trust policy."] },
          ),
        ]
      : []),
    ...(named.length > 0
      ? [
          finding(
            "role-not-asked-for",
            subjectRole(role),
            `It admits ${named.map(keyOf).join(", ")}, which ${named.length > 1 ? "do" : "does"} not ask for it.`,
            {
              evidence: named.map(subjectOf),
              mend:
                using.length > 0
                  ? []
                  : named.map(({ namespace, name }) =>
                      annotate({ namespace, serviceAccount: name }, role.arn),
                    ),
              advice: [
                "Take the subject out of the trust policy, or annotate the ServiceAccount with the role.",
              ],
            },
          ),
        ]
      : []),
  ];
}

const accountOfSubject = (subject: string): string =>
  subject.replace(/^system:serviceaccount:([^:]*):/, "$1/");

/** A role by those who use it: too many, too few permissions, not for long. */
function ofUsers(inventory: Inventory, role: RoleDetail, using: readonly Identity[]): Finding[] {
  const own = using.flatMap(({ uses }) => uses).filter(({ roleArn }) => roleArn === role.arn);
  const reach = own[0]?.reach ?? inventory.reachOf(role);
  const names = using.map(({ key }) => key);
  const findings: Finding[] = [];
  if (using.length > 1 && (reach.sensitive.length > 0 || reach.administrator)) {
    const actions = reach.sensitive.map(({ action }) => action).join(", ");
    findings.push(
      finding("role-shared", subjectRole(role), `${names.join(", ")} share it, and it may ${actions}.`, {
        evidence: names,
        advice: ["Give each a role of its own, with what it calls."],
      }),
    );
  }
  // A role that only goes on to another needs no more than that other's trust.
  if (reach.services.length === 0 && reach.unread.length === 0 && !own.some(({ target }) => target)) {
    findings.push(
      finding(
        "role-powerless",
        subjectRole(role),
        "No policy of it allows anything within its boundary and its session's policy.",
        {
          evidence: [
            `policies: ${[...role.inline.map(({ name }) => name), ...role.attached].join(", ") || "none"}`,
            ...(role.boundaryArn === undefined ? [] : [`boundary: ${role.boundaryArn}`]),
          ],
          advice: ["Attach what the workload calls, or take the role from its ServiceAccount."],
        },
      ),
    );
  }
  const stale = new Date(inventory.snapshot.taken.getTime() - staleDays * day);
  if (role.created < stale && (role.lastUsed === undefined || role.lastUsed < stale)) {
    const last = role.lastUsed
      ? `on ${role.lastUsed.toISOString().slice(0, 10)}`
      : "never, as far as IAM knows";
    findings.push(
      finding("role-stale", subjectRole(role), `It was last used ${last}.`, {
        evidence: [`used by: ${names.join(", ")}`, `made on ${role.created.toISOString().slice(0, 10)}`],
        advice: ["Where nothing fails without it, take it from its ServiceAccount and delete it."],
      }),
    );
  }
  return findings;
}

/** Whether the namespace of a subject was looked at: what is elsewhere is not known to be gone. */
const isLooked = ({ snapshot: { namespaces } }: Inventory, subject: string): boolean =>
  namespaces === undefined || namespaces.includes(subject.split(":")[2] ?? "");

function agent({ snapshot }: Inventory): Finding[] {
  const { associations, podIdentityAgent, cluster, region } = snapshot;
  if (podIdentityAgent || associations.length === 0) return [];
  return [
    finding(
      "agent-missing",
      { kind: "Cluster", name: cluster.name },
      "It has associations, and no EKS Pod Identity agent.",
      {
        evidence: associations.map(
          ({ id, namespace, serviceAccount }) => `${id}: ${namespace}/${serviceAccount}`,
        ),
        mend: [
          `aws eks create-addon --region ${region} --cluster-name ${cluster.name} --addon-name eks-pod-identity-agent`,
        ],
      },
    ),
  ];
}
