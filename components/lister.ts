import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import * as pulumi from "@pulumi/pulumi";

import type { PodAdditions } from "./pod-additions.ts";

import { containerSecurityContext, podSecurityContext } from "./pod-security.ts";
import { goesFirst } from "./replacement.ts";
import { rolledOut } from "./rollout.ts";

export interface S3ListerArgs {
  /** Image to run, by digest: `<repository>@sha256:<digest>`. */
  readonly image: pulumi.Input<string>;

  /** Namespace of the Deployment: that of the ServiceAccount. */
  readonly namespace: pulumi.Input<string>;

  /** ServiceAccount whose role the pods assume. */
  readonly serviceAccountName: pulumi.Input<string>;

  /** Region whose S3 and STS endpoints the pods call, as `AWS_REGION`. */
  readonly region: pulumi.Input<string>;

  /** Pods to run. Default 1. */
  readonly replicas?: pulumi.Input<number>;

  /** Seconds between two listings. Default 60. */
  readonly intervalSeconds?: pulumi.Input<number>;

  /**
   * Seconds in which a pod must have listed the buckets before the rollout counts as failed, and Pulumi says so with the
   * pod's own reason. Default 300: IAM needs up to a minute until a new role works everywhere, a new node two until it has
   * pulled an image.
   */
  readonly progressDeadlineSeconds?: number;

  /**
   * Annotations of the pods: `podAnnotations` of the `IrsaServiceAccount`, so that a change of the role or of what it allows
   * is proved by pods that were admitted with it. Default none.
   */
  readonly podAnnotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;

  /** What the pods' template must have beside: `podAdditions` of the `IrsaServiceAccount`. Default nothing. */
  readonly podAdditions?: PodAdditions | undefined;

  /** Memory of a container. Default what the lister in Go needs: `{ request: "32Mi", limit: "64Mi" }`. */
  readonly memory?: { readonly request: string; readonly limit: string };

  /** Labels of the Deployment and its pods, beside the selector's own. Default none. */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Port that the lister serves its pages, probes and metrics on. */
export const listerPort = 8080;

/**
 * The S3 lister as a Deployment. A pod is ready only once it has listed the account's buckets with its own role, and
 * Pulumi waits for the rollout: when this resource is there, the whole chain from issuer to policy has worked.
 *
 * The pods run as a user without rights on a read-only file system, under the restricted Pod Security Standard. They
 * have no credentials but their token: no API token is mounted, and the SDK may not ask the node for its role, which
 * would hide a broken chain behind other permissions.
 */
export class S3Lister extends pulumi.ComponentResource {
  readonly deployment: Deployment;
  /** Name of the Deployment, once its pods are those that this program says. */
  readonly name: pulumi.Output<string>;

  constructor(name: string, args: S3ListerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("eks-irsa:index:S3Lister", name, {}, opts);

    const selector = { "app.kubernetes.io/name": "s3-lister", "app.kubernetes.io/instance": name };
    const labels = pulumi.output(args.labels ?? {}).apply((extra) => ({ ...extra, ...selector }));

    const { podAdditions: additions } = args;
    const { progressDeadlineSeconds = 300 } = args;
    // Pulumi's provider waits ten minutes by itself, whatever the Deployment says.
    const patience = `${progressDeadlineSeconds}s`;

    this.deployment = new Deployment(
      `${name}-deployment`,
      {
        metadata: { name, namespace: args.namespace, labels },
        spec: {
          replicas: args.replicas ?? 1,
          progressDeadlineSeconds,
          selector: { matchLabels: selector },
          template: {
            metadata: {
              labels,
              annotations: pulumi
                .output(args.podAnnotations ?? {})
                .apply((given) => ({ ...given, "kubectl.kubernetes.io/default-container": "lister" })),
            },
            spec: {
              serviceAccountName: args.serviceAccountName,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurityContext,
              // The lister needs at most 10 s to end what it is serving; the rest is margin.
              terminationGracePeriodSeconds: 30,
              volumes: additions && [...additions.volumes],
              containers: [
                {
                  name: "lister",
                  image: args.image,
                  args: [pulumi.interpolate`--interval=${args.intervalSeconds ?? 60}s`],
                  env: [
                    { name: "AWS_REGION", value: args.region },
                    { name: "AWS_EC2_METADATA_DISABLED", value: "true" },
                    ...(additions?.env ?? []),
                  ],
                  volumeMounts: additions && [...additions.volumeMounts],
                  ports: [{ name: "http", containerPort: listerPort }],
                  resources: {
                    requests: { cpu: "10m", memory: args.memory?.request ?? "32Mi" },
                    limits: { memory: args.memory?.limit ?? "64Mi" },
                  },
                  securityContext: { ...containerSecurityContext, readOnlyRootFilesystem: true },
                  // A listing may take as long as S3 lets it; until then only readiness is red, and no one restarts the pod.
                  readinessProbe: probe("/readyz", { periodSeconds: 2, failureThreshold: 3 }),
                  livenessProbe: probe("/healthz", { periodSeconds: 10, failureThreshold: 3 }),
                },
              ],
            },
          },
        },
      },
      { parent: this, ...goesFirst, customTimeouts: { create: patience, update: patience } },
    );

    this.name = rolledOut(this.deployment);
    this.registerOutputs({ name: this.name });
  }
}

function probe(path: string, timing: { periodSeconds: number; failureThreshold: number }) {
  return { httpGet: { path, port: "http" }, timeoutSeconds: 2, ...timing };
}
