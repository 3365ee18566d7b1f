import type { Of } from "../bundles.ts";
import type { Statement } from "../policy-document.ts";
import { allow, type Definition, flag, inline, kmsKeys, list, optional } from "./definition.ts";

// Names of secrets and parameters, whole or as patterns. They begin with something, so that nobody gets all by a stray `*`.
const secretName = /^[\w/+=.@-][\w/+=.@*?-]*$/;
const parameterName = /^\/?[\w.-][\w/.*?-]*$/;

/** ARN of a secret, which ends in six characters that AWS chose; without them, or a wildcard, it matches nothing. */
const secretArn = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9*-]+:(\d{12}|\*):secret:.+(-[A-Za-z0-9]{6}|[*?])$/;
const parameterArn = /^arn:aws[a-z-]*:ssm:[a-z0-9*-]+:(\d{12}|\*):parameter\/.+$/;

const secretArnOf = (partition: string, secret: string): string =>
  secret.startsWith("arn:")
    ? secret
    : `arn:${partition}:secretsmanager:*:*:secret:${secret}${/[*?]$/.test(secret) ? "" : "-??????"}`;
const parameterArnOf = (partition: string, parameter: string): string =>
  parameter.startsWith("arn:")
    ? parameter
    : `arn:${partition}:ssm:*:*:parameter/${parameter.replace(/^\//, "")}`;

/** Source: "AWS Secrets Manager" and "Parameter Store", provider pages of external-secrets.io (0.9 to 1.x). */
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
    kmsKeys,
  },
  resolve: ({ secrets = [], parameters = [], find, kmsKeys = [] }) => {
    if (secrets.length + parameters.length === 0) {
      throw new Error("the bundle external-secrets needs secrets or parameters: lists of names or ARNs");
    }
    return inline((partition) => {
      const statements: Statement[] = [];
      // What finds is not scoped: IAM knows no resource for it but `*`. It tells names and tags, no value.
      const finding: string[] = [];
      if (secrets.length > 0) {
        statements.push(
          allow(
            [
              "secretsmanager:DescribeSecret",
              "secretsmanager:GetResourcePolicy",
              "secretsmanager:GetSecretValue",
              "secretsmanager:ListSecretVersionIds",
            ],
            secrets.map((secret) => secretArnOf(partition, secret)),
          ),
        );
        finding.push("secretsmanager:BatchGetSecretValue", "secretsmanager:ListSecrets");
      }
      if (parameters.length > 0) {
        statements.push(
          allow(
            ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:ListTagsForResource"],
            parameters.map((parameter) => parameterArnOf(partition, parameter)),
          ),
        );
        finding.push("ssm:DescribeParameters");
      }
      if (find) statements.push(allow(finding, "*"));
      if (kmsKeys.length > 0) statements.push(allow("kms:Decrypt", kmsKeys));
      return statements;
    });
  },
};
