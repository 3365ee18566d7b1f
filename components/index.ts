// What other programs import. Each component can also be had by itself, from `eks-irsa/components/<file>`: that loads
// only what it needs.

export * from "../iam/policies.ts";
export type { NewRoleArgs, RoleArgs } from "../iam/role.ts";
export * from "../iam/trust-policy.ts";
export * from "./cluster.ts";
export * from "./image.ts";
export * from "./irsa.ts";
export * from "./lister.ts";
export * from "./toolbox.ts";
