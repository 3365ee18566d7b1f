import { expect } from "chai";
import { Cluster, type ClusterArgs } from "../../components/cluster.ts";
import { ExistingCluster } from "../../components/existing-cluster.ts";
import { ReferencedCluster } from "../../components/referenced-cluster.ts";
import { ArgumentError } from "../../iam/validation.ts";
import { issuer, known, only, type Registered, setMocks, settled } from "../mocks.ts";

describe("Cluster", () => {
  let registered: Registered[];
  beforeEach(async () => {
    registered = await setMocks();
  });
  const inputs = (type: string) => only(registered, type).inputs;

  it("keeps the node's role from the pods: IMDSv2, one hop", async () => {
    new Cluster("c", { clusterName: "dev", region: "eu-central-1" });
    await settled(registered);
    expect(inputs("aws:ec2/launchTemplate:LaunchTemplate").metadataOptions).to.deep.equal({
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 1,
    });
  });

  it("has the nodes boot what their processors run, which EKS would not choose by itself", async () => {
    new Cluster("c", {
      clusterName: "dev",
      region: "eu-central-1",
      nodes: { instanceTypes: ["m7g.large", "t4g.large"] },
    });
    await settled(registered);
    expect(inputs("aws:eks/nodeGroup:NodeGroup").amiType).to.equal("AL2023_ARM_64_STANDARD");
    registered = await setMocks();
    new Cluster("c", { clusterName: "dev", region: "eu-central-1" });
    await settled(registered);
    expect(inputs("aws:eks/nodeGroup:NodeGroup").amiType).to.equal("AL2023_x86_64_STANDARD");
  });

  it("has tags reach instances, their volumes and their network interfaces", async () => {
    new Cluster("c", { clusterName: "dev", region: "eu-central-1", tags: { team: "a" } });
    await settled(registered);
    expect(inputs("aws:ec2/launchTemplate:LaunchTemplate").tagSpecifications).to.deep.equal([
      { resourceType: "instance", tags: { team: "a" } },
      { resourceType: "volume", tags: { team: "a" } },
      { resourceType: "network-interface", tags: { team: "a" } },
    ]);
    registered = await setMocks();
    new Cluster("c", { clusterName: "dev", region: "eu-central-1" });
    await settled(registered);
    expect(inputs("aws:ec2/launchTemplate:LaunchTemplate").tagSpecifications).to.equal(undefined);
  });

  it("has the nodes follow the cluster's version, whoever chose that", async () => {
    for (const version of ["1.35", undefined]) {
      registered = await setMocks();
      new Cluster("c", { clusterName: "dev", region: "eu-central-1", version });
      await settled(registered);
      expect(inputs("aws:eks/nodeGroup:NodeGroup").version).to.equal(version ?? "1.34");
    }
  });

  it("pays for no extended support unless it is asked to", async () => {
    for (const upgradePolicy of [undefined, "EXTENDED"] as const) {
      registered = await setMocks();
      new Cluster("c", { clusterName: "dev", region: "eu-central-1", upgradePolicy });
      await settled(registered);
      expect(inputs("eks:index:Cluster").upgradePolicy).to.deep.equal({
        supportType: upgradePolicy ?? "STANDARD",
      });
    }
  });

  it("leaves the number of nodes to an autoscaler, once they are there", async () => {
    new Cluster("c", { clusterName: "dev", region: "eu-central-1", nodes: { min: 1, max: 5, desired: 2 } });
    await settled(registered);
    const nodes = only(registered, "aws:eks/nodeGroup:NodeGroup");
    expect(nodes.inputs.scalingConfig).to.deep.equal({ minSize: 1, maxSize: 5, desiredSize: 2 });
    expect(nodes.ignoreChanges).to.deep.equal(["scalingConfig.desiredSize"]);
  });

  it("puts cluster and nodes into the default VPC, unless it is given a network", async () => {
    const subnets = async (network?: ClusterArgs["network"]) => {
      registered = await setMocks();
      new Cluster("c", { clusterName: "dev", region: "eu-central-1", network });
      await settled(registered);
      const { vpcId, subnetIds, publicSubnetIds } = inputs("eks:index:Cluster");
      return [vpcId, subnetIds ?? publicSubnetIds, inputs("aws:eks/nodeGroup:NodeGroup").subnetIds];
    };
    const found = ["subnet-a", "subnet-b"];
    expect(await subnets()).to.deep.equal(["vpc-default", found, found]);
    const publicSubnetIds = ["subnet-0a", "subnet-0b"];
    expect(await subnets({ vpcId: "vpc-0a", publicSubnetIds })).to.deep.equal([
      "vpc-0a",
      publicSubnetIds,
      publicSubnetIds,
    ]);
    const privateSubnetIds = ["subnet-0c"];
    expect(await subnets({ vpcId: "vpc-0a", publicSubnetIds, privateSubnetIds })).to.deep.equal([
      "vpc-0a",
      publicSubnetIds,
      privateSubnetIds,
    ]);
  });

  it("lets networks and security groups reach the private endpoint, by a rule each on the cluster's group", async () => {
    const endpoint = { privateCidrs: ["10.1.0.0/16", "10.2.0.0/16"], securityGroupIds: ["sg-0a"] };
    new Cluster("c", { clusterName: "dev", region: "eu-central-1", endpoint });
    await settled(registered);
    const rules = registered.filter((one) => one.type === "aws:ec2/securityGroupRule:SecurityGroupRule");
    const https = {
      type: "ingress",
      protocol: "tcp",
      fromPort: 443,
      toPort: 443,
      securityGroupId: "sg-0c",
      description: "Who may reach the private endpoint",
    };
    expect(rules.map(({ name, inputs }) => ({ name, inputs }))).to.have.deep.members([
      { name: "c-endpoint-10.1.0.0/16", inputs: { ...https, cidrBlocks: ["10.1.0.0/16"] } },
      { name: "c-endpoint-10.2.0.0/16", inputs: { ...https, cidrBlocks: ["10.2.0.0/16"] } },
      { name: "c-endpoint-sg-0a", inputs: { ...https, sourceSecurityGroupId: "sg-0a" } },
    ]);
    const { dependencies } = only(registered, "pulumi:providers:kubernetes");
    for (const { name } of rules) expect(dependencies.join()).to.contain(name);
  });

  it("has the kubeconfig use the credentials that made the cluster, where they are not the caller's own", async () => {
    const argumentsOf = async (credentials?: ClusterArgs["credentials"]): Promise<string> => {
      registered = await setMocks();
      const cluster = new Cluster("c", { clusterName: "dev", region: "eu-central-1", credentials });
      const kubeconfig = await known(cluster.kubeconfig);
      await settled(registered);
      return JSON.parse(kubeconfig).users?.[0].user.exec.args.join(" ");
    };
    expect(await argumentsOf()).to.equal(undefined); // the component's own
    const roleArn = "arn:aws:iam::111122223333:role/ops";
    expect(await argumentsOf({ profile: "ops", roleArn })).to.equal(
      `--region eu-central-1 eks get-token --cluster-name dev --output json --role-arn ${roleArn} --profile ops`,
    );
  });

  it("asks for no add-on's newest version, takes pinned ones, and takes over those that pulumi-eks made", async () => {
    const addons = { "vpc-cni": "v1.20.4-eksbuild.1" };
    new Cluster("c", { clusterName: "dev", region: "eu-central-1", addons, podIdentityAgent: true });
    await settled(registered);
    expect(inputs("eks:index:Cluster").useDefaultVpcCni).to.equal(true);
    expect(inputs("eks:index:Cluster").kubeProxyAddonOptions).to.include({ enabled: false });
    const made = registered
      .filter((one) => one.type === "aws:eks/addon:Addon")
      .sort((one, other) => one.name.localeCompare(other.name));
    const below = "eks-irsa:index:Cluster$eks:index:Cluster";
    expect(
      made.map(({ name, inputs, aliases }) => ({
        name,
        of: inputs.addonName,
        version: inputs.addonVersion,
        was: aliases.map((one) => one.split("::").slice(2).join("::")),
      })),
    ).to.deep.equal([
      {
        name: "c-cluster-kube-proxy",
        of: "kube-proxy",
        version: undefined,
        was: [`${below}::c-cluster`],
      },
      {
        name: "c-cluster-vpc-cni",
        of: "vpc-cni",
        version: "v1.20.4-eksbuild.1",
        was: [`${below}$eks:index:VpcCniAddon::c-cluster-vpc-cni`],
      },
      { name: "c-pod-identity-agent", of: "eks-pod-identity-agent", version: undefined, was: [] },
    ]);
  });

  it("leaves nodes, add-ons and the agent to EKS Auto Mode", async () => {
    new Cluster("c", { clusterName: "dev", region: "eu-central-1", nodes: "auto", podIdentityAgent: true });
    await settled(registered);
    expect(inputs("eks:index:Cluster").autoMode).to.deep.include({ enabled: true });
    expect(registered.map(({ type }) => type)).to.have.members([
      "eks-irsa:index:Cluster",
      "aws:cloudwatch/logGroup:LogGroup",
      "eks:index:Cluster",
      "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
      "pulumi:providers:kubernetes",
    ]);
  });

  it("lets people and pipelines in, each by an entry of its own that tells its name from its ARN", async () => {
    const admins = ["arn:aws-cn:iam::111122223333:role/ci", "arn:aws-cn:iam::111122223333:user/team/ann"];
    new Cluster("c", { clusterName: "dev", region: "cn-north-1", admins, tags: { team: "a" } });
    await settled(registered);
    const entries = registered.filter((one) => one.type === "aws:eks/accessEntry:AccessEntry");
    expect(entries.map((one) => one.name)).to.have.members([
      "c-admin-111122223333:role/ci",
      "c-admin-111122223333:user/team/ann",
    ]);
    expect(entries.map((one) => one.inputs)).to.have.deep.members(
      admins.map((principalArn) => ({ clusterName: "dev", principalArn, tags: { team: "a" } })),
    );
    const policies = registered.filter(({ type }) => type.endsWith(":AccessPolicyAssociation"));
    expect(policies.map((one) => one.inputs)).to.have.deep.members(
      admins.map((principalArn) => ({
        clusterName: "dev",
        principalArn,
        policyArn: "arn:aws-cn:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        accessScope: { type: "cluster" },
      })),
    );
  });

  it("refuses arguments that EKS would refuse, by their own names, before it registers anything", async () => {
    const cluster = {
      clusterName: "a b",
      region: "Frankfurt",
      nodes: { instanceTypes: ["t3.medium", "t4g.medium"] },
    };
    expect(() => new Cluster("c", { ...cluster, network: { vpcId: "vpc-0a" } })).to.throw(
      ArgumentError,
      /^clusterName holds "a b"; .*\nregion holds "Frankfurt"; .*\nnodes\.instanceTypes\[1\] holds "t4g\.medium"; .*\nnetwork\.privateSubnetIds is not set; /,
    );
    expect(() => new ExistingCluster("c", { clusterName: "", region: "eu-central-1" })).to.throw(
      ArgumentError,
    );
    expect(() => new ReferencedCluster("c", { stack: "prod" })).to.throw(
      ArgumentError,
      /^stack holds "prod"; /,
    );
    expect(await settled(registered)).to.deep.equal([]);
  });

  it("makes the OIDC provider, the log group before the cluster, and nodes once they may join", async () => {
    new Cluster("c", {
      clusterName: "dev",
      region: "cn-north-1",
      logs: { types: ["api"], retentionDays: 7 },
    });
    await settled(registered);
    const cluster = only(registered, "eks:index:Cluster");
    expect(cluster.inputs).to.deep.include({
      name: "dev",
      createOidcProvider: false,
      authenticationMode: "API",
      enabledClusterLogTypes: ["api"],
    });
    expect(inputs("aws:cloudwatch/logGroup:LogGroup")).to.deep.include({
      name: "/aws/eks/dev/cluster",
      retentionInDays: 7,
    });
    expect(cluster.dependencies.join()).to.contain("LogGroup");
    const attachments = registered.filter(
      (one) => one.type === "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    );
    expect(attachments.map((one) => one.inputs.policyArn)).to.have.members([
      "arn:aws-cn:iam::aws:policy/AmazonEKSWorkerNodePolicy",
      "arn:aws-cn:iam::aws:policy/AmazonEKS_CNI_Policy",
      "arn:aws-cn:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    ]);
    const nodes = only(registered, "aws:eks/nodeGroup:NodeGroup");
    for (const { name } of attachments) expect(nodes.dependencies.join()).to.contain(name);
  });

  it("gives the OIDC provider tags and no thumbprint, and takes over the one that pulumi-eks made", async () => {
    new Cluster("c", { clusterName: "dev", region: "eu-central-1", tags: { team: "a" } });
    await settled(registered);
    const provider = only(registered, "aws:iam/openIdConnectProvider:OpenIdConnectProvider");
    expect(provider.inputs).to.deep.equal({
      url: `https://${issuer}`,
      clientIdLists: ["sts.amazonaws.com"],
      tags: { team: "a" },
    });
    // As pulumi-eks names it: nodejs/eks/cluster/cluster.ts, `${name}-oidcProvider` below the component.
    expect(provider.name).to.equal("c-cluster-oidcProvider");
    expect(provider.aliases.map((one) => one.split("::").slice(2).join("::"))).to.deep.equal([
      "eks-irsa:index:Cluster$eks:index:Cluster::c-cluster",
    ]);
  });

  it("looks whether it gets through to a private API server before anything in the cluster, once it is let in", async () => {
    const endpoint = { public: false, privateCidrs: ["10.0.0.0/8"] };
    new Cluster("c", { clusterName: "dev", region: "eu-central-1", endpoint });
    await settled(registered);
    expect(inputs("pulumi:providers:kubernetes").kubeconfig, "a secret").to.deep.include({
      value: '{"kind":"Config"}',
    });

    const nobody = "https://127.0.0.1:1";
    registered = await setMocks({
      outputs: {
        "eks:index:Cluster": (_, { name }) => ({
          eksCluster: { name, version: "1.35", certificateAuthority: { data: "Q0E=" } },
          core: { endpoint: nobody },
          kubeconfigJson: "{}",
          clusterSecurityGroupId: "sg-0c",
          oidcProviderUrl: `https://${issuer}`,
        }),
      },
    });
    const { provider } = new Cluster("c", { clusterName: "dev", region: "eu-central-1", endpoint });
    const error = await known(provider.urn).catch((error: Error) => error);
    expect((error as Error).message).to.match(
      /^The API server of the cluster dev, https:\/\/127\.0\.0\.1:1, cannot be reached from here: connect ECONNREFUSED.*10\.0\.0\.0\/8 \(endpoint\.privateCidrs\).*a VPN or a runner in the VPC/,
    );
    expect(registered.map(({ type }) => type)).to.not.include("pulumi:providers:kubernetes");
  });

  it("makes the log group of another name beside the one that is there, which keeps its place in the state", async () => {
    const logGroupOf = async (clusterName: string) => {
      registered = await setMocks();
      new Cluster("c", { clusterName, region: "eu-central-1" });
      await settled(registered);
      return only(registered, "aws:cloudwatch/logGroup:LogGroup");
    };
    const [one, other] = [await logGroupOf("dev"), await logGroupOf("other")];
    expect([one.name, other.name]).to.deep.equal(["c-logs-dev", "c-logs-other"]);
    // What it was called before: a stack that has it so keeps it.
    expect(one.aliases.map((alias) => alias.split(" ").at(-1))).to.deep.equal(["c-logs"]);
  });

  it("protects the cluster, its logs and its issuer's provider; nodes can be replaced all the same", async () => {
    new Cluster("c", { clusterName: "prod", region: "eu-central-1", deletionProtection: true });
    await settled(registered);
    expect(inputs("eks:index:Cluster").deletionProtection).to.equal(true);
    expect(registered.filter((one) => one.protect).map((one) => one.type)).to.have.members([
      "aws:cloudwatch/logGroup:LogGroup",
      "eks:index:Cluster",
      "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    ]);
  });
});

describe("ExistingCluster", () => {
  it("makes the OIDC provider for exactly the issuer, with no thumbprint that could be wrong or go stale", async () => {
    const registered = await setMocks({
      calls: {
        "aws:eks/getCluster:getCluster": () => ({
          name: "old",
          endpoint: "https://example.com",
          vpcConfig: { endpointPublicAccess: true },
          certificateAuthorities: [{ data: "Q0E=" }],
          identities: [{ oidcs: [{ issuer: `https://${issuer}` }] }],
        }),
      },
    });
    new ExistingCluster("c", { clusterName: "old", region: "eu-central-1", createOidcProvider: true });
    await settled(registered);
    expect(only(registered, "aws:iam/openIdConnectProvider:OpenIdConnectProvider").inputs).to.deep.equal({
      url: `https://${issuer}`,
      clientIdLists: ["sts.amazonaws.com"],
    });
  });
});
