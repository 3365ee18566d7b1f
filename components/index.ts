// What other programs import. Each component can also be had by itself, from `eks-irsa/components/<file>`: that loads
// only what it needs.

export * from "../iam/policies.ts";
export * from "../iam/quotas.ts";
export * from "../iam/trust-policy.ts";
export { ArgumentError } from "../iam/validation.ts";
export * from "./cluster.ts";
export * from "./cluster-access.ts";
export * from "./existing-cluster.ts";
export * from "./image.ts";
// The component's own: their texts may be outputs of other resources.
export type { PolicyReference } from "./irsa.ts";
export * from "./irsa.ts";
export * from "./lister.ts";
export * from "./referenced-cluster.ts";
export * from "./toolbox.ts";
