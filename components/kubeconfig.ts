/** Whose credentials open the cluster, where they are not those that the environment gives anyway. */
export interface CredentialsArgs {
  /** Profile in the AWS configuration of whoever uses the kubeconfig. */
  readonly profile?: string;
  /** ARN of the IAM role to assume first. */
  readonly roleArn?: string;
}

export interface KubeconfigArgs {
  /** Name of the EKS cluster. */
  readonly cluster: string;
  /** URL of its API server. */
  readonly endpoint: string;
  /** The API server's certificate authority, PEM in base64, as EKS gives it. */
  readonly certificateAuthority: string;
  /** Region of the cluster. */
  readonly region: string;
  /** Default: the caller's own. */
  readonly credentials?: CredentialsArgs;
}

/**
 * A kubeconfig, as JSON, that authenticates with AWS credentials through `aws eks get-token`: what
 * `aws eks update-kubeconfig` writes. It holds no secret itself.
 */
export function kubeconfig(args: KubeconfigArgs): string {
  const { profile, roleArn } = args.credentials ?? {};
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: args.cluster,
        cluster: { server: args.endpoint, "certificate-authority-data": args.certificateAuthority },
      },
    ],
    users: [
      {
        name: args.cluster,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "aws",
            args: [
              "--region",
              args.region,
              "eks",
              "get-token",
              "--cluster-name",
              args.cluster,
              "--output",
              "json",
              ...(roleArn === undefined ? [] : ["--role-arn", roleArn]),
              ...(profile === undefined ? [] : ["--profile", profile]),
            ],
          },
        },
      },
    ],
    contexts: [{ name: args.cluster, context: { cluster: args.cluster, user: args.cluster } }],
    "current-context": args.cluster,
  });
}
