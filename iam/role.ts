import type * as z from "zod";
import { anyOf, fail, integer, type Late, matching, object, text } from "./validation.ts";

/** A role to make. `L` is the type of a text that may come later. */
export interface NewRoleArgs<L = string> {
  /** Name, 1 to 64 characters of `A-Z a-z 0-9 + = , . @ - _`. Default: one that Pulumi makes unique. */
  readonly name?: string;

  /** Start of a name that AWS makes unique, at most 38 characters. Not with `name`. */
  readonly namePrefix?: string;

  /** Path, `/` or `/…/`, at most 512 characters. Default `/`. */
  readonly path?: string;

  /** What it is for, at most 1,000 characters of Latin-1. Default: says which ServiceAccount assumes it. */
  readonly description?: L;

  /** ARN of the policy that bounds what the role may ever do. Default none. */
  readonly permissionsBoundary?: L;

  /** Seconds that a session may last, 3,600 (1 h) to 43,200 (12 h). Default 3,600. */
  readonly maxSessionDuration?: number;
}

/** A role that is there already. It stays as it is: its trust policy must admit the ServiceAccount. */
export interface ExistingRoleArgs<L = string> {
  /** The role's ARN. */
  readonly arn: L;
}

export type RoleArgs<L = string> = NewRoleArgs<L> | ExistingRoleArgs<L>;

/** Characters of a role's name, and those that are left for what AWS adds to a prefix of it. */
const longestName = 64;
const suffixLength = 26;

/** Source: IAM API Reference, CreateRole. Typographic quotes and dashes are not in Latin-1. */
export const roleDescription = matching(
  /^[\t\n\r\u0020-\u007e\u00a1-\u00ff]{0,1000}$/,
  "at most 1,000 characters of Latin-1 (no typographic quotes or dashes)",
);

const policyArnPattern =
  /^arn:aws[a-z-]*:iam::(?:aws|\d{12}):policy\/((?:[\x21-\x7e]+\/)?[\w+=,.@-]{1,128})$/;

/** The part of a managed policy's ARN after `policy/`; undefined when the text is no such ARN. */
export const pathInPolicyArn = (arn: string): string | undefined =>
  arn.length <= 2048 ? policyArnPattern.exec(arn)?.[1] : undefined;

export const policyArnRule = "the ARN of a policy (arn:aws:iam::111122223333:policy/NAME)";
export const policyArn = text(policyArnRule, (arn) => pathInPolicyArn(arn) !== undefined);

export const roleArn = matching(
  /^(?=.{1,2048}$)arn:aws[a-z-]*:iam::\d{12}:role\/([\x21-\x7e]+\/)?[\w+=,.@-]{1,64}$/,
  "the ARN of a role",
);

const stays = "a role that is there already stays as it is; leave this out, or leave out arn";

/** The rules for a role. Source: IAM API Reference, CreateRole. */
export function roleSchema<L>(late: Late<L>): z.ZodType<RoleArgs<L>, RoleArgs<L>> {
  const made = {
    name: matching(/^[\w+=,.@-]{1,64}$/, "1 to 64 letters, digits or any of + = , . @ - _").optional(),
    namePrefix: matching(/^[\w+=,.@-]{1,38}$/, "1 to 38 letters, digits or any of + = , . @ - _").optional(),
    path: matching(
      /^(?=.{1,512}$)\/([!-.0-~]+\/)*$/,
      "/ or a path that starts and ends with /, at most 512 characters",
    ).optional(),
    description: late(roleDescription).optional(),
    permissionsBoundary: late(policyArn).optional(),
    maxSessionDuration: integer(3600, 43_200, "of seconds ").optional(),
  };
  const there = Object.fromEntries(Object.keys(made).map((key) => [key, stays]));
  return anyOf(
    [
      object({ arn: late(roleArn) }, there),
      object(made).superRefine((role, context) => {
        if (role.name !== undefined && role.namePrefix !== undefined) {
          fail(context, ["namePrefix"], "there is a name already; leave out one of the two");
        }
      }),
    ],
    `a map of ${Object.keys(made).join(", ")}, or { arn }`,
  );
}

/**
 * How a role, or a policy with room for more characters, gets its name where none is given. Pulumi adds a dash and seven
 * characters to the resource's own name, if IAM's limit leaves room for them; AWS makes longer ones unique by its own suffix.
 */
export function automaticName(resourceName: string, longest = longestName): { namePrefix?: string } {
  return resourceName.length + 8 <= longest
    ? {}
    : { namePrefix: `${resourceName.slice(0, longest - suffixLength - 1)}-` };
}
