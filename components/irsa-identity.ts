import type * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import { characters, type PolicyDocumentInput, policyDocument } from "../iam/policy-document.ts";
import { sessionPolicyCharacters } from "../iam/quotas.ts";
import { anyOf, flag, matching, must, object, oneOf } from "../iam/validation.ts";

// How pods get the credentials of their role: what a binding may say of it.

type Text = pulumi.Input<string>;

export const identityMechanisms = ["irsa", "pod-identity"] as const;
/** How a pod gets the role's credentials. */
export type IdentityMechanism = (typeof identityMechanisms)[number];

/** The mechanism of new pods, while those of the other one still run. */
export interface MigratingIdentity {
  /** How a pod that starts now gets the role's credentials. */
  readonly mechanism: IdentityMechanism;
  /** Whether the role goes on to admit pods that have their credentials by the other mechanism. Default false. */
  readonly migrating?: boolean;
}
export type IdentityArgs = IdentityMechanism | MigratingIdentity;

/**
 * What there is for an identity. A migration goes along the rows of this table, in either direction, an `up` each; between
 * two neighbours no pod is refused, whichever of the two it was started under.
 *
 * | | trust | annotation | association | pods |
 * |---|---|---|---|---|
 * | `irsa` | web identity | yes | no | as the webhook has it |
 * | `irsa`, migrating | both | yes | no | told of web identity by their template, association or not |
 * | `pod-identity`, migrating | both | yes | yes | as the webhook has it: the association wins |
 * | `pod-identity` | Pod Identity | no | yes | as the webhook has it |
 */
export function phaseOf(identity: IdentityArgs = "irsa") {
  const { mechanism, migrating = false } = typeof identity === "string" ? { mechanism: identity } : identity;
  return {
    mechanism,
    migrating,
    webIdentity: mechanism === "irsa" || migrating,
    podIdentity: mechanism === "pod-identity" || migrating,
    /** The engine deletes last: so on the way back pods have web identity before the association goes. */
    associated: mechanism === "pod-identity",
    webIdentityInTemplate: mechanism === "irsa" && migrating,
  };
}

/** The role that EKS goes on to assume for the pods: often one of another account. `L` is a text that may come later. */
export interface TargetRoleArgs<L = Text> {
  /** Its ARN. What its trust policy must hold is the component's `targetTrustPolicy`. */
  readonly arn: L;
}

/** The role that pods go on to assume with the credentials of their first. `L` is a text that may come later. */
export interface ChainArgs<L = Text> {
  /** ARN of the second role. What its trust policy must hold is the component's `targetTrustPolicy`. */
  readonly role: L;
  /** What the second role's owner wants to be told, 2 to 1,224 characters. Default nothing. */
  readonly externalId?: string;
}

/**
 * Sessions of EKS Pod Identity without the tags by which it tells their cluster, namespace and ServiceAccount. AWS takes a
 * session policy for such sessions only: so there is none to say it for others.
 */
export interface SessionArgs {
  /** No tags. A trust policy cannot ask for them then: whom the role is for, the associations alone say. */
  readonly disableTags: true;
  /**
   * A policy document of at most 2,048 characters: what it does not allow, these pods may not, whatever the role may.
   * Default none.
   */
  readonly policy?: PolicyDocumentInput | string;
}

const mechanism = oneOf(identityMechanisms);
export const identitySchema: z.ZodType<IdentityArgs, IdentityArgs> = anyOf([
  object({ mechanism, migrating: flag().optional() }),
  mechanism,
]);

/** Source: AssumeRole, AWS STS API Reference. */
export const externalId = matching(
  /^[\w+=,.@:/-]{2,1224}$/,
  "2 to 1,224 letters, digits or any of + = , . @ : / - _",
);

export const sessionSchema = object({
  disableTags: z.literal(true, must("true: AWS takes a session policy for sessions without tags only")),
  policy: policyDocument
    .refine(
      (document) => characters(document) <= sessionPolicyCharacters,
      `AWS takes ${sessionPolicyCharacters} characters in a session policy`,
    )
    .optional(),
});
