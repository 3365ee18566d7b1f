import { expect } from "chai";
import type { BundleReference } from "../../../iam/bundles.ts";
import { account, allowed, examples, kmsKey, refuse, region } from "./harness.ts";

describe("bundles of secrets", () => {
  it("external-secrets reads its secrets and parameters only", async () => {
    const secret = (path: string) => `arn:aws:secretsmanager:${region}:${account}:secret:${path}`;
    const parameter = (path: string) => `arn:aws:ssm:${region}:${account}:parameter/${path}`;
    const reads: [action: string, resource: string, expected: boolean][] = [
      ["secretsmanager:GetSecretValue", secret("app/db-AbCdEf"), true],
      ["secretsmanager:GetSecretValue", secret("app/db-admin-AbCdEf"), false],
      ["secretsmanager:GetSecretValue", secret("app/dbs-AbCdEf"), false],
      ["secretsmanager:GetSecretValue", secret("team-a/x/y-AbCdEf"), true],
      ["secretsmanager:GetSecretValue", secret("team-b/x-AbCdEf"), false],
      ["secretsmanager:GetSecretValue", secret("by-arn-AbCdEf"), true],
      ["secretsmanager:PutSecretValue", secret("app/db-AbCdEf"), false],
      ["ssm:GetParameter", parameter("app/db"), true],
      ["ssm:GetParameter", parameter("app/db/password"), false],
      ["ssm:GetParameter", parameter("team-a/x"), true],
      // What is below a path is asked of the path itself.
      ["ssm:GetParametersByPath", parameter("team-a"), true],
      ["ssm:GetParametersByPath", parameter("team-a/sub"), true],
      ["ssm:GetParametersByPath", parameter("team-ab"), false],
      ["ssm:GetParameter", parameter("team-a"), false],
      ["ssm:PutParameter", parameter("app/db"), false],
      ["kms:Decrypt", kmsKey, true],
      ["kms:Decrypt", kmsKey.replace("1b2c3d4e", "00000000"), false],
    ];
    const { push: _, pushResourcePolicies: __, pushReplicas: ___, ...reader } = examples["external-secrets"];
    for (const [action, resource, expected] of reads) {
      expect(await allowed(reader, action, resource), `${action} ${resource}`).to.equal(expected);
    }
  });

  it("external-secrets writes its secrets and parameters when told so, and deletes what it made", async () => {
    const secret = (path: string) => `arn:aws:secretsmanager:${region}:${account}:secret:${path}`;
    const parameter = (path: string) => `arn:aws:ssm:${region}:${account}:parameter/${path}`;
    const pushing: BundleReference = {
      bundle: "external-secrets",
      secrets: ["app/db"],
      parameters: ["/app/db"],
      push: true,
      kmsKeys: [kmsKey],
    };
    const made = { "aws:ResourceTag/managed-by": "external-secrets" };
    const writes: [action: string, resource: string, expected: boolean, context?: Record<string, string>][] =
      [
        ["secretsmanager:CreateSecret", secret("app/db"), true],
        ["secretsmanager:CreateSecret", secret("app/db-AbCdEf"), true],
        ["secretsmanager:CreateSecret", secret("app/other"), false],
        ["secretsmanager:PutSecretValue", secret("app/db-AbCdEf"), true],
        ["secretsmanager:UntagResource", secret("app/db-AbCdEf"), true],
        ["secretsmanager:DeleteSecret", secret("app/db-AbCdEf"), true, made],
        ["secretsmanager:DeleteSecret", secret("app/db-AbCdEf"), false],
        ["secretsmanager:PutResourcePolicy", secret("app/db-AbCdEf"), false],
        ["secretsmanager:ReplicateSecretToRegions", secret("app/db-AbCdEf"), false],
        ["ssm:PutParameter", parameter("app/db"), true],
        ["ssm:PutParameter", parameter("app/other"), false],
        ["ssm:AddTagsToResource", parameter("app/db"), true],
        ["ssm:DeleteParameter", parameter("app/db"), true, made],
        ["ssm:DeleteParameter", parameter("app/db"), false],
        ["kms:GenerateDataKey", kmsKey, true],
        ["kms:Encrypt", kmsKey, true],
      ];
    for (const [action, resource, expected, context] of writes) {
      expect(await allowed(pushing, action, resource, context), `${action} ${resource}`).to.equal(expected);
    }
    for (const action of ["PutResourcePolicy", "ReplicateSecretToRegions"]) {
      const full = examples["external-secrets"];
      expect(await allowed(full, `secretsmanager:${action}`, secret("app/db-AbCdEf"))).to.equal(true);
    }
  });

  it("external-secrets sees the names of all only when it may find", async () => {
    expect(await allowed(examples["external-secrets"], "secretsmanager:ListSecrets", "*")).to.equal(true);
    const { find: _, ...named } = examples["external-secrets"];
    expect(await allowed(named, "secretsmanager:ListSecrets", "*")).to.equal(false);
    for (const action of ["ssm:DescribeParameters", "tag:GetResources"]) {
      expect(await allowed(examples["external-secrets"], action, "*"), action).to.equal(true);
      expect(await allowed(named, action, "*"), action).to.equal(false);
    }
  });

  refuse([
    ["nothing to read", { bundle: "external-secrets" }, ".secrets is not set; give it, or parameters"],
    [
      "the path of parameters that is meant as all of them",
      { bundle: "external-secrets", parameters: ["/team-a/"] },
      '.parameters holds ["/team-a/"]; it must be a list of names or patterns such as ["/app/db", "/team-a/*"]',
    ],
    [
      "what is pushed with secrets that are not pushed",
      { bundle: "external-secrets", secrets: ["app/db"], pushReplicas: true },
      ".pushReplicas holds true; it is for secrets that are pushed",
    ],
    [
      "all secrets by a stray *",
      { bundle: "external-secrets", secrets: ["*"] },
      '.secrets holds ["*"]; it must be a list of names or patterns',
    ],
    [
      "a secret's ARN that would match nothing",
      {
        bundle: "external-secrets",
        secrets: [`arn:aws:secretsmanager:${region}:${account}:secret:app/db`],
      },
      "ARNs that end in the six characters that AWS adds, or in *",
    ],
  ]);
});
