import { KubeConfig } from "@kubernetes/client-node";

/** Access to a Kubernetes as its administrator, whose kubeconfig the file is. */
export function administrator(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}
