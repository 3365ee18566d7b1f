import { expect } from "chai";
import { IrsaServiceAccount, type IrsaServiceAccountArgs } from "../../components/irsa.ts";
import { S3Lister } from "../../components/lister.ts";
import { awsConfig } from "../../components/pod-additions.ts";
import { Toolbox } from "../../components/toolbox.ts";
import { ArgumentError } from "../../iam/validation.ts";
import { known, oidcProviderArn, only, type Registered, setMocks, settled } from "../mocks.ts";

describe("what a pod's template must have", () => {
  let registered: Registered[];
  beforeEach(async () => {
    registered = await setMocks();
  });
  const target = "arn:aws:iam::222233334444:role/reports";
  const chained = (args: Partial<IrsaServiceAccountArgs> = {}) =>
    new IrsaServiceAccount("app", {
      oidcProviderArn,
      namespace: "team-a",
      chain: { role: target, externalId: "reports" },
      ...args,
    });
  const image = `example.com/lister@sha256:${"ab".repeat(32)}`;
  const workload = { namespace: "team-a", serviceAccountName: "app", region: "eu-central-1" };
  const podOf = () =>
    (
      only(registered, "kubernetes:apps/v1:Deployment").inputs.spec as {
        template: {
          spec: {
            volumes?: object[];
            containers: { env: { name: string; value: string }[]; volumeMounts?: object[] }[];
          };
        };
      }
    ).template.spec;

  it("is nothing where the webhook gives all that is needed", async () => {
    const { podAdditions, targetTrustPolicy } = new IrsaServiceAccount("app", {
      oidcProviderArn,
      namespace: "a",
    });
    expect([podAdditions, targetTrustPolicy]).to.deep.equal([undefined, undefined]);
    new S3Lister("lister", { ...workload, image, podAdditions });
    await settled(registered);
    expect(podOf()).to.not.have.property("volumes");
    expect(podOf().containers[0]).to.not.have.property("volumeMounts");
  });

  it("is, for a chain of roles, an AWS configuration without any program to run", async () => {
    const { roleArn, targetTrustPolicy } = chained();
    await settled(registered);
    const config = only(registered, "kubernetes:core/v1:ConfigMap").inputs as {
      metadata: { name: string; namespace: string };
      data: { config: string };
    };
    expect(config.metadata.namespace).to.equal("team-a");
    expect(config.data.config.split("\n")).to.deep.equal([
      "[profile chained]",
      `role_arn = ${target}`,
      "source_profile = pod",
      "external_id = reports",
      "",
      "[profile pod]",
      `role_arn = ${await known(roleArn)}`,
      "web_identity_token_file = /var/run/secrets/eks.amazonaws.com/serviceaccount/token",
      "",
    ]);
    const { inputs } = only(registered, "aws:iam/rolePolicy:RolePolicy");
    expect(JSON.parse(inputs.policy as string).Statement).to.deep.equal([
      { Effect: "Allow", Action: ["sts:AssumeRole"], Resource: target },
    ]);
    const [statement] = JSON.parse(
      await known(targetTrustPolicy as NonNullable<typeof targetTrustPolicy>),
    ).Statement;
    expect(statement).to.deep.include({
      Action: ["sts:AssumeRole"],
      Condition: {
        StringEquals: { "sts:ExternalId": "reports" },
        ArnEquals: { "aws:PrincipalArn": await known(roleArn) },
      },
    });
  });

  it("has another configuration under another name, so that a pod with the old one keeps it until it is made anew", () => {
    const roleArn = "arn:aws:iam::111122223333:role/app";
    const { name } = awsConfig({ roleArn, target });
    expect(name).to.match(/^aws-config-[0-9a-f]{12}$/);
    expect(awsConfig({ roleArn, target }).name).to.equal(name);
    expect(awsConfig({ roleArn, target: `${target}2` }).name).not.to.equal(name);
  });

  it("is taken up by the lister and the toolbox, beside their own", async () => {
    const { podAdditions, roleArn } = chained();
    new S3Lister("lister", { ...workload, image, podAdditions });
    await settled(registered);
    const { name } = (
      only(registered, "kubernetes:core/v1:ConfigMap").inputs as { metadata: { name: string } }
    ).metadata;
    const env = (pod: ReturnType<typeof podOf>) =>
      Object.fromEntries((pod.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
    expect(env(podOf())).to.deep.equal({
      AWS_REGION: "eu-central-1",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_ROLE_ARN: await known(roleArn),
      AWS_WEB_IDENTITY_TOKEN_FILE: "",
      AWS_CONFIG_FILE: "/etc/eks-irsa/aws/config",
      AWS_PROFILE: "chained",
    });
    const mounts = [{ name: "aws-config", mountPath: "/etc/eks-irsa/aws", readOnly: true }];
    expect(podOf().containers[0]?.volumeMounts).to.deep.equal(mounts);
    expect(podOf().volumes).to.deep.equal([{ name: "aws-config", configMap: { name } }]);

    registered = await setMocks();
    new Toolbox("toolbox", { ...workload, podAdditions: chained().podAdditions });
    await settled(registered);
    expect(env(podOf())).to.include({ HOME: "/work", AWS_PROFILE: "chained" });
    expect(podOf().containers[0]?.volumeMounts).to.deep.equal([
      { name: "work", mountPath: "/work" },
      ...mounts,
    ]);
    expect(podOf().volumes).to.have.length(2);
  });

  it("leaves SDKs no web identity but the profile's: those for Go and Java would take the environment's first", () => {
    const empty = { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: "" };
    expect(chained().podAdditions?.env).to.deep.include(empty);
    const both = { clusterName: "dev", targetRole: { arn: target } };
    const moving = chained({ ...both, identity: { mechanism: "irsa", migrating: true } });
    expect(moving.podAdditions?.env).to.deep.include(empty);
    const alone = new IrsaServiceAccount("alone", {
      oidcProviderArn,
      namespace: "team-a",
      clusterName: "dev",
      identity: { mechanism: "irsa", migrating: true },
    });
    expect(alone.podAdditions?.env).to.deep.include({
      ...empty,
      value: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    });
  });

  it("holds the web identity and the chain, while a chained binding moves to EKS Pod Identity", async () => {
    const both = { clusterName: "dev", targetRole: { arn: target } };
    const { podAdditions } = chained({ ...both, identity: { mechanism: "irsa", migrating: true } });
    expect(podAdditions?.env.map(({ name }) => name)).to.deep.equal([
      "AWS_ROLE_ARN",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
      "AWS_CONFIG_FILE",
      "AWS_PROFILE",
    ]);
    await settled(registered);
    registered = await setMocks();
    const next = chained({ ...both, identity: { mechanism: "pod-identity", migrating: true } });
    await settled(registered);
    expect(next.podAdditions).to.equal(undefined);
    const { inputs } = only(registered, "aws:iam/rolePolicy:RolePolicy");
    expect(JSON.parse(inputs.policy as string).Statement).to.have.length(2);
  });

  for (const [title, chain, message] of [
    [
      "a role that is none",
      { role: "reports" },
      /^chain\.role holds "reports"; it must be the ARN of a role/,
    ],
    [
      "an external id that STS refuses",
      { role: target, externalId: "a b" },
      /^chain\.externalId holds "a b"; it must be 2 to/,
    ],
    [
      "a role of another partition",
      { role: target.replace("aws", "aws-cn") },
      /^chain\.role holds .*region's partition/,
    ],
  ] as const) {
    it(`refuses a chain to ${title}`, () => {
      expect(() => chained({ chain })).to.throw(ArgumentError, message);
    });
  }
});
