import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { logs } from "../../local/machine/paths.ts";
import { openLocalStack } from "../../local/pulumi/engine.ts";
import { running } from "../../local/state.ts";
import { localIs, localUp } from "./tools.ts";

// What the program's whole life asks of AWS, as local's front door has it in its log, beside what docs/deployer-policy.json
// allows a deployer.

const frontDoorLog = join(logs, "services.log");

/** The calls since the log was so long, as `<service>:<operation>`. S3's have no name there: they are the pod's. */
function callsSince(bytes: number): Set<string> {
  const text = readFileSync(frontDoorLog).subarray(bytes).toString();
  const calls = [...text.matchAll(/ aws: [A-Z]+ ([a-z0-9]+:[A-Z]\w+) \d{3} /g)].map(([, call = ""]) => call);
  return new Set(calls);
}

describe("the deployer's policy", function () {
  this.timeout("20m");

  before(async () => {
    const shell = await localUp();
    process.env.PATH = shell.PATH; // the Automation API looks for the engine there
    process.env.LD_LIBRARY_PATH = shell.LD_LIBRARY_PATH;
  });
  after(() => localIs("changed"));

  it("allows every call that up, refresh and destroy make", async () => {
    const since = statSync(frontDoorLog).size;
    const state = running();
    const binding = {
      namespace: "deployer",
      createNamespace: true,
      serviceAccount: "app",
      identity: "pod-identity",
      policies: ["AmazonS3ReadOnlyAccess"],
    };
    const changes = [
      'tags={"team":"deployer"}',
      'cluster.logs={"types":["api"],"retentionDays":7}',
      "role.maxSessionDuration=7200",
      'policies=["AmazonS3ReadOnlyAccess"]',
      `bindings=${JSON.stringify([binding])}`,
    ];
    await (await openLocalStack(state, changes)).up();
    const plain = await openLocalStack(state, []);
    await plain.refresh();
    await plain.up();
    await plain.destroy();
    await plain.up();

    const calls = callsSince(since);
    console.log(`      ${calls.size} different calls`);
    expect([...calls]).to.include.members([
      ...[
        "iam:CreateRole",
        "iam:DeleteRole",
        "eks:CreateCluster",
        "eks:UpdateClusterConfig",
        "eks:DeleteCluster",
      ],
      ...["ec2:CreateLaunchTemplateVersion", "ecr:CreateRepository", "logs:DeleteLogGroup"],
    ]);
    const policy = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../docs/deployer-policy.json"), "utf8"),
    ) as { Statement: { Action: string | string[] }[] };
    const allowed = new Set(policy.Statement.flatMap(({ Action }) => Action));
    // The pod's own: unsigned, since it needs no permission.
    allowed.add("unsigned:AssumeRoleWithWebIdentity");
    expect([...calls].filter((call) => !allowed.has(call))).to.deep.equal([]);
  });
});
