import { deepEqual } from "../../provider-host/diff.ts";
import type { Properties } from "../../provider-host/properties.ts";
import type { Provider } from "../../provider-host/resource-type.ts";
import { ApiServer, loadKubeconfig } from "./api.ts";
import { type Kubernetes, objectType } from "./objects.ts";

export interface KubernetesOptions {
  /** Path of the kubeconfig for provider instances that are given none. */
  readonly kubeconfigFallback?: string;
  /** For the programs that kubeconfigs name to fetch tokens (`aws eks get-token`), on top of this process's environment. */
  readonly execEnvironment: Readonly<Record<string, string>>;
}

const objects = objectType(false);
const patches = objectType(true);

/** `kubernetes:<group>/<version>:<Kind>`, but none of the packages that render other formats. */
const typeToken = /^kubernetes:(?!(?:yaml|helm\.sh|kustomize)\/)[a-z0-9.-]+\/v[a-z0-9]+:([A-Z]\w*)$/;

/** The Kubernetes provider, on server-side apply. */
export function kubernetesProvider(options: KubernetesOptions): Provider<Kubernetes> {
  // Instances with the same kubeconfig share what discovery and token programs have answered.
  const servers = new Map<string, ApiServer>();
  return {
    name: "kubernetes",
    version: "4.34.2",
    configure(args) {
      const given = args.kubeconfig || options.kubeconfigFallback;
      const key = JSON.stringify([given, args.context]);
      let server = servers.get(key);
      if (!server) {
        const kubeconfig = loadKubeconfig(given, options.execEnvironment);
        if (kubeconfig && typeof args.context === "string") kubeconfig.setCurrentContext(args.context);
        server = kubeconfig && new ApiServer(kubeconfig);
      }
      if (server) servers.set(key, server);
      return {
        api() {
          if (server) return server;
          throw new Error(
            "the kubernetes provider has no kubeconfig: give it one, as `new kubernetes.Provider` does",
          );
        },
        namespace: typeof args.namespace === "string" && args.namespace ? args.namespace : undefined,
        force: args.enablePatchForce === true,
        upsert: args.upsertExistingObjects === true,
      };
    },
    replacedBy: (olds, news) => (sameCluster(olds, news) ? [] : ["kubeconfig"]),
    resourceType(type) {
      const kind = typeToken.exec(type)?.[1];
      if (kind === undefined || kind.endsWith("List")) return undefined;
      return kind.endsWith("Patch") ? patches : objects;
    },
    functions: {},
  };
}

/** Whether two configurations lead to one cluster. What is unknown, or cannot be read, may well do. */
function sameCluster(olds: Properties, news: Properties): boolean {
  const clusterOf = ({ kubeconfig }: Properties) => {
    try {
      return loadKubeconfig(kubeconfig, {})?.getCurrentCluster() ?? undefined;
    } catch {
      return undefined;
    }
  };
  const [old, now] = [clusterOf(olds), clusterOf(news)];
  return old === undefined || now === undefined || deepEqual(old, now);
}
