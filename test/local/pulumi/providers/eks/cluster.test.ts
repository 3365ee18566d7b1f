import type * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { components, methods } from "../../../../../local/pulumi/providers/eks/cluster.ts";
import { issuer, known, only, type Registered, setMocks, settled } from "../../../../mocks.ts";

const arn = "arn:aws:eks:eu-central-1:111122223333:cluster/dev";

describe("eks.Cluster", () => {
  let registered: Registered[];
  let asked: string[];

  beforeEach(async () => {
    asked = [];
    const answer = (token: string, result: Record<string, unknown>) => ({
      [token]: (args: Record<string, unknown>) => {
        asked.push([token.split(":")[2], args.addonName].filter(Boolean).join(" "));
        return result;
      },
    });
    registered = await setMocks({
      calls: {
        ...answer("aws:index/getPartition:getPartition", { partition: "aws" }),
        ...answer("aws:index/getRegion:getRegion", { region: "eu-central-1", name: "eu-central-1" }),
        ...answer("aws:ec2/getVpc:getVpc", { id: "vpc-default" }),
        ...answer("aws:ec2/getSubnets:getSubnets", { ids: ["subnet-a", "subnet-b"] }),
        ...answer("aws:eks/getAddonVersion:getAddonVersion", { version: "v1" }),
      },
      outputs: {
        "aws:eks/cluster:Cluster": (_, inputs) => ({
          arn,
          name: inputs.name,
          version: "1.34",
          endpoint: "https://example",
          certificateAuthority: { data: "Q0E=" },
          identities: [{ oidcs: [{ issuer: `https://${issuer}` }] }],
          vpcConfig: { ...(inputs.vpcConfig as object), clusterSecurityGroupId: "sg-eks" },
        }),
        "aws:ec2/securityGroupRule:SecurityGroupRule": (name) => ({ securityGroupRuleId: `sgr-${name}` }),
      },
    });
  });

  const base = { name: "dev", authenticationMode: "API", skipDefaultNodeGroup: true };
  const make = (args: object = {}) => {
    const component = components["eks:index:Cluster"];
    if (component === undefined) throw new Error("there is no eks.Cluster");
    return component("c", { ...base, ...args }, {});
  };
  const made = (): string[] => registered.map(({ type, name }) => `${type} ${name}`);
  const vpcConfig = () => only(registered, "aws:eks/cluster:Cluster").inputs.vpcConfig;
  const value = (of: unknown) => known(of as pulumi.Output<unknown>);
  const parentOf = (name: string): string | undefined =>
    registered
      .find((one) => one.name === name && one.custom)
      ?.parent.split("::")
      .pop();

  it("registers what the real component registers, under its names", async () => {
    make({ createOidcProvider: true });
    await settled(registered);
    expect(made()).to.have.members([
      "eks:index:Cluster c",
      "eks:index:ServiceRole c-eksRole",
      "aws:iam/role:Role c-eksRole-role",
      "aws:iam/rolePolicyAttachment:RolePolicyAttachment c-eksRole-4b490823",
      "aws:ec2/securityGroup:SecurityGroup c-eksClusterSecurityGroup",
      "aws:ec2/securityGroup:SecurityGroup c-nodeSecurityGroup",
      "aws:ec2/securityGroupRule:SecurityGroupRule c-eksClusterInternetEgressRule",
      "aws:ec2/securityGroupRule:SecurityGroupRule c-eksNodeIngressRule",
      "aws:ec2/securityGroupRule:SecurityGroupRule c-eksNodeClusterIngressRule",
      "aws:ec2/securityGroupRule:SecurityGroupRule c-eksExtApiServerClusterIngressRule",
      "aws:ec2/securityGroupRule:SecurityGroupRule c-eksNodeInternetEgressRule",
      "aws:ec2/securityGroupRule:SecurityGroupRule c-eksClusterIngressRule",
      "aws:eks/cluster:Cluster c-eksCluster",
      "aws:eks/addon:Addon c-kube-proxy",
      "eks:index:VpcCniAddon c-vpc-cni",
      "aws:eks/addon:Addon c-vpc-cni",
      "pulumi:providers:kubernetes c-eks-k8s",
      "aws:iam/openIdConnectProvider:OpenIdConnectProvider c-oidcProvider",
    ]);
    expect(parentOf("c-eksClusterIngressRule")).to.equal("c");
    expect(parentOf("c-vpc-cni")).to.equal("c-vpc-cni");
    expect(parentOf("c-eksRole-role")).to.equal("c-eksRole");
  });

  it("asks what the real component asks", async () => {
    make({ createOidcProvider: true });
    await settled(registered);
    expect(asked).to.have.members([
      "getPartition",
      "getRegion",
      "getVpc",
      "getSubnets",
      "getAddonVersion kube-proxy",
      "getAddonVersion vpc-cni",
    ]);
  });

  it("lets the nodes' group and itself reach the API server, and nothing else", async () => {
    make();
    await settled(registered);
    const rules = registered.filter(({ type }) => type === "aws:ec2/securityGroupRule:SecurityGroupRule");
    const intoCluster = rules.filter(
      ({ inputs }) => inputs.type === "ingress" && inputs.securityGroupId === "c-eksClusterSecurityGroup-id",
    );
    expect(intoCluster.map(({ inputs }) => inputs)).to.deep.equal([
      {
        description: "Allow pods to communicate with the cluster API Server",
        type: "ingress",
        fromPort: 443,
        toPort: 443,
        protocol: "tcp",
        securityGroupId: "c-eksClusterSecurityGroup-id",
        sourceSecurityGroupId: "c-nodeSecurityGroup-id",
      },
    ]);
    expect(vpcConfig()).to.have.deep.property("securityGroupIds", ["c-eksClusterSecurityGroup-id"]);
  });

  it("keeps its add-ons when it goes, at the version that is newest", async () => {
    make({ tags: { team: "a" } });
    await settled(registered);
    const { inputs } = only(registered, "aws:eks/addon:Addon", "c-kube-proxy");
    expect(inputs).to.deep.equal({
      clusterName: "dev",
      addonName: "kube-proxy",
      addonVersion: "v1",
      preserve: true,
      resolveConflictsOnCreate: "OVERWRITE",
      resolveConflictsOnUpdate: "OVERWRITE",
      tags: { team: "a" },
    });
    const values = only(registered, "aws:eks/addon:Addon", "c-vpc-cni").inputs.configurationValues;
    expect(JSON.parse(String(values)).env).to.include({ WARM_ENI_TARGET: "1", AWS_VPC_ENI_MTU: "9001" });
  });

  it("makes, and asks for, none of the add-ons that it is told to leave", async () => {
    make({ kubeProxyAddonOptions: { enabled: false }, useDefaultVpcCni: true });
    await settled(registered);
    expect(registered.filter(({ type }) => /addon/i.test(type))).to.deep.equal([]);
    expect(asked).to.not.include.members(["getAddonVersion kube-proxy"]);
  });

  it("under Auto Mode makes the nodes' role, and leaves security groups, add-ons and node groups to EKS", async () => {
    const { outputs } = make({ autoMode: { enabled: true }, skipDefaultNodeGroup: undefined });
    await settled(registered);
    const attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
    expect(made().filter((one) => !one.startsWith(attachment))).to.have.members([
      "eks:index:Cluster c",
      "eks:index:ServiceRole c-eksRole",
      "aws:iam/role:Role c-eksRole-role",
      "eks:index:ServiceRole c-nodeRole",
      "aws:iam/role:Role c-nodeRole-role",
      "aws:eks/cluster:Cluster c-eksCluster",
      "pulumi:providers:kubernetes c-eks-k8s",
    ]);
    const attached = (role: string) =>
      registered
        .filter(({ type, name }) => type === attachment && name.startsWith(`c-${role}-`))
        .map(({ inputs }) => String(inputs.policyArn).replace("arn:aws:iam::aws:policy/", ""));
    expect(attached("eksRole")).to.have.members([
      "AmazonEKSClusterPolicy",
      "AmazonEKSComputePolicy",
      "AmazonEKSBlockStoragePolicy",
      "AmazonEKSLoadBalancingPolicy",
      "AmazonEKSNetworkingPolicy",
    ]);
    expect(attached("nodeRole")).to.have.members([
      "AmazonEKSWorkerNodeMinimalPolicy",
      "AmazonEC2ContainerRegistryPullOnly",
    ]);
    const { inputs } = only(registered, "aws:eks/cluster:Cluster");
    expect(inputs).to.deep.include({
      bootstrapSelfManagedAddons: false,
      computeConfig: {
        enabled: true,
        nodeRoleArn: "arn:aws:iam::111122223333:role/c-nodeRole-role",
        nodePools: ["general-purpose", "system"],
      },
      storageConfig: { blockStorage: { enabled: true } },
      kubernetesNetworkConfig: { ipFamily: "ipv4", elasticLoadBalancing: { enabled: true } },
    });
    expect(await value(outputs.clusterSecurityGroupId)).to.equal("sg-eks");
  });

  it("takes the default VPC's subnets, none where a VPC is given without them, and those that are given", async () => {
    for (const [args, subnets] of [
      [{}, ["subnet-a", "subnet-b"]],
      [{ vpcId: "vpc-1" }, []],
      [{ vpcId: "vpc-1", subnetIds: ["subnet-c"] }, ["subnet-c"]],
      [{ publicSubnetIds: ["subnet-d"], privateSubnetIds: ["subnet-e"] }, ["subnet-d", "subnet-e"]],
    ] as const) {
      registered.length = 0;
      make(args);
      await settled(registered);
      expect(vpcConfig()).to.have.deep.property("subnetIds", subnets);
    }
  });

  it("gives the OIDC provider a thumbprint and no tags", async () => {
    make({ createOidcProvider: true, tags: { team: "a" } });
    await settled(registered);
    expect(only(registered, "aws:iam/openIdConnectProvider:OpenIdConnectProvider").inputs).to.deep.equal({
      url: `https://${issuer}`,
      clientIdLists: ["sts.amazonaws.com"],
      thumbprintLists: ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
    });
  });

  describe("its kubeconfig", () => {
    const argumentsOf = (kubeconfig: unknown): string =>
      JSON.parse(String(kubeconfig)).users[0].user.exec.args.join(" ");
    const token = "--region eu-central-1 eks get-token --cluster-name dev --output json";

    it("names no profile, for whoever uses it has credentials of their own; the component's own has it", async () => {
      const { outputs } = make({ providerCredentialOpts: { profileName: "ops" } });
      await settled(registered);
      expect(argumentsOf(await value(outputs.kubeconfigJson))).to.equal(token);
      const { inputs } = only(registered, "pulumi:providers:kubernetes");
      expect(argumentsOf(inputs.kubeconfig)).to.equal(`${token} --profile ops`);
    });

    it("names the profile and the role that getKubeconfig is asked for", async () => {
      const { outputs } = make();
      await settled(registered);
      const { result } = await Promise.resolve(
        methods["eks:index:Cluster/getKubeconfig"]?.({
          __self__: outputs,
          profileName: "ops",
          roleArn: "arn:aws:iam::111122223333:role/ops",
        }),
      ).then((answer) => answer ?? {});
      expect(argumentsOf(await value(result))).to.equal(
        `${token} --role arn:aws:iam::111122223333:role/ops --profile ops`,
      );
    });
  });

  for (const [what, args, message] of [
    ["two ways to name subnets", { subnetIds: ["a"], publicSubnetIds: ["b"] }, "mutually exclusive"],
    [
      "publicAccessCidrs while the public endpoint is off",
      { endpointPublicAccess: false, publicAccessCidrs: ["10.0.0.0/8"] },
      "`publicAccessCidrs` can only be set when `endpointPublicAccess` is true",
    ],
    ["a default node group", { skipDefaultNodeGroup: false }, "makes no default node group"],
    ["the aws-auth ConfigMap", { authenticationMode: "CONFIG_MAP" }, "authenticationMode API only"],
    [
      "Auto Mode with a node role of one's own",
      { autoMode: { enabled: true, createNodeRole: false } },
      "no more than enabled",
    ],
    ["what it would ignore", { fargate: true }, "does not know fargate"],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => make(args)).to.throw(message);
    });
  }
});
