import { randomInt } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { ConfigError } from "../config.ts";
import program from "../index.ts";
import { findJudge, registeredBy, tryConfigurations } from "./configurations.ts";
import { known, oidcProviderArn, only, type Registered, registry, setMocks, settled } from "./mocks.ts";
import { environments, stackConfig } from "./stack-files.ts";

describe("the program", () => {
  const cases = Number(process.env.CASES ?? 60);
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  it(`registers what the configuration takes, and AWS would take it (CASES=${cases} SEED=${seed})`, async function () {
    const judge = await findJudge();
    if (judge === undefined) {
      console.log(
        "      no Python with botocore, whose models say what AWS takes: `npm run local` brings one",
      );
      this.skip();
    }
    this.timeout("60m");
    await tryConfigurations(judge, { taken: cases, seed });
  });

  const run = async (stack: string, config: Record<string, string>) => {
    const registered = await setMocks({ stack, config });
    const outputs = await program();
    await settled(registered);
    return { registered, outputs };
  };
  const count = (registered: Registered[]) =>
    registered.reduce<Record<string, number>>((sums, { type }) => {
      sums[type] = (sums[type] ?? 0) + 1;
      return sums;
    }, {});
  const region = { "aws:region": "eu-central-1" };

  it("registers nothing when its module is imported", async () => {
    const registered = await setMocks();
    const again = "../index.ts?again"; // a query makes a module of its own
    await import(again);
    expect(await settled(registered)).to.deep.equal([]);
  });

  it("registers nothing when the configuration is bad", async () => {
    const registered = await setMocks({ stack: "dev", config: { ...region, "eks-irsa:replicas": "many" } });
    const error = await program().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).to.be.instanceOf(ConfigError);
    expect(await settled(registered)).to.deep.equal([]);
  });

  for (const environment of environments) {
    it(`makes of Pulumi.${environment}.yaml a cluster, an image, a role, a ServiceAccount and a Deployment`, async () => {
      const { registered, outputs } = await run(environment, stackConfig(environment));
      expect(count(registered)).to.deep.equal({
        "eks-irsa:index:Cluster": 1,
        "aws:cloudwatch/logGroup:LogGroup": 1,
        "eks:index:Cluster": 1,
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": 1,
        "aws:iam/role:Role": 2,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 3,
        "aws:ec2/launchTemplate:LaunchTemplate": 1,
        "aws:eks/addon:Addon": 2,
        // Prod's API server is private, and lets a VPN in.
        ...(environment === "prod" && { "aws:ec2/securityGroupRule:SecurityGroupRule": 1 }),
        "aws:eks/nodeGroup:NodeGroup": 1,
        "pulumi:providers:kubernetes": 1,
        "kubernetes:core/v1:Namespace": 1,
        "eks-irsa:index:Image": 1,
        "aws:ecr/repository:Repository": 1,
        "aws:ecr/lifecyclePolicy:LifecyclePolicy": 1,
        "docker:index/image:Image": 1,
        "eks-irsa:index:IrsaServiceAccount": 1,
        "aws:iam/policy:Policy": 1,
        "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": 1,
        "kubernetes:core/v1:ServiceAccount": 1,
        "eks-irsa:index:S3Lister": 1,
        "kubernetes:apps/v1:Deployment": 1,
      });
      const { container, deployment } = workload(registered);
      expect(container.image).to.equal(`${registry}/s3-lister-repository-1234567@sha256:${"ab".repeat(32)}`);
      expect(await known(outputs.image as pulumi.Output<string>)).to.equal(container.image);
      expect(deployment.provider).to.contain("cluster-kubernetes");
      expect(await known(outputs.oidcProviderArn)).to.equal(oidcProviderArn);
      expect(await known(outputs.clusterName)).to.equal(`eks-irsa-${environment}`);
      expect(await known(pulumi.output(pulumi.isSecret(outputs.kubeconfig)))).to.equal(true);
      expect(await known(outputs.logCommand as pulumi.Output<string>)).to.equal(
        "kubectl logs --namespace s3-irsa deployment/s3-lister",
      );
    });
  }

  const workload = (registered: Registered[]) => {
    const deployment = only(registered, "kubernetes:apps/v1:Deployment");
    const { template, replicas } = deployment.inputs.spec as {
      replicas: number;
      template: { spec: { serviceAccountName: string; containers: Record<string, unknown>[] } };
    };
    return { deployment, replicas, pod: template.spec, container: template.spec.containers[0] ?? {} };
  };

  it("makes dev, staging and prod differ as such environments do", async () => {
    const facts = [];
    for (const environment of environments) {
      const { registered } = await run(environment, stackConfig(environment));
      const cluster = only(registered, "eks:index:Cluster");
      const { scalingConfig } = only(registered, "aws:eks/nodeGroup:NodeGroup").inputs as {
        scalingConfig: { minSize: number };
      };
      facts.push({
        public: cluster.inputs.endpointPublicAccess,
        cidrs: cluster.inputs.publicAccessCidrs,
        protect: cluster.protect,
        logs: (cluster.inputs.enabledClusterLogTypes as string[]).length,
        days: only(registered, "aws:cloudwatch/logGroup:LogGroup").inputs.retentionInDays,
        nodes: scalingConfig.minSize,
        pods: workload(registered).replicas,
        emptied: only(registered, "aws:ecr/repository:Repository").inputs.forceDelete,
      });
    }
    expect(facts).to.deep.equal([
      { public: true, cidrs: undefined, protect: false, logs: 0, days: 7, nodes: 1, pods: 1, emptied: true },
      {
        public: true,
        cidrs: ["203.0.113.0/24"],
        protect: false,
        logs: 3,
        days: 30,
        nodes: 2,
        pods: 2,
        emptied: true,
      },
      {
        public: false,
        cidrs: undefined,
        protect: true,
        logs: 5,
        days: 365,
        nodes: 3,
        pods: 3,
        emptied: false,
      },
    ]);
  });

  it("starts no pod before the role has its policies", async () => {
    const { registered } = await run("test", region);
    // The Deployment's parent waits for the role's policies, and a child waits for its parent; on destroy the reverse.
    const lister = only(registered, "eks-irsa:index:S3Lister");
    const types = lister.dependencies.map((urn) => urn.split("::")[2]?.split("$").at(-1));
    expect(types, "nor before there are nodes").to.include("aws:eks/nodeGroup:NodeGroup");
    expect(types).to.include.members([
      "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
      "kubernetes:core/v1:ServiceAccount",
    ]);
    expect(workload(registered).deployment.parent).to.match(/S3Lister::s3-lister$/);
  });

  it("binds ServiceAccounts on a cluster that is there, and makes nothing else", async () => {
    const registered = await setMocks({
      config: {
        ...region,
        "eks-irsa:app": "none",
        "eks-irsa:cluster": JSON.stringify({ name: "prod", existing: true }),
        "eks-irsa:bindings": JSON.stringify([
          {
            namespace: "a",
            serviceAccount: "b.c",
            policies: ["AmazonS3ReadOnlyAccess"],
            createNamespace: true,
          },
          { namespace: "a", serviceAccount: "d", roleOnly: true },
        ]),
      },
      calls: {
        "aws:eks/getCluster:getCluster": () => ({
          name: "prod",
          endpoint: "https://example.com",
          vpcConfig: { endpointPublicAccess: true },
          certificateAuthorities: [{ data: "Q0E=" }],
          identities: [
            { oidcs: [{ issuer: `https://${oidcProviderArn.replace(/^.*oidc-provider\//, "")}` }] },
          ],
        }),
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": () => ({ arn: oidcProviderArn }),
      },
    });
    const outputs = await program();
    await settled(registered);
    expect(count(registered.filter((one) => one.custom))).to.deep.equal({
      "pulumi:providers:kubernetes": 1,
      "kubernetes:core/v1:Namespace": 1,
      "aws:iam/role:Role": 2,
      "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": 2,
      "kubernetes:core/v1:ServiceAccount": 1,
    });
    expect(Object.keys(outputs.bindings)).to.deep.equal(["a/b.c", "a/d"]);
    expect(outputs.image).to.equal(undefined);
    expect(await known(outputs.bindings["a/b.c"] as pulumi.Output<string>)).to.equal(
      "arn:aws:iam::111122223333:role/a.b.c-role",
    );
  });

  it("creates what is its own, so that nothing is taken over, and applies server-side what it adopts", async () => {
    const registered = await setMocks({
      config: {
        ...region,
        "eks-irsa:cluster": JSON.stringify({ stack: "org/platform/prod" }),
        "eks-irsa:bindings": JSON.stringify([{ namespace: "a", serviceAccount: "b", adopt: true }]),
      },
    });
    await program();
    await settled(registered);
    const kubernetes = registered.filter(({ type }) => /^kubernetes:.*(?<!Patch)$/.test(type));
    expect(kubernetes.map(({ type }) => type)).to.include.members([
      "kubernetes:core/v1:Namespace",
      "kubernetes:core/v1:ServiceAccount",
      "kubernetes:apps/v1:Deployment",
    ]);
    const appliesServerSide = ({ provider }: Registered): unknown => {
      const urn = provider.replace(/::[^:]*$/, "");
      const found = registered.find(({ type, name }) => urn.endsWith(`${type}::${name}`));
      return found?.inputs.enableServerSideApply ?? "by default";
    };
    const made = kubernetes.filter(({ name }) => !name.endsWith("-to-adopt"));
    expect(made.map(appliesServerSide)).to.deep.equal(made.map(() => "false"));
    expect(appliesServerSide(only(registered, "kubernetes:core/v1:ServiceAccountPatch"))).to.equal(
      "by default",
    );
  });

  it("can take back whatever is renamed: it is another resource then, or the old one goes first", async () => {
    const { registered } = await run("dev", {
      ...region,
      "eks-irsa:identity": "pod-identity",
      "eks-irsa:admission": "enforced",
      "eks-irsa:toolbox": "true",
      "eks-irsa:role": JSON.stringify({ name: "the-reader" }),
    });
    const named = registered.filter(
      ({ type, name }) =>
        /^kubernetes:|PodIdentityAssociation$/.test(type) || name === "s3-irsa-role-the-reader",
    );
    const kinds = named.map(({ type }) => type.replace(/^.*:/, ""));
    expect(kinds).to.include.members(["Namespace", "ServiceAccount", "Deployment", "PodIdentityAssociation"]);
    expect(kinds).to.include.members([
      "ValidatingAdmissionPolicy",
      "ValidatingAdmissionPolicyBinding",
      "Role",
    ]);
    const ownName = ({ inputs }: Registered): unknown =>
      inputs.name ?? (inputs.metadata as { name?: unknown } | undefined)?.name;
    const stuck = named.filter(
      (one) =>
        !one.deleteBeforeReplace &&
        !new RegExp(`^(namespace|s3-irsa-role)-${String(ownName(one))}$`).test(one.name),
    );
    expect(stuck.map(({ type, name }) => `${type} ${name}`)).to.deep.equal([]);
  });

  it("takes the cluster of another stack from its outputs", async () => {
    const registered = await setMocks({
      config: {
        ...region,
        "eks-irsa:app": "none",
        "eks-irsa:cluster": JSON.stringify({ stack: "org/platform/prod" }),
      },
    });
    const outputs = await program();
    await settled(registered);
    expect(await known(outputs.clusterName)).to.equal("cluster of org/platform/prod");
    expect(await known(outputs.oidcProviderArn)).to.equal(oidcProviderArn);
    expect(await known(pulumi.output(pulumi.isSecret(outputs.kubeconfig)))).to.equal(true);
    expect(registered.filter((one) => one.type.startsWith("eks:"))).to.deep.equal([]);
  });

  it("runs the lister in Java with the memory that a JVM needs, and the toolbox under the same ServiceAccount", async () => {
    const registered = await setMocks({
      config: {
        "aws:region": "eu-central-1",
        "eks-irsa:app": "java",
        "eks-irsa:toolbox": "example.com/maven:1",
      },
    });
    await program();
    await settled(registered);
    const { build } = only(registered, "docker:index/image:Image").inputs as { build: { context: string } };
    expect(build.context).to.match(/app\/java$/);
    type Spec = {
      template: { spec: { serviceAccountName: string; containers: { image: string; resources: object }[] } };
    };
    const podOf = (name: string) =>
      (only(registered, "kubernetes:apps/v1:Deployment", name).inputs.spec as Spec).template.spec;
    const [lister, toolbox] = [podOf("s3-lister-deployment"), podOf("toolbox-deployment")];
    expect(lister.containers[0]?.resources).to.deep.include({ limits: { memory: "192Mi" } });
    expect(toolbox.serviceAccountName).to.equal(lister.serviceAccountName);
    expect(toolbox.containers[0]?.image).to.equal("example.com/maven:1");
  });

  it("installs the Pod Identity agent only where something uses it", async () => {
    const addons = async (config: Record<string, string>) =>
      (await run("test", { ...region, ...config })).registered
        .filter((one) => one.type === "aws:eks/addon:Addon")
        .map((one) => one.inputs.addonName);
    expect(await addons({})).to.not.include("eks-pod-identity-agent");
    expect(await addons({ "eks-irsa:identity": "pod-identity" })).to.include("eks-pod-identity-agent");
    const identity = JSON.stringify({ mechanism: "irsa", migrating: true });
    expect(await addons({ "eks-irsa:identity": identity })).to.include("eks-pod-identity-agent");
    const bindings = JSON.stringify([{ namespace: "a", serviceAccount: "b" }]);
    const none = {
      "eks-irsa:app": "none",
      "eks-irsa:identity": "pod-identity",
      "eks-irsa:bindings": bindings,
    };
    expect(await addons(none), "there is no lister").to.not.include("eks-pod-identity-agent");
  });

  it("admits from both clusters while one is replaced, by either mechanism", async () => {
    const other = oidcProviderArn.replace(/.$/, "0");
    const { registered } = await run("test", {
      ...region,
      "eks-irsa:app": "none",
      "eks-irsa:otherClusters": JSON.stringify([{ name: "old", oidcProviderArn: other }]),
      "eks-irsa:bindings": JSON.stringify([
        { namespace: "a", serviceAccount: "web" },
        { namespace: "a", serviceAccount: "pod", identity: "pod-identity" },
      ]),
    });
    const trust = (name: string) =>
      JSON.parse(only(registered, "aws:iam/role:Role", name).inputs.assumeRolePolicy as string).Statement;
    expect(
      trust("a.web-role").map((one: { Principal: { Federated: string } }) => one.Principal.Federated),
    ).to.deep.equal([oidcProviderArn, other]);
    expect(trust("a.pod-role")[0].Condition.StringEquals["aws:RequestTag/eks-cluster-name"]).to.deep.equal([
      "eks-irsa-test",
      "old",
    ]);
    const association = only(registered, "aws:eks/podIdentityAssociation:PodIdentityAssociation");
    expect(association.inputs.clusterName).to.equal("eks-irsa-test");
  });

  it("gives the lister and the toolbox what their pods need for a chain of roles", async () => {
    const { registered } = await run("test", {
      ...region,
      "eks-irsa:toolbox": "true",
      "eks-irsa:chain": JSON.stringify({ role: "arn:aws:iam::222233334444:role/reports" }),
    });
    for (const name of ["s3-lister-deployment", "toolbox-deployment"]) {
      const { inputs } = only(registered, "kubernetes:apps/v1:Deployment", name);
      expect(JSON.stringify(inputs.spec)).to.contain('"name":"AWS_PROFILE","value":"chained"');
    }
  });

  it("has the OIDC provider list each binding's audience, or STS would take no token of it", async () => {
    const bindings = ["vault", undefined, "vault", "sts.amazonaws.com"].map((audience, index) => ({
      namespace: "a",
      serviceAccount: `b${index}`,
      audience,
    }));
    const { registered } = await run("test", { ...region, "eks-irsa:bindings": JSON.stringify(bindings) });
    const provider = only(registered, "aws:iam/openIdConnectProvider:OpenIdConnectProvider");
    expect(provider.inputs.clientIdLists).to.deep.equal(["sts.amazonaws.com", "vault"]);

    // However many have it, and whoever made the cluster.
    const many = Array.from({ length: 101 }, (_, index) => ({
      ...{ namespace: "a", serviceAccount: `b${index}`, audience: "vault", roleOnly: true },
    }));
    const existing = { name: "c", existing: true, createOidcProvider: true };
    const found = await registeredBy({
      ...region,
      "eks-irsa:app": "none",
      "eks-irsa:cluster": JSON.stringify(existing),
      "eks-irsa:bindings": JSON.stringify(many),
    });
    expect(
      only(found, "aws:iam/openIdConnectProvider:OpenIdConnectProvider").inputs.clientIdLists,
    ).to.deep.equal(["sts.amazonaws.com", "vault"]);
  });

  it("has no output without a value, of which the engine would warn", async () => {
    const { outputs } = await run("dev", stackConfig("dev"));
    expect(outputs).to.not.have.property("toolbox");
    expect(Object.values(outputs)).to.not.include(undefined);
  });

  it("registers as many bindings as it is given", async () => {
    const bindings = Array.from({ length: 100 }, (_, index) => ({
      namespace: `team-${index % 10}`,
      serviceAccount: `app-${index}`,
      policies: ["AmazonS3ReadOnlyAccess"],
    }));
    const { registered, outputs } = await run("test", {
      ...region,
      "eks-irsa:app": "none",
      "eks-irsa:bindings": JSON.stringify(bindings),
    });
    expect(count(registered)["kubernetes:core/v1:ServiceAccount"]).to.equal(100);
    expect(Object.keys(outputs.bindings)).to.have.length(100);
  });
});
