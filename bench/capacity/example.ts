import type { Organisation, Shape } from "./model.ts";
import { defaults } from "./quotas.ts";

// What the tables are computed for. These are choices, not facts: change them to your own and run bench/capacity.ts.

/** One cluster of the example, and what it takes. */
export const shape: Shape = {
  bindingsPerCluster: 30,
  clustersPerRole: 1,
  managedPoliciesPerRole: 2,
  ownPoliciesPerRole: 1,
  rolesPerCluster: 2,
  otherRoles: 50,
  podsPerBinding: 3,
  identity: "irsa",
  regions: 1,
  names: { region: "eu-central-1", namespace: 12, serviceAccount: 12 },
};

/** The example organisation. */
export const organisation: Organisation = {
  environments: 3,
  clustersPerEnvironment: 20,
  accountPerEnvironment: true,
  shape,
};

/** Bindings a cluster, in the table of what fits. */
export const bindingsPerCluster = [10, 30, 100, 300];

/** Names of namespaces and ServiceAccounts, by their lengths: short, usual, long. */
export const nameLengths = [6, 12, 24];

/** Pods whose SDKs ask STS. */
export const processes = [100, 1000, 10_000, 30_000];

/** Seconds over which the pods of a cluster start again when all of them do. */
export const restartSpread = 60;

/** Calls a second that STS may take of AssumeRoleWithWebIdentity: nobody publishes it, so the lowest that was seen, one between, and what signed calls have. */
export const stsRates = [defaults.stsWebIdentityLow, 100, defaults.stsSigned];

/** Calls a second that IAM may take: the assumption, twice and four times that. */
export const iamRates = [defaults.iamWrites, 2 * defaults.iamWrites, 4 * defaults.iamWrites];

/** Operations that the engine has under way at a time: four for each of the runner's cores, unless told otherwise. */
export const parallelOperations = 4 * 4;

/** Bindings of a stack, in the tables of the engine and of stacks. */
export const stackSizes = [10, 30, 100, 300, 1000];

/** What a first `up` may take, in minutes. */
export const upMinutes = [1, 5, 15];

/** Stacks that are brought up at a time. */
export const parallelStacks = [1, 4, 16];

export const seed = 20_261_125;
