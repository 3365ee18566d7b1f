import type { Of } from "../bundles.ts";
import type { Statement } from "../policy-document.ts";
import {
  actionsOf,
  allow,
  type Definition,
  flag,
  inline,
  kmsKeys,
  list,
  optional,
  when,
} from "./definition.ts";

// Names of secrets and parameters, whole or as patterns. They begin with something, so that nobody gets all by a stray
// `*`; a parameter's does not end in a slash: all below a path is `/path/*`.
const secretName = /^[\w/+=.@-][\w/+=.@*?-]*$/;
const parameterName = /^\/?[\w.-][\w/.*?-]*(?<!\/)$/;

/** ARN of a secret, which ends in six characters that AWS chose; without them, or a wildcard, it matches nothing. */
const secretArn =
  /^arn:aws[a-z-]*:secretsmanager:[a-z0-9*-]+:(\d{12}|\*):secret:[\w/+=.@*?-]+(-[A-Za-z0-9]{6}|[*?])$/;
const parameterArn = /^arn:aws[a-z-]*:ssm:[a-z0-9*-]+:(\d{12}|\*):parameter\/[\w/.*?-]*[\w.*?-]$/;

const secretArnOf = (partition: string, secret: string): string =>
  secret.startsWith("arn:")
    ? secret
    : `arn:${partition}:secretsmanager:*:*:secret:${secret}${/[*?]$/.test(secret) ? "" : "-??????"}`;
const parameterArnOf = (partition: string, parameter: string): string =>
  parameter.startsWith("arn:")
    ? parameter
    : `arn:${partition}:ssm:*:*:parameter/${parameter.replace(/^\//, "")}`;

/** Source: "AWS Secrets Manager" and "Parameter Store", provider pages of external-secrets.io (0.9 to 2.x), and the code that they describe. */
export const externalSecrets: Definition<Of<"external-secrets">> = {
  parameters: {
    secrets: optional(
      list(
        'a list of names or patterns such as ["app/db", "team-a/*"], or of ARNs that end in the six characters that AWS adds, or in *',
        secretName,
        secretArn,
      ),
    ),
    parameters: optional(
      list(
        'a list of names or patterns such as ["/app/db", "/team-a/*"], or of ARNs',
        parameterName,
        parameterArn,
      ),
    ),
    find: flag,
    push: flag,
    pushResourcePolicies: flag,
    pushReplicas: flag,
    kmsKeys,
  },
  fault: ({ secrets, parameters, push, pushResourcePolicies, pushReplicas }) => {
    if (secrets === undefined && parameters === undefined) {
      return ["secrets", "give it, or parameters: lists of names, patterns or ARNs"];
    }
    for (const [asked, key] of [
      [pushResourcePolicies, "pushResourcePolicies"],
      [pushReplicas, "pushReplicas"],
    ] as const) {
      if (asked && !(push && secrets))
        return [key, "it is for secrets that are pushed: it needs push and secrets"];
    }
    return undefined;
  },
  resolve: (reference) => [
    inline((partition) => [
      ...(reference.secrets === undefined ? [] : secretStatements(partition, reference.secrets, reference)),
      ...(reference.parameters === undefined
        ? []
        : parameterStatements(partition, reference.parameters, reference)),
      ...keyStatements(reference),
    ]),
  ],
};

type Parts = Of<"external-secrets">;

// What finds is not scoped: IAM knows no resource for it but `*`. It tells names and tags, no value.

/** What the operator made it marks, and it deletes nothing else. */
const madeByOperator = { StringEquals: { "aws:ResourceTag/managed-by": "external-secrets" } };

function secretStatements(partition: string, secrets: readonly string[], parts: Parts): Statement[] {
  const actions = actionsOf("secretsmanager");
  const arns = secrets.map((secret) => secretArnOf(partition, secret));
  return [
    allow(actions("DescribeSecret", "GetResourcePolicy", "GetSecretValue", "ListSecretVersionIds"), arns),
    ...when(parts.find, allow(actions("BatchGetSecretValue", "ListSecrets"), "*")),
    ...when(
      parts.push,
      // A secret that is yet to be made has no six characters.
      allow(actions("CreateSecret"), [...new Set(arns.flatMap((arn) => [arn, arn.replace(/-\?{6}$/, "")]))]),
      allow(
        actions(
          ...["PutSecretValue", "TagResource", "UntagResource"],
          ...when(parts.pushResourcePolicies, "PutResourcePolicy", "DeleteResourcePolicy"),
          ...when(parts.pushReplicas, "ReplicateSecretToRegions", "RemoveRegionsFromReplication"),
        ),
        arns,
      ),
      allow(actions("DeleteSecret"), arns, madeByOperator),
    ),
  ];
}

function parameterStatements(partition: string, parameters: readonly string[], parts: Parts): Statement[] {
  const actions = actionsOf("ssm");
  const arns = parameters.map((parameter) => parameterArnOf(partition, parameter));
  // Who asks for what is below a path asks for the path itself, which `/path/*` does not match.
  const paths = arns.filter((arn) => arn.endsWith("/*")).map((arn) => arn.slice(0, -"/*".length));
  return [
    allow(actions("GetParameter", "GetParameters", "GetParametersByPath", "ListTagsForResource"), arns),
    ...when(paths.length > 0, allow(actions("GetParametersByPath"), paths)),
    ...when(parts.find, allow(["ssm:DescribeParameters", "tag:GetResources"], "*")),
    ...when(
      parts.push,
      allow(actions("PutParameter", "AddTagsToResource", "RemoveTagsFromResource"), arns),
      allow(actions("DeleteParameter"), arns, madeByOperator),
    ),
  ];
}

function keyStatements({ parameters, push, kmsKeys }: Parts): Statement[] {
  if (kmsKeys === undefined) return [];
  const writing = push ? ["GenerateDataKey", ...when(parameters !== undefined, "Encrypt")] : [];
  return [allow(actionsOf("kms")("Decrypt", ...writing), kmsKeys)];
}
