import type * as z from "zod";
import { integer, object } from "./validation.ts";

// What an account allows a role. Source: "IAM and AWS STS quotas", IAM User Guide.

/** Managed policies that a role may have: by default, and where AWS raised it. */
export const managedPoliciesPerRole = { default: 10, max: 25 } as const;

/** Characters that a role's trust policy may have: by default, and where AWS raised it. */
export const trustPolicyCharacters = { default: 2048, max: 4096 } as const;

/** Characters, without white space, that the inline policies of a role may have together. */
export const inlinePolicyCharacters = 10_240;

/** Characters, without white space, of a customer-managed policy. */
export const managedPolicyCharacters = 6144;

/** Characters of a session policy. Source: AssumeRole, AWS STS API Reference. */
export const sessionPolicyCharacters = 2048;

/** The quotas of an account that differ from AWS's defaults. */
export interface Quotas {
  /** Managed policies that a role may have, 10 to 25. Default 10. */
  readonly managedPoliciesPerRole?: number;
  /** Characters that a trust policy may have, 2,048 to 4,096. Default 2,048. */
  readonly trustPolicyCharacters?: number;
}

const raised = ({ default: min, max }: { readonly default: number; readonly max: number }) =>
  integer(min, max).optional();

export const quotasSchema: z.ZodType<Quotas, Quotas> = object({
  managedPoliciesPerRole: raised(managedPoliciesPerRole),
  trustPolicyCharacters: raised(trustPolicyCharacters),
});
