/**
 * Annotation by which Pulumi's Kubernetes provider takes fields back that another field manager has changed: somebody with
 * `kubectl edit`, as a rule. Without it an `up` after such a change ends in a conflict, and mends nothing. For objects
 * that a component makes; on one that it only patches, another manager's fields are to be respected.
 */
export const forceFieldOwnership = { "pulumi.com/patchForce": "true" } as const;
