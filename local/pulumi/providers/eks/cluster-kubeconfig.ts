import type { Cluster } from "@pulumi/aws/eks/cluster.js";
import * as pulumi from "@pulumi/pulumi";

export interface KubeconfigOptions {
  readonly roleArn?: string;
  readonly profileName?: string;
}

/** A cluster's kubeconfig as the real provider makes it: authentication through `aws eks get-token`. */
export function kubeconfig(
  cluster: Cluster,
  options?: pulumi.Input<{ roleArn?: pulumi.Input<string>; profileName?: pulumi.Input<string> } | undefined>,
) {
  return pulumi
    .all([cluster.name, cluster.arn, cluster.endpoint, cluster.certificateAuthority, options])
    .apply(([name, arn, server, { data }, given]) => ({
      apiVersion: "v1",
      clusters: [{ cluster: { server, "certificate-authority-data": data }, name: "kubernetes" }],
      contexts: [{ context: { cluster: "kubernetes", user: "aws" }, name: "aws" }],
      "current-context": "aws",
      kind: "Config",
      users: [
        {
          name: "aws",
          user: {
            exec: {
              apiVersion: "client.authentication.k8s.io/v1beta1",
              command: "aws",
              args: [
                "--region",
                arn.split(":")[3] ?? "",
                "eks",
                "get-token",
                "--cluster-name",
                name,
                "--output",
                "json",
                ...(given?.roleArn ? ["--role", given.roleArn] : []),
                ...(given?.profileName ? ["--profile", given.profileName] : []),
              ],
              env: [
                {
                  name: "KUBERNETES_EXEC_INFO",
                  value: '{"apiVersion": "client.authentication.k8s.io/v1beta1"}',
                },
              ],
            },
          },
        },
      ],
    }));
}
