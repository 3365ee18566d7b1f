import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import * as pulumi from "@pulumi/pulumi";

import type { PodAdditions } from "./pod-additions.ts";

import { containerSecurityContext, podSecurityContext } from "./pod-security.ts";
import { goesFirst } from "./replacement.ts";

export interface ToolboxArgs {
  /** Image to run: one with a shell, Maven and a JDK. Default `maven:3.9-eclipse-temurin-21`. */
  readonly image?: pulumi.Input<string>;

  /** Namespace of the Deployment: that of the ServiceAccount. */
  readonly namespace: pulumi.Input<string>;

  /** ServiceAccount whose role the pod assumes. */
  readonly serviceAccountName: pulumi.Input<string>;

  /** Annotations of the pod, as those of an `S3Lister`. Default none. */
  readonly podAnnotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;

  /** What the pod's template must have beside, as with an `S3Lister`. Default nothing. */
  readonly podAdditions?: PodAdditions | undefined;

  /** Region whose S3 and STS endpoints the tools in it call, as `AWS_REGION`. */
  readonly region: pulumi.Input<string>;
}

/**
 * A pod that just waits, under the lister's ServiceAccount, so that a person can `kubectl exec` into it, build the lister in
 * Java there and run it with the very permissions that the lister has. `/work` can be written to, and is gone with the pod.
 */
export class Toolbox extends pulumi.ComponentResource {
  readonly deployment: Deployment;
  /** Name of the Deployment. */
  readonly name: pulumi.Output<string>;

  constructor(name: string, args: ToolboxArgs, opts?: pulumi.ComponentResourceOptions) {
    super("eks-irsa:index:Toolbox", name, {}, opts);
    const labels = { "app.kubernetes.io/name": "toolbox", "app.kubernetes.io/instance": name };
    const { podAdditions: additions } = args;
    this.deployment = new Deployment(
      `${name}-deployment`,
      {
        metadata: { name, namespace: args.namespace, labels },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: args.podAnnotations },
            spec: {
              serviceAccountName: args.serviceAccountName,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurityContext,
              // Nothing is lost by ending at once: a shell that sleeps hears no signal.
              terminationGracePeriodSeconds: 0,
              containers: [
                {
                  name: "toolbox",
                  image: args.image ?? "maven:3.9-eclipse-temurin-21",
                  command: ["sleep", "infinity"],
                  workingDir: "/work",
                  env: [
                    { name: "AWS_REGION", value: args.region },
                    { name: "AWS_EC2_METADATA_DISABLED", value: "true" },
                    { name: "HOME", value: "/work" },
                    ...(additions?.env ?? []),
                  ],
                  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "768Mi" } },
                  securityContext: containerSecurityContext,
                  volumeMounts: [{ name: "work", mountPath: "/work" }, ...(additions?.volumeMounts ?? [])],
                },
              ],
              volumes: [{ name: "work", emptyDir: {} }, ...(additions?.volumes ?? [])],
            },
          },
        },
      },
      { parent: this, ...goesFirst },
    );
    this.name = this.deployment.metadata.name;
    this.registerOutputs({ name: this.name });
  }
}
