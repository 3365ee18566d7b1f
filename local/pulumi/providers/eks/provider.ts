import type { Provider } from "../../provider-host/index.ts";

/** The EKS provider: it has no resources of its own, its components come by `componentService`. */
export const eksProvider: Provider<object> = {
  name: "eks",
  title: "the local stand-in for the eks provider",
  version: "4.3.0",
  hasComponents: true,
  configure: () => ({}),
  resourceType: () => undefined,
  functions: {},
};
