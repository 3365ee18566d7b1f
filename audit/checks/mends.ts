import { quoted } from "../../doctor/links/mend.ts";
import type { Statement } from "../../iam/policy-reader.ts";
import { trustPolicy } from "../../iam/trust-policy.ts";
import { audienceOf, type Identity, type Inventory } from "../inventory.ts";
import type { RoleDetail, Snapshot } from "../snapshot.ts";

// Mends that more than one finding has.

/** Gives a role these statements as its trust policy. */
const setTrust = ({ name }: RoleDetail, Statement: readonly object[]): string =>
  `aws iam update-assume-role-policy --role-name ${name} --policy-document ${quoted(JSON.stringify({ Version: "2012-10-17", Statement }))}`;

/**
 * Puts in the place of a statement what admits just the ServiceAccounts that use the role by their annotation; where none
 * does, nothing can be put there, and a sentence says so.
 */
export function narrowTrust(
  { users, trusts, provider }: Inventory,
  role: RoleDetail,
  instead: Statement,
): { mend: string[]; advice: string[] } {
  const admitted = (users.get(role.arn) ?? []).filter(({ uses }) =>
    uses.some(({ way }) => way !== "pod-identity"),
  );
  const [first, ...others] = admitted;
  if (first === undefined || provider === undefined) {
    return {
      mend: [],
      advice: ["Nothing here uses the role: name the ServiceAccounts that should, or delete it."],
    };
  }
  const subject = ({ namespace, name }: Identity) => ({ namespace, serviceAccount: name });
  const right = trustPolicy({
    oidcProviderArn: provider.arn,
    ...subject(first),
    otherSubjects: others.map(subject),
    audience: audienceOf(first.account),
  });
  const kept = (trusts.get(role)?.statements ?? []).filter((one) => one !== instead);
  return {
    mend: [setTrust(role, [...kept, ...right.Statement])],
    advice: [
      `It admits ${admitted.map(({ key }) => key).join(", ")} in the statement's place, and nobody else.`,
    ],
  };
}

/** A role's trust policy without a statement; what is left must not be nothing. */
export function withoutStatement(
  { trusts }: Inventory,
  role: RoleDetail,
  statement: Statement,
): { mend: string[]; advice: string[] } {
  const kept = (trusts.get(role)?.statements ?? []).filter((one) => one !== statement);
  return kept.length === 0
    ? { mend: deleteRole(role), advice: ["The role admits nobody else: look at what it was for, before."] }
    : { mend: [setTrust(role, kept)], advice: ["The role's other statements stay."] };
}

/** Deletes a role with all that hangs on it. */
export const deleteRole = ({ name, attached, inline }: RoleDetail): string[] => [
  ...attached.map((arn) => `aws iam detach-role-policy --role-name ${name} --policy-arn ${arn}`),
  ...inline.map((policy) => `aws iam delete-role-policy --role-name ${name} --policy-name ${policy.name}`),
  `aws iam delete-role --role-name ${name}`,
];

export const deleteAssociation = ({ region, cluster }: Snapshot, id: string): string =>
  `aws eks delete-pod-identity-association --region ${region} --cluster-name ${cluster.name} --association-id ${id}`;
