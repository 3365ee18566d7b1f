import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ECRClient } from "@aws-sdk/client-ecr";
import { EKSClient } from "@aws-sdk/client-eks";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";

export interface AwsOptions {
  /** URL at which every AWS service answers. */
  readonly endpoint: string;
  /** Region where the provider's own configuration names none. */
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** What resources and functions work with: clients of one region, and the provider's own settings. */
export interface Aws {
  readonly region: string;
  /** Tags for everything that can be tagged. */
  readonly defaultTags: Readonly<Record<string, string>>;
  readonly iam: IAMClient;
  readonly eks: EKSClient;
  readonly ecr: ECRClient;
  readonly logs: CloudWatchLogsClient;
  readonly ec2: EC2Client;
  readonly s3: S3Client;
  readonly sts: STSClient;
}

/** Requests of one call at most, as the real provider's `max_retries`. The SDK waits longer before each, up to 20 s. */
const maxAttempts = 25;

/** Milliseconds after which a request that has no answer is given up. None of those made here takes as long. */
const requestTimeout = 20_000;

/** The clients of a region; one set serves every provider instance. */
export function clients(options: AwsOptions, region: string): Omit<Aws, "defaultTags"> {
  const common = {
    endpoint: options.endpoint,
    region,
    credentials: { ...options.credentials },
    maxAttempts,
    requestHandler: { connectionTimeout: 5000, requestTimeout, throwOnRequestTimeout: true },
  };
  return {
    region,
    iam: new IAMClient(common),
    eks: new EKSClient(common),
    ecr: new ECRClient(common),
    logs: new CloudWatchLogsClient(common),
    ec2: new EC2Client(common),
    s3: new S3Client({ ...common, forcePathStyle: true }),
    sts: new STSClient(common),
  };
}
