import { performance } from "node:perf_hooks";
import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { trustPolicy } from "../../iam/trust-policy.ts";
import {
  account,
  allow,
  annotation,
  arnOf,
  cleanWorld,
  document,
  oidcProviderArn,
  pod,
  role,
  type World,
  workload,
} from "./clean.ts";

/** A cluster of so many ServiceAccounts, and twice as many roles in the account, each with policies of its own. */
function large(count: number): World {
  const world = cleanWorld();
  const boundary = "arn:aws:iam::111122223333:policy/boundary";
  world.documents[boundary] = document(
    allow(["s3:*", "sqs:*", "dynamodb:*", "secretsmanager:*", "iam:Get*"]),
  );
  for (let at = 0; at < count; at++) {
    const name = `app-${at}`;
    world.serviceAccounts.push(account(name, { [annotation]: arnOf(name) }));
    world.pods.push(pod(name));
    world.workloads.push(workload(name));
    const actions = [
      "s3:GetObject",
      "s3:Put*",
      "sqs:*Message",
      "dynamodb:*Item",
      "secretsmanager:GetSecretValue",
    ];
    world.roles.push(
      role(name, {
        boundaryArn: boundary,
        inline: [
          {
            name: "own",
            document: document(...actions.map((action) => allow(action, `arn:aws:s3:::${name}/*`))),
          },
        ],
      }),
      role(`other-${at}`, {
        trustPolicy: JSON.stringify(
          trustPolicy({
            oidcProviderArn: oidcProviderArn.replace("0123", "3210"),
            namespace: "team-a",
            serviceAccount: name,
          }),
        ),
      }),
    );
  }
  return world;
}

describe("the audit of a large cluster", () => {
  it("judges 1,000 ServiceAccounts and 2,000 roles, and finds the one fault among them", function () {
    const world = large(1000);
    // Trusting a provider that is not there is another test's.
    world.providers.push({ arn: oidcProviderArn.replace("0123", "3210"), url: "example.com", audiences: [] });
    const wrong = world.roles.find(({ name }) => name === "app-500") as World["roles"][number];
    wrong.inline = [{ name: "own", document: document(allow("s3:*")) }];
    const since = performance.now();
    const { findings, serviceAccounts } = audit(world);
    // Told, and not asserted: how busy the machine is, is none of the audit's business.
    const test = this.test;
    if (test) test.title += ` (in ${Math.round(performance.now() - since)} ms)`;
    expect(findings.map(({ id, subject }) => `${id} ${subject.name}`)).to.deep.equal([
      `whole-service ${arnOf("app-500")}`,
    ]);
    expect(serviceAccounts).to.have.length(1002);
  });

  it("looks at each role's policies in time that grows with their number, not its square", () => {
    // Counted, since seconds depend on the machine: how often a ServiceAccount is read.
    const reads = (count: number): number => {
      const world = large(count);
      let counted = 0;
      const watched = {
        ...world,
        serviceAccounts: world.serviceAccounts.map(
          (one) =>
            new Proxy(one, {
              get: (of, key) => {
                counted++;
                return Reflect.get(of, key);
              },
            }),
        ),
      };
      audit(watched);
      return counted;
    };
    const [some, many] = [reads(100), reads(800)];
    expect(many / some).to.be.below(9);
  });
});
