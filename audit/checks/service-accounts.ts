import type { Broken } from "../../doctor/chain.ts";
import { annotate, roleAnnotation } from "../../doctor/links/mend.ts";
import { brokenTrust, judgeAssociation } from "../../doctor/links/trust.ts";
import {
  judgeRoleTrust,
  judgeTrust,
  type TrustFault,
  type TrustVerdict,
} from "../../doctor/trust-verdict.ts";
import { trustPolicy } from "../../iam/trust-policy.ts";
import { type Finding, finding, serviceAccount } from "../finding.ts";
import {
  accountOf,
  audienceOf,
  hostOf,
  type Identity,
  type Inventory,
  nameOf,
  type RoleUse,
  subjectOf,
} from "../inventory.ts";
import type { RoleDetail } from "../snapshot.ts";
import { deleteAssociation } from "./mends.ts";

/** ServiceAccounts whose role is not there or does not trust them, and those that should not have one. */
export function serviceAccountFindings(inventory: Inventory): Finding[] {
  return [
    ...inventory.identities.flatMap((identity) => [
      // Of one that is not there its association is the fault, whatever the role.
      ...(identity.account === undefined
        ? []
        : identity.uses.flatMap((use) => ofUse(inventory, identity, use))),
      ...ofIdentity(inventory, identity),
    ]),
    ...inventory.snapshot.serviceAccounts.flatMap((account) => {
      const near = Object.keys(account.annotations).find(isNearly);
      if (near === undefined || roleAnnotation in account.annotations) return [];
      const { namespace, name } = account;
      return [
        finding(
          "annotation-misspelt",
          { kind: "ServiceAccount", name: `${namespace}/${name}` },
          `The annotation's key is ${near}.`,
          {
            evidence: [`${near}: ${account.annotations[near]}`],
            mend: [
              annotate({ namespace, serviceAccount: name }, account.annotations[near] ?? "ARN"),
              `kubectl annotate serviceaccount --namespace ${namespace} ${name} ${near}-`,
            ],
          },
        ),
      ];
    }),
  ];
}

/** Keys that people write for the role's; those of the webhook's other settings are none of them. */
const isNearly = (key: string): boolean =>
  key !== roleAnnotation && /^(eks|iam)\.amazonaws\.com\/(iam-?)?role[-_.]?(arn)?$/i.test(key);

function ofUse(inventory: Inventory, identity: Identity, use: RoleUse): Finding[] {
  const { snapshot, rolesByName } = inventory;
  const { way, roleArn, association, target } = use;
  const { namespace, name } = identity;
  const point = (arn: string): string =>
    association === undefined
      ? annotate({ namespace, serviceAccount: name }, arn)
      : `aws eks update-pod-identity-association --region ${snapshot.region} --cluster-name ${snapshot.cluster.name} --association-id ${association.id} --role-arn ${arn}`;
  const found = (id: Parameters<typeof finding>[0], what: string, more: Partial<Finding> = {}) =>
    finding(id, serviceAccount(identity), what, more);

  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(roleArn)) {
    return [
      found("annotation-malformed", "The annotation is not the ARN of an IAM role.", {
        evidence: [`${roleAnnotation}: ${roleArn}`],
        mend: [point("arn:aws:iam::ACCOUNT:role/ROLE")],
      }),
    ];
  }
  // A role of another account is not seen from here; the inventory says so.
  if (accountOf(roleArn) !== snapshot.accountId) return [];
  const role = use.role;
  if (role === undefined) {
    const other = rolesByName.get(nameOf(roleArn));
    if (other === undefined) {
      return [
        found("role-missing", `There is no role ${roleArn}.`, {
          evidence: [roleArn],
          mend: [association === undefined ? point("ARN") : deleteAssociation(snapshot, association.id)],
        }),
      ];
    }
    const partition = other.arn.split(":")[1] !== roleArn.split(":")[1];
    return [
      found(
        partition ? "role-partition" : "role-path",
        partition
          ? "It names another partition than the role's."
          : "It leaves out or changes the role's path.",
        { evidence: [`named: ${roleArn}`, `there is: ${other.arn}`], mend: [point(other.arn)] },
      ),
    ];
  }
  return [
    ...(way === "pod-identity"
      ? podIdentityTrust(inventory, identity, use, role)
      : irsaTrust(inventory, identity, role)),
    ...(target
      ? ofTarget(inventory, identity, role, target, association?.externalId, association?.sessionTags ?? true)
      : []),
  ];
}

/** Whether the role admits the ServiceAccount's tokens. */
function irsaTrust(inventory: Inventory, identity: Identity, role: RoleDetail): Finding[] {
  const { provider, snapshot } = inventory;
  const { issuer } = snapshot.cluster;
  if (issuer === undefined) return [];
  const providerArn =
    provider?.arn ??
    `arn:${role.arn.split(":")[1]}:iam::${snapshot.accountId}:oidc-provider/${hostOf(issuer)}`;
  const audience = audienceOf(identity.account);
  const judge = (document: string): TrustVerdict =>
    judgeTrust(document, { issuer, providerArn, sub: subjectOf(identity), aud: audience });
  const { fault } = judge(role.trustPolicy);
  if (fault === undefined) return [];
  const { namespace, name } = identity;
  const right = trustPolicy({ oidcProviderArn: providerArn, namespace, serviceAccount: name, audience });
  const caller = { [`${hostOf(issuer)}:sub`]: subjectOf(identity) };
  return [ofTrust(identity, role, brokenTrust({ role, fault, right: right.Statement, caller, judge }))];
}

function podIdentityTrust(
  { snapshot }: Inventory,
  identity: Identity,
  { association }: RoleUse,
  role: RoleDetail,
): Finding[] {
  if (association === undefined) return [];
  const { cluster, region } = snapshot;
  const { namespace, name: serviceAccount } = identity;
  const patient = { cluster: cluster.name, region, namespace, serviceAccount };
  const { broken } = judgeAssociation(role, association, cluster, patient);
  return broken === undefined ? [] : [ofTrust(identity, role, broken)];
}

/** What the doctor says of a trust policy, as a finding of the ServiceAccount that it refuses. */
function ofTrust(
  identity: Identity,
  role: RoleDetail,
  { cause, what, disagreement, mend, advice = [] }: Broken,
): Finding {
  const values = disagreement ? [disagreement.wanted, disagreement.found] : [];
  return finding(cause as TrustFault["cause"], serviceAccount(identity), what, {
    evidence: [role.arn, ...values.map((one) => `${one.name}: ${one.value}`)],
    mend,
    advice,
  });
}

function ofTarget(
  { snapshot }: Inventory,
  identity: Identity,
  first: RoleDetail,
  { roleArn, role }: RoleUse,
  externalId: string | undefined,
  sessionTags: boolean,
): Finding[] {
  if (accountOf(roleArn) !== snapshot.accountId) return [];
  if (role === undefined) {
    return [
      finding(
        "association-target-missing",
        serviceAccount(identity),
        `There is no role ${roleArn}, the association's target.`,
        {
          evidence: [`role: ${first.arn}`, `target: ${roleArn}`],
          advice: ["Make the role, or have the association name another."],
        },
      ),
    ];
  }
  const context = new Map([
    ["aws:principalarn", first.arn],
    ["aws:principalaccount", accountOf(first.arn)],
    ["sts:externalid", externalId],
  ]);
  const { fault } = judgeRoleTrust(role.trustPolicy, first.arn, context, sessionTags);
  if (fault === undefined) return [];
  const Action = sessionTags ? ["sts:AssumeRole", "sts:TagSession"] : "sts:AssumeRole";
  const right = {
    Effect: "Allow",
    Principal: { AWS: first.arn },
    Action,
    ...(externalId && { Condition: { StringEquals: { "sts:ExternalId": externalId } } }),
  };
  const judge = (document: string) => judgeRoleTrust(document, first.arn, context, sessionTags);
  const {
    what,
    mend,
    advice = [],
  } = brokenTrust({
    role,
    fault,
    right: [right],
    caller: { "aws:PrincipalArn": first.arn },
    judge,
  });
  return [
    finding("association-target-trust", serviceAccount(identity), what, {
      evidence: [`role: ${first.arn}`, `target: ${roleArn}`],
      mend,
      advice,
    }),
  ];
}

function ofIdentity({ snapshot }: Inventory, identity: Identity): Finding[] {
  const { namespace, name, account, uses, pods, workloads } = identity;
  const association = uses.find(({ way }) => way === "pod-identity");
  const annotated = uses.find(({ way }) => way === "irsa");
  if (account === undefined) {
    const id = association?.association?.id ?? "";
    return association === undefined
      ? []
      : [
          finding(
            "association-unused",
            { kind: "Association", name: id },
            `It is for ${identity.key}, which is not there.`,
            {
              evidence: [`role: ${association.roleArn}`],
              mend: [deleteAssociation(snapshot, id)],
            },
          ),
        ];
  }
  const findings: Finding[] = [];
  if (association && annotated) {
    findings.push(
      finding("association-beside-annotation", serviceAccount(identity), "It has both.", {
        evidence: [`annotation: ${annotated.roleArn}`, `association: ${association.roleArn}`],
        mend: [`kubectl annotate serviceaccount --namespace ${namespace} ${name} ${roleAnnotation}-`],
        advice: ["While workloads move over, both are as they should be."],
      }),
    );
  }
  if (name === "default" && (association ?? annotated)) {
    findings.push(
      finding(
        "default-service-account",
        serviceAccount(identity),
        "It is the default of its namespace, and has a role.",
        {
          evidence: uses.map(({ roleArn }) => roleArn),
          advice: [
            "Give the workload that needs the role a ServiceAccount of its own, and the role to that.",
          ],
        },
      ),
    );
  } else if (pods.length === 0 && workloads.length === 0 && (association ?? annotated)) {
    findings.push(
      finding(
        "service-account-unused",
        serviceAccount(identity),
        "No pod runs under it, and no workload makes one.",
        {
          evidence: uses.map(({ roleArn }) => roleArn),
          mend: [`kubectl delete serviceaccount --namespace ${namespace} ${name}`],
          advice: ["Where what uses it comes and goes, such as a pipeline's pods, leave it."],
        },
      ),
    );
  }
  return findings;
}
