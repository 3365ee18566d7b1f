/**
 * What the restricted Pod Security Standard asks of a pod: a user without rights, and the runtime's own seccomp profile.
 * Source: "Pod Security Standards", Kubernetes documentation.
 */
export const podSecurityContext = {
  runAsNonRoot: true,
  runAsUser: 65532,
  runAsGroup: 65532,
  // The kubelet makes the projected token readable by this group.
  fsGroup: 65532,
  seccompProfile: { type: "RuntimeDefault" },
};

/** What it asks of each container. */
export const containerSecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
};
