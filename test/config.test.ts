import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { ConfigError, parseConfig } from "../config.ts";
import { errorsOf, parse } from "./config-parsing.ts";
import { environments, stackConfig } from "./stack-files.ts";

describe("the stack configuration", () => {
  it("needs the region only; the rest has defaults, the policy the narrowest that lists buckets", () => {
    const config = parse({});
    expect(config).to.deep.include({
      region: "eu-central-1",
      namespace: "s3-irsa",
      createNamespace: true,
      serviceAccount: "s3-irsa",
      app: "go",
      replicas: 1,
      identity: "irsa",
      bindings: [],
      tags: {},
    });
    expect(JSON.stringify(config.policies))
      .to.contain('"Action":"s3:ListAllMyBuckets"')
      .and.not.contain("s3:*");
    expect(config.cluster).to.deep.include({ name: "eks-irsa-test", existing: false });
  });

  it("does not make a namespace that every cluster has", () => {
    expect(parse({ namespace: "default" }).createNamespace).to.equal(false);
    expect(parse({ namespace: "default", createNamespace: true }).createNamespace).to.equal(true);
  });

  it("names every bad key in one error: what it holds, what it may hold", () => {
    expect(
      errorsOf({
        namespace: "Bad_Name",
        replicas: -1,
        app: "rust",
        policies: ["AmazonS3ReadOnlyAccess", "no such thing"],
        cluster: { version: "1.3.4", nodes: { min: 5, max: 2 }, logs: { retentionDays: 2 } },
        replica: 2,
      }),
    ).to.deep.equal([
      "eks-irsa:namespace holds \"Bad_Name\"; it must be lower-case letters, digits and '-', starting and ending with a letter or digit, at most 63",
      'eks-irsa:policies[1] holds "no such thing"; it must be the name of an AWS managed policy (AmazonS3ReadOnlyAccess), a policy\'s ARN (arn:aws:iam::111122223333:policy/NAME), a document ({ Version, Statement }, { name, document }, or { name, file }), or a bundle ({ bundle: ebs-csi | efs-csi | vpc-cni | load-balancer-controller | target-group-binding | gateway-api-controller | external-dns | cert-manager | cluster-autoscaler | karpenter | node-termination-handler | external-secrets | s3-csi | fsx-lustre-csi | fsx-openzfs-csi | velero | prometheus | cloudwatch-observability })',
      'eks-irsa:cluster.version holds "1.3.4"; it must be a Kubernetes version in quotes, such as "1.35"',
      "eks-irsa:cluster.nodes.max holds 2; it must be at least min",
      "eks-irsa:cluster.nodes.desired is not set; it must be from min to max",
      "eks-irsa:cluster.logs.retentionDays holds 2; it must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653",
      'eks-irsa:app holds "rust"; it must be one of go, java, none',
      "eks-irsa:replicas holds -1; it must be a whole number from 0 to 100",
      "eks-irsa:replica holds 2; there is no such key; there are namespace, createNamespace, serviceAccount, policies, role, identity, targetRole, session, chain, admission, quotas, bindings, cluster, otherClusters, app, replicas, intervalSeconds, progressDeadlineSeconds, build, toolbox, tags; do you mean replicas?",
    ]);
  });

  it("says so when the region is missing, or is none", () => {
    expect(() => parseConfig("test", {})).to.throw("aws:region is not set; it must be an AWS region");
    expect(errorsOf({}, "Frankfurt")).to.deep.equal([
      'aws:region holds "Frankfurt"; it must be an AWS region such as eu-central-1',
    ]);
  });

  it("refuses the ARN of another partition than the region's", () => {
    const policies = ["arn:aws:iam::111122223333:policy/x"];
    expect(
      errorsOf({ policies, bindings: [{ namespace: "a", serviceAccount: "b", policies }] }, "cn-north-1"),
    ).to.deep.equal([
      'eks-irsa:policies[0] holds "arn:aws:iam::111122223333:policy/x"; it must be of the region\'s partition (arn:aws-cn:...), since cn-north-1 is in aws-cn',
      'eks-irsa:bindings[0].policies[0] holds "arn:aws:iam::111122223333:policy/x"; it must be of the region\'s partition (arn:aws-cn:...), since cn-north-1 is in aws-cn',
    ]);
    const kmsKeys = ["arn:aws:kms:us-east-1:111122223333:key/k"];
    expect(
      errorsOf({ policies: [{ bundle: "s3-csi", buckets: ["my-bucket"], kmsKeys }] }, "cn-north-1")[0],
    ).to.contain("it must be of the region's partition (arn:aws-cn:...)");
  });

  it("has the kubeconfig say what the AWS provider is told of credentials, or refuses what it cannot say", () => {
    const roleArn = "arn:aws:iam::111122223333:role/ops";
    const withAws = (keys: object) => () =>
      parseConfig("test", { "aws:region": "eu-west-1", ...keys }).credentials;
    expect(withAws({})()).to.equal(undefined);
    expect(withAws({ "aws:profile": "ops" })()).to.deep.equal({ profile: "ops", roleArn: undefined });
    expect(withAws({ "aws:assumeRoles": JSON.stringify([{ roleArn, sessionName: "s" }]) })()).to.deep.equal({
      profile: undefined,
      roleArn,
    });
    for (const [roles, problem] of [
      [[{ roleArn }, { roleArn }], "; a kubeconfig has room for one; name a profile"],
      [[{ roleArn, externalId: "x" }], '[0].externalId holds "x"; a kubeconfig cannot say it'],
      [[{}], "[0].roleArn is not set; it must be the ARN of an IAM role"],
      ["ops", 'holds "ops"; it must be a list of roles to assume'],
    ] as const) {
      const held = typeof roles === "string" ? roles : JSON.stringify(roles);
      expect(withAws({ "aws:assumeRoles": held })).to.throw(ConfigError, problem);
    }
  });

  it("refuses what of the AWS provider's keys would fail later: another partition's role, tags beside ours", () => {
    const withAws = (keys: object, region = "eu-central-1") => {
      try {
        parseConfig("test", { "aws:region": region, "eks-irsa:tags": '{"team":"a"}', ...keys });
      } catch (error) {
        return (error as ConfigError).issues.map((issue) => `${issue.key} ${issue.holds}; ${issue.problem}`);
      }
      return [];
    };
    const roles = JSON.stringify([{ roleArn: "arn:aws:iam::111122223333:role/ops" }]);
    expect(withAws({ "aws:assumeRoles": roles })).to.deep.equal([]);
    expect(withAws({ "aws:assumeRoles": roles }, "us-gov-west-1")[0]).to.match(
      /^aws:assumeRoles\[0\]\.roleArn arn:aws:.*; it must be of the region's partition \(arn:aws-us-gov:/,
    );
    const tags = (some: object) => ({ "aws:defaultTags": JSON.stringify({ tags: some }) });
    expect(withAws(tags({ owner: "b" }))).to.deep.equal([]);
    expect(withAws(tags({ Team: "b" }))[0]).to.contain("eks-irsa:tags.team");
    expect(withAws(tags({ Team: "b" }))[0]).to.contain(
      "with aws:defaultTags, it differs from Team in case only",
    );
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, ""]));
    expect(withAws(tags(many))[0]).to.contain(
      "with aws:defaultTags, a resource takes 50 tags, and these are 51",
    );
    expect(withAws(tags({ a: "aws:x" }))[0]).to.match(/^aws:defaultTags\.tags\.a aws:x; it must be text/);
  });

  it("looks for the files of policies beside the stack's own file, wherever that is", () => {
    const raw = (key: string, policies: object[]) => ({
      "aws:region": "eu-central-1",
      [`eks-irsa:${key}`]: JSON.stringify(
        key === "policies" ? policies : [{ namespace: "a", serviceAccount: "b", policies }],
      ),
    });
    const here = import.meta.dirname;
    for (const key of ["policies", "bindings"]) {
      const file = raw(key, [{ name: "a", file: "policy.json" }]);
      expect(() => parseConfig("test", file), key).to.throw(/file holds "policy\.json"; it cannot be read/);
      expect(() => parseConfig("test", file, { folder: here }), key).to.not.throw();
      const whole = raw(key, [{ name: "a", file: join(here, "policy.json") }]);
      expect(() => parseConfig("test", whole), key).to.not.throw();
    }
  });

  it("refuses keys in the stack configuration, and does not repeat them", () => {
    for (const key of ["aws:accessKey", "aws:secretKey", "aws:token"]) {
      expect(() => parseConfig("test", { "aws:region": "eu-west-1", [key]: "AKIA-or-worse" }))
        .to.throw(ConfigError, `${key} holds "[secret]"; aws eks get-token would not know of it`)
        .with.property("message")
        .that.does.not.contain("AKIA-or-worse");
    }
  });

  it("leaves other packages' keys alone", () => {
    expect(() => parseConfig("test", { "aws:region": "eu-west-1", "aws:profile": "dev" })).not.to.throw();
  });

  it("takes a cluster by name, and one of another stack", () => {
    expect(parse({ cluster: { name: "prod", existing: true } }).cluster).to.deep.equal({
      name: "prod",
      existing: true,
      createOidcProvider: false,
    });
    expect(parse({ cluster: { stack: "org/platform/prod" } }).cluster).to.deep.equal({
      stack: "org/platform/prod",
      existing: true,
    });
    expect(errorsOf({ cluster: { existing: true } })[0]).to.match(
      /^eks-irsa:cluster\.name is not set; it must be 1 to 100/,
    );
    expect(errorsOf({ cluster: { name: "prod", existing: true, version: "1.34" } })[0]).to.match(
      /^eks-irsa:cluster\.version holds "1\.34"; there is no such key/,
    );
  });

  it("leaves a role that is there its own policies", () => {
    const role = { arn: "arn:aws:iam::111122223333:role/r" };
    expect(parse({ role }).policies).to.deep.equal([]);
    expect(errorsOf({ role, policies: ["AmazonS3ReadOnlyAccess"] })).to.deep.equal([
      'eks-irsa:policies holds ["AmazonS3ReadOnlyAccess"]; a role that is there already keeps its policies; leave these out',
    ]);
  });

  describe("bindings", () => {
    it("take the least: a namespace and a name", () => {
      expect(parse({ bindings: [{ namespace: "a", serviceAccount: "b" }] }).bindings[0]).to.deep.include({
        policies: [],
        identity: "irsa",
        adopt: false,
        roleOnly: false,
        createNamespace: false,
      });
    });

    it("name the entry and the key that is wrong", () => {
      expect(
        errorsOf({
          bindings: [
            { namespace: "a", serviceAccount: "B!" },
            { namespace: "a", serviceAccount: "b", role: { maxSessionDuration: 60 }, polices: [] },
          ],
        }),
      ).to.deep.equal([
        "eks-irsa:bindings[0].serviceAccount holds \"B!\"; it must be lower-case letters, digits, '-' and '.', each part between dots starting and ending with a letter or digit, at most 253",
        "eks-irsa:bindings[1].role.maxSessionDuration holds 60; it must be a whole number of seconds from 3600 to 43200",
        "eks-irsa:bindings[1].polices holds []; there is no such key; there are namespace, createNamespace, serviceAccount, policies, role, quotas, description, otherSubjects, audience, roleOnly, adopt, labels, annotations, tokenExpirationSeconds, stsRegionalEndpoints, automountToken, identity, targetRole, session, chain, admission, tags; do you mean policies?",
      ]);
    });

    it("are one for a ServiceAccount", () => {
      const twice = { namespace: "a", serviceAccount: "b" };
      expect(errorsOf({ bindings: [twice, { namespace: "a", serviceAccount: "c" }, twice] })).to.deep.equal([
        'eks-irsa:bindings[2] holds {"namespace":"a","serviceAccount":"b"}; eks-irsa:bindings[0] is for a/b already; put the policies of both in one',
      ]);
    });

    it("take a pattern only where it says that it is one", () => {
      const binding = (namespace: unknown) => ({
        bindings: [
          { namespace: "a", serviceAccount: "b", otherSubjects: [{ namespace, serviceAccount: "b" }] },
        ],
      });
      expect(parse(binding({ matching: "team-*" })).bindings[0]?.otherSubjects[0]?.namespace).to.deep.equal({
        matching: "team-*",
      });
      expect(errorsOf(binding("team-*"))[0]).to.match(
        /^eks-irsa:bindings\[0\]\.otherSubjects\[0\]\.namespace holds "team-\*"/,
      );
      expect(errorsOf(binding({ matching: "team-a" }))[0]).to.contain("with * or ? in the pattern");
    });
  });

  it("says of a structured value that is no JSON where it breaks, beside the other errors", () => {
    expect(errorsOf({ bindings: "[{", replicas: -1 })).to.deep.equal([
      "eks-irsa:bindings holds \"[{\"; it is no JSON: Expected property name or '}' in JSON at position 2 (line 1 column 3)",
      "eks-irsa:replicas holds -1; it must be a whole number from 0 to 100",
    ]);
    expect(errorsOf({ bindings: "- namespace: a" })).to.deep.equal([
      'eks-irsa:bindings holds "- namespace: a"; it must be a list of bindings',
    ]);
  });

  it("says where to correct it, and names a command only for a key that there is", () => {
    expect(() => parse({ replica: 2 })).to.throw(ConfigError, /\nCorrect it in Pulumi\.test\.yaml\.$/);
    expect(() => parse({ replicas: -1, replica: 2 })).to.throw(
      ConfigError,
      /\nCorrect it in Pulumi\.test\.yaml, or with `pulumi config set --stack test eks-irsa:replicas VALUE`\.$/,
    );
    expect(() => parseConfig("test", {})).to.throw(
      ConfigError,
      "pulumi config set --stack test aws:region VALUE",
    );
    expect(() => parseConfig("test", {}, { correct: "Say it again." })).to.throw(
      ConfigError,
      /\nSay it again\.$/,
    );
  });

  it("is a RunError, which Pulumi prints without a stack trace", () => {
    expect(
      pulumi.RunError.isInstance(new ConfigError("test", [{ key: "k", holds: 1, problem: "p" }])),
    ).to.equal(true);
  });

  for (const environment of environments) {
    it(`takes Pulumi.${environment}.yaml as it is`, () => {
      const { cluster } = parseConfig(environment, stackConfig(environment));
      expect(cluster).to.deep.include({ name: `eks-irsa-${environment}`, existing: false });
    });
  }

  for (const [what, config, page, prefix] of [
    ["the stack", { nothing: 1 }, "configure.md", "eks-irsa:"],
    ["a binding", { bindings: [{ nothing: 1 }] }, "many-service-accounts.md", ""],
  ] as const) {
    it(`is told in docs/${page} key by key, for ${what}`, () => {
      const text = readFileSync(join(import.meta.dirname, "..", "docs", page), "utf8");
      const told = text
        .split("\n")
        .filter((line) => line.startsWith("| `"))
        .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, key]) => key));
      const [, keys = ""] =
        /there are (.*)$/.exec(errorsOf(config).find((one) => /nothing/.test(one)) ?? "") ?? [];
      expect(keys).to.match(/^\w+(, \w+)+$/);
      expect(keys.split(", ").filter((key) => !told.includes(`${prefix}${key}`))).to.deep.equal([]);
    });
  }
});
