import { KubeConfig } from "@kubernetes/client-node";
import { files } from "../run.ts";

/** Access to the run's Kubernetes as its administrator. */
export function administrator(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(files.kubeconfig);
  return config;
}
