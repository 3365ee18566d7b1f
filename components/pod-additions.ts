import { createHash } from "node:crypto";
import type { core } from "@pulumi/kubernetes/types/input.js";
import type * as pulumi from "@pulumi/pulumi";
import { stsAudience } from "../iam/trust-policy.ts";

// What a pod's template must hold where the pod identity webhook does not give it all: the pod's identity itself, on the way
// from one mechanism to another, or a second role to go on to.

/**
 * What goes into a pod's template.
 *
 * @example { env: [...own, ...irsa.podAdditions?.env ?? []], ... }
 */
export interface PodAdditions {
  /** Of each container. */
  readonly env: readonly core.v1.EnvVar[];
  /** Of each container. */
  readonly volumeMounts: readonly core.v1.VolumeMount[];
  /** Of the pod. */
  readonly volumes: readonly core.v1.Volume[];
}

/** Where the webhook mounts the token, and under which name. Source: github.com/aws/amazon-eks-pod-identity-webhook, pkg/handler. */
const token = {
  volume: "aws-iam-token",
  folder: "/var/run/secrets/eks.amazonaws.com/serviceaccount",
  path: "token",
};
const tokenFile = `${token.folder}/${token.path}`;

export interface WebIdentity {
  readonly roleArn: pulumi.Input<string>;
  readonly audience?: string | undefined;
  readonly tokenExpirationSeconds?: number | undefined;
}

/**
 * A web identity as the webhook gives it, under its names, so that it takes it for its own: for pods that are to have it
 * although an association would have the webhook give them another. SDKs take it before the agent's.
 */
const webIdentityAdditions = ({
  roleArn,
  audience = stsAudience,
  tokenExpirationSeconds = 86_400,
}: WebIdentity): PodAdditions => ({
  env: [
    { name: "AWS_ROLE_ARN", value: roleArn },
    { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: tokenFile },
  ],
  volumeMounts: [{ name: token.volume, mountPath: token.folder, readOnly: true }],
  volumes: [
    {
      name: token.volume,
      projected: {
        sources: [
          { serviceAccountToken: { audience, expirationSeconds: tokenExpirationSeconds, path: token.path } },
        ],
      },
    },
  ],
});

const config = { volume: "aws-config", folder: "/etc/eks-irsa/aws", key: "config", profile: "chained" };

export interface AwsConfig {
  readonly roleArn: string;
  /** The role that the pod goes on to. */
  readonly target: string;
  readonly externalId?: string | undefined;
}

/**
 * An AWS configuration by which an SDK swaps the pod's token for the first role, and with that assumes the second; no
 * program is run for it. Under a name of its own for each content: a pod keeps what it has mounted.
 */
export function awsConfig({ roleArn, target, externalId }: AwsConfig) {
  const lines = [
    `[profile ${config.profile}]`,
    `role_arn = ${target}`,
    "source_profile = pod",
    ...(externalId === undefined ? [] : [`external_id = ${externalId}`]),
    "",
    "[profile pod]",
    `role_arn = ${roleArn}`,
    `web_identity_token_file = ${tokenFile}`,
    "",
  ];
  const text = lines.join("\n");
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { name: `aws-config-${digest}`, data: { [config.key]: text } };
}

const awsConfigAdditions = (configMap: pulumi.Input<string>): PodAdditions => ({
  env: [
    { name: "AWS_CONFIG_FILE", value: `${config.folder}/${config.key}` },
    { name: "AWS_PROFILE", value: config.profile },
  ],
  volumeMounts: [{ name: config.volume, mountPath: config.folder, readOnly: true }],
  volumes: [{ name: config.volume, configMap: { name: configMap } }],
});

/** All that a template needs; undefined where the webhook gives it all. */
export function podAdditions(needs: {
  readonly webIdentity?: WebIdentity | undefined;
  /** Name of the ConfigMap with the AWS configuration. */
  readonly configMap?: pulumi.Input<string> | undefined;
}): PodAdditions | undefined {
  const all = [
    ...(needs.webIdentity ? [webIdentityAdditions(needs.webIdentity)] : []),
    ...(needs.configMap === undefined ? [] : [awsConfigAdditions(needs.configMap)]),
  ];
  if (all.length === 0) return undefined;
  return {
    env: all.flatMap(({ env }) => env),
    volumeMounts: all.flatMap(({ volumeMounts }) => volumeMounts),
    volumes: all.flatMap(({ volumes }) => volumes),
  };
}
