import type { Path } from "../../provider-host/diff.ts";
import { isObject, type Properties } from "../../provider-host/properties.ts";

/** Parts of a kind that the API server does not let change. As the real provider has them. */
const immutable: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec.selector"],
  DaemonSet: ["spec.selector"],
  ReplicaSet: ["spec.selector"],
  StatefulSet: ["spec.podManagementPolicy", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"],
  Job: ["spec.completionMode", "spec.completions", "spec.selector", "spec.template"],
  Pod: ["spec"],
  PersistentVolumeClaim: ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  Service: ["spec.clusterIP", "spec.clusterIPs"],
  RoleBinding: ["roleRef"],
  ClusterRoleBinding: ["roleRef"],
  StorageClass: ["parameters", "provisioner"],
  Secret: ["type"],
};

/** Kinds that are replaced when their content changes, so that Pods which use them start anew. */
const content: Readonly<Record<string, readonly string[]>> = {
  ConfigMap: ["data", "binaryData", "immutable"],
  Secret: ["data", "stringData", "immutable"],
};

const identity = ["kind", "metadata", "metadata.name", "metadata.namespace"];

/** Whether a change there needs a new object. */
export function needsReplacement(news: Properties, path: Path): boolean {
  const dotted = path.join(".");
  // The whole of `metadata` changes only when it is unknown, and the name may be.
  if (identity.includes(dotted)) return true;
  const kind = String(news.kind);
  const mutable = isObject(news) && news.immutable === false;
  const parts = [...(immutable[kind] ?? []), ...(mutable ? [] : (content[kind] ?? []))];
  return parts.some((part) => dotted === part || dotted.startsWith(`${part}.`));
}
