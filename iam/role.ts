import type { Input } from "@pulumi/pulumi";

/** A role that the component makes. */
export interface NewRoleArgs {
  /** The role's name, 1 to 64 characters of `A-Z a-z 0-9 + = , . @ - _`. Default: one that Pulumi makes unique. */
  readonly name?: string;

  /** Start of a name that AWS makes unique, at most 38 characters. Not with `name`. */
  readonly namePrefix?: string;

  /** Path, `/` or `/…/`, at most 512 characters. Default `/`. */
  readonly path?: string;

  /** Default: says which ServiceAccount assumes it. */
  readonly description?: Input<string>;

  /** ARN of the policy that bounds what the role may ever do. Default none. */
  readonly permissionsBoundary?: Input<string>;

  /** Seconds that a session may last, 3,600 (1 h) to 43,200 (12 h). Default 3,600. Source: IAM API Reference, CreateRole. */
  readonly maxSessionDuration?: number;
}

/** A role that is there already. It stays as it is: its trust policy must admit the ServiceAccount. */
export interface ExistingRoleArgs {
  /** The role's ARN. */
  readonly arn: Input<string>;
}

export type RoleArgs = NewRoleArgs | ExistingRoleArgs;

/** What the rules below are about, whether it came from a program or from a configuration file. */
export type RoleKey = keyof NewRoleArgs | "arn";

/** Longest name that still leaves room for what Pulumi or AWS adds. */
const longestPrefix = 38;

/** Rules for a role's plain values: what each must be, as the end of a sentence. Source: IAM API Reference, CreateRole. */
export const roleRules = {
  name: {
    rule: "1 to 64 letters, digits or any of + = , . @ - _",
    test: (value: unknown) => typeof value === "string" && /^[\w+=,.@-]{1,64}$/.test(value),
  },
  namePrefix: {
    rule: `1 to ${longestPrefix} letters, digits or any of + = , . @ - _`,
    test: (value: unknown) => typeof value === "string" && /^[\w+=,.@-]{1,38}$/.test(value),
  },
  path: {
    rule: "/ or a path that starts and ends with /, at most 512 characters",
    test: (value: unknown) =>
      typeof value === "string" && value.length <= 512 && /^\/([!-.0-~]+\/)*$/.test(value),
  },
  maxSessionDuration: {
    rule: "a whole number of seconds from 3600 to 43200",
    test: (value: unknown) => Number.isInteger(value) && Number(value) >= 3600 && Number(value) <= 43_200,
  },
} as const;

/** What is wrong with a role's arguments. */
export interface RoleFault {
  readonly key: RoleKey;
  /** The end of a sentence that begins with the key and what it holds. */
  readonly problem: string;
}

/** Everything that is wrong. */
export function roleFaults(role: RoleArgs): RoleFault[] {
  if ("arn" in role) {
    const problem = "a role that is there already stays as it is; leave this out, or leave out arn";
    return Object.keys(role)
      .filter((key) => key !== "arn")
      .map((key) => ({ key: key as RoleKey, problem }));
  }
  const faults: RoleFault[] = Object.entries(roleRules)
    .filter(([key, { test }]) => {
      const value = role[key as keyof typeof roleRules];
      return value !== undefined && !test(value);
    })
    .map(([key, { rule }]) => ({ key: key as RoleKey, problem: `it must be ${rule}` }));
  if (role.name !== undefined && role.namePrefix !== undefined) {
    faults.push({ key: "namePrefix", problem: "there is a name already; leave out one of the two" });
  }
  return faults;
}

/**
 * How a role gets its name where none is given. Pulumi adds a dash and seven characters to the resource's own name, if
 * IAM's 64 leave room for them; AWS makes longer ones unique by its own suffix.
 */
export function automaticName(resourceName: string): { namePrefix?: string } {
  return resourceName.length + 8 <= 64 ? {} : { namePrefix: `${resourceName.slice(0, longestPrefix - 1)}-` };
}
