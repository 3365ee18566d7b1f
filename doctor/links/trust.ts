import { trustPolicy } from "../../iam/trust-policy.ts";
import { type Finding, holds, type Link, unseen } from "../chain.ts";
import { judgeTrust } from "../trust.ts";

/** The role's trust policy admits this ServiceAccount of this cluster. */
export const trust: Link = {
  id: "trust",
  title: "The role trusts the ServiceAccount",
  async examine(seen, _, { namespace, serviceAccount }): Promise<Finding> {
    const { role, issuer = "", providerArn = "", audience = "" } = seen;
    if (role === undefined) return unseen("The role could not be read.");
    const sub = `system:serviceaccount:${namespace}:${serviceAccount}`;
    const { fault, undecided } = judgeTrust(role.trustPolicy, { issuer, providerArn, sub, aud: audience });
    if (fault === undefined) {
      return holds(`admits ${sub} for ${audience}`, ...undecided.map((one) => `only STS can judge: ${one}`));
    }
    const right = trustPolicy({ oidcProviderArn: providerArn, namespace, serviceAccount, audience });
    return {
      state: "broken",
      cause: fault.cause,
      what: fault.what,
      disagreement: fault.wanted && fault.found ? { wanted: fault.wanted, found: fault.found } : undefined,
      mend: [
        `aws iam update-assume-role-policy --role-name ${role.name} --policy-document '${JSON.stringify(right)}'`,
      ],
    };
  },
};
