import type { Provider } from "@pulumi/kubernetes/provider.js";
import type * as pulumi from "@pulumi/pulumi";

/** What the rest of a program needs to know of a cluster, whether it made it or found it. */
export interface ClusterAccess {
  readonly clusterName: pulumi.Output<string>;
  /** Kubeconfig as JSON; a secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** ARN of the IAM OIDC provider of the cluster's issuer. */
  readonly oidcProviderArn: pulumi.Output<string>;
  /** Kubernetes provider for objects that the stack makes: one that is there already is an error, not taken over. */
  readonly provider: Provider;
  /** The nodes that pods run on, where this stack makes them: what waits for its pods has to wait for these first. */
  readonly nodeGroup?: pulumi.Resource;
}
