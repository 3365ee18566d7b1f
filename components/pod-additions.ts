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
const token = { volume: "aws-iam-token", path: "token" };
export const tokenFolder = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
const tokenFile = `${tokenFolder}/${token.path}`;

export interface WebIdentity {
  readonly audience?: string | undefined;
  readonly tokenExpirationSeconds?: number | undefined;
}

/** The variables by which SDKs find a web identity. A container that sets one of them gets neither from the webhook. */
const webIdentityVariables = (roleArn: pulumi.Input<string>, file: string): core.v1.EnvVar[] => [
  { name: "AWS_ROLE_ARN", value: roleArn },
  { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: file },
];

/** The token as the webhook mounts it, under its names, so that it takes it for its own. */
const tokenAdditions = ({
  audience = stsAudience,
  tokenExpirationSeconds = 86_400,
}: WebIdentity): Omit<PodAdditions, "env"> => ({
  volumeMounts: [{ name: token.volume, mountPath: tokenFolder, readOnly: true }],
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

/**
 * All that a template needs; undefined where the webhook gives it all.
 *
 * With a chain, the variable that names the token's file is there and empty: most SDKs, those for Go and Java among them, ask
 * the environment before the profile, would find the webhook's, and stay the first role.
 */
export function podAdditions(needs: {
  readonly roleArn: pulumi.Input<string>;
  /**
   * For pods that are to have a web identity although an association would have the webhook give them another. SDKs take
   * it before the agent's.
   */
  readonly webIdentity?: WebIdentity | undefined;
  /** Name of the ConfigMap with the AWS configuration. */
  readonly configMap?: pulumi.Input<string> | undefined;
}): PodAdditions | undefined {
  const { roleArn, webIdentity, configMap } = needs;
  const chained = configMap !== undefined;
  if (!chained && webIdentity === undefined) return undefined;
  const config = chained ? awsConfigAdditions(configMap) : none;
  const own = webIdentity ? tokenAdditions(webIdentity) : none;
  return {
    env: [...webIdentityVariables(roleArn, chained ? "" : tokenFile), ...config.env],
    volumeMounts: [...own.volumeMounts, ...config.volumeMounts],
    volumes: [...own.volumes, ...config.volumes],
  };
}

const none: PodAdditions = { env: [], volumeMounts: [], volumes: [] };
