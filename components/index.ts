// What other programs import. Each component can also be had by itself, from `eks-irsa/components/<file>`: that loads
// only what it needs.
export * from "./cluster";
export * from "./image";
export * from "./irsa";
export * from "./lister";
export * from "./policies";
export type { NewRoleArgs, RoleArgs } from "./role-args";
export * from "./toolbox";
export * from "./trust-policy";
