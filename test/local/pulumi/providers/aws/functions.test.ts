import { expect } from "chai";
import { Account } from "./account.ts";

describe("the functions of aws", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:iam/role:Role");
  });
  afterEach(() => account.close());
  const invoke = (token: string, args = {}) => account.engine.invoke(token, args);
  const failure = (token: string, args = {}) => invoke(token, args).catch((error: Error) => error.message);

  it("tell who asks, and where", async () => {
    expect(await invoke("aws:index/getCallerIdentity:getCallerIdentity")).to.include({
      accountId: "111122223333",
    });
    expect(await invoke("aws:index/getRegion:getRegion")).to.include({
      region: "eu-central-1",
      name: "eu-central-1",
    });
    expect(await invoke("aws:index/getPartition:getPartition")).to.include({ partition: "aws" });
    await account.engine.configure({ region: "cn-north-1" });
    expect(await invoke("aws:index/getPartition:getPartition")).to.deep.equal({
      id: "aws-cn",
      partition: "aws-cn",
      dnsSuffix: "amazonaws.com.cn",
      reverseDnsPrefix: "cn.com.amazonaws",
    });
  });

  it("ask EKS for the newest version of an add-on, or for the default one", async () => {
    const token = "aws:eks/getAddonVersion:getAddonVersion";
    const args = { addonName: "kube-proxy", kubernetesVersion: "1.34" };
    expect((await invoke(token, { ...args, mostRecent: true })).version).to.equal("v1.34.2");
    expect((await invoke(token, args)).version).to.equal("v1.34.1");
    expect(await failure(token, { ...args, addonName: "mine" })).to.contain(
      "reading EKS Add-On version info (mine, 1.34): couldn't find resource",
    );
  });

  it("find a cluster, or say that there is none", async () => {
    const token = "aws:eks/getCluster:getCluster";
    account.aws.ask("CreateCluster", { name: "dev" });
    expect(await invoke(token, { name: "dev" })).to.include({ name: "dev", endpoint: "https://example" });
    expect(await failure(token, { name: "gone" })).to.contain(
      "reading EKS Cluster (gone): couldn't find resource",
    );
  });

  it("find an OIDC provider by URL or ARN, or say that the account has none", async () => {
    const token = "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider";
    account.aws.ask("CreateOpenIDConnectProvider", { Url: "https://issuer.example/a", ClientIDList: ["b"] });
    const arn = "arn:aws:iam::111122223333:oidc-provider/issuer.example/a";
    expect(await invoke(token, { url: "https://issuer.example/a" })).to.deep.include({
      arn,
      clientIdLists: ["b"],
    });
    expect(await invoke(token, { arn })).to.deep.include({ url: "issuer.example/a" });
    expect(await failure(token, { url: "https://issuer.example/other" })).to.contain(
      "finding IAM OIDC Provider by url (https://issuer.example/other): not found",
    );
  });

  it("log in to ECR, with a password that may hold colons", async () => {
    expect(await invoke("aws:ecr/getAuthorizationToken:getAuthorizationToken")).to.include({
      userName: "AWS",
      password: "pass:word",
    });
  });

  it("find one VPC, and its subnets in order", async () => {
    expect(await invoke("aws:ec2/getVpc:getVpc", { default: true })).to.include({
      id: "vpc-default",
      default: true,
    });
    expect(account.aws.given("DescribeVpcs").Filters).to.deep.equal([
      { Name: "is-default", Values: ["true"] },
    ]);
    account.aws.instead.DescribeVpcs = () => ({ Vpcs: [] });
    expect(await failure("aws:ec2/getVpc:getVpc", { default: true })).to.contain("no matching EC2 VPC found");
    const filters = [{ name: "vpc-id", values: ["vpc-default"] }];
    expect((await invoke("aws:ec2/getSubnets:getSubnets", { filters })).ids).to.deep.equal([
      "subnet-a",
      "subnet-b",
    ]);
  });
});
