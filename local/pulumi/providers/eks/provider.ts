import type { Provider } from "../../provider-host/resource-type.ts";

/** The EKS provider: it has no resources of its own, its components come by `componentService`. */
export const eksProvider: Provider<object> = {
  name: "eks",
  version: "4.3.0",
  hasComponents: true,
  configure: () => ({}),
  resourceType: () => undefined,
  functions: {},
};
