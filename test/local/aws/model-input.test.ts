import * as ec2 from "@aws-sdk/client-ec2";
import * as ecr from "@aws-sdk/client-ecr";
import * as eks from "@aws-sdk/client-eks";
import * as iam from "@aws-sdk/client-iam";
import { expect } from "chai";
import { readCall } from "../../../local/aws/model-input.ts";
import { violationsOf } from "../../../local/aws/model-rules.ts";
import { asModel, botocoreModels, type Models } from "../../../local/aws/models.ts";
import { describeCall } from "../../../local/aws/request.ts";
import { botocoreHome, description } from "./boxes.ts";

/** A request as the front door has read it. */
function request(method: string, url: string, headers: Record<string, string>, body: string) {
  const call = describeCall(method, url, headers);
  const parameters = new URLSearchParams([...call.query, ...(call.form ? new URLSearchParams(body) : [])]);
  const action = parameters.get("Action") ?? call.target?.split(".").at(-1) ?? "";
  return { call, parameters, action, body, incoming: { headers } };
}

const of = (protocol: string) => asModel({ ...description, metadata: { protocol } });
const form = (query: string) =>
  request("POST", "/", { "content-type": "application/x-www-form-urlencoded" }, query);

describe("readCall", () => {
  it("reads the Query protocol: lists, maps and structures by their numbered names", () => {
    const query =
      "Action=MakeBox&boxName=oak&Tags.member.1.Key=a&Tags.member.2.Inner.member.1.Key=b&Labels.entry.1.key=k&Labels.entry.1.value=v&Unknown=1";
    expect(readCall(of("query"), form(query))).to.deep.include({
      input: {
        BoxName: "oak",
        Tags: [{ Key: "a" }, { Inner: [{ Key: "b" }] }],
        Labels: { k: "v" },
      },
    });
  });

  it("reads an empty list of the Query protocol as one", () => {
    expect(readCall(of("query"), form("Action=MakeBox&Tags="))?.input).to.deep.equal({ Tags: [] });
  });

  it("reads EC2's: names in upper case, lists without `member`", () => {
    const query = "Action=MakeBox&BoxName=oak&Tags.1.Key=a&Tags.2.Key=b";
    expect(readCall(of("ec2"), form(query))?.input).to.deep.equal({
      BoxName: "oak",
      Tags: [{ Key: "a" }, { Key: "b" }],
    });
  });

  it("reads JSON by its target", () => {
    const headers = { "x-amz-target": "Boxes_2015.MakeBox" };
    expect(readCall(of("json"), request("POST", "/", headers, '{"Kind":1}'))?.input).to.deep.equal({
      Kind: 1,
    });
    expect(readCall(of("json"), request("POST", "/", headers, ""))?.input).to.deep.equal({});
    expect(readCall(of("json"), request("POST", "/", headers, "{"))?.input).to.equal(undefined);
  });

  it("reads JSON by method and path, with what stands in those", () => {
    const call = readCall(of("rest-json"), request("POST", "/boxes/o%2Fk?depth=2", {}, '{"Kind":"WOOD"}'));
    expect(call?.operation.name).to.equal("MakeBox");
    expect(call?.input).to.deep.include({ BoxName: "o/k", Depth: 2, Kind: "WOOD" });
    expect(readCall(of("rest-json"), request("GET", "/boxes", {}, ""))?.input).to.deep.equal({});
  });

  it("gives nothing for what the model does not have", () => {
    expect(readCall(of("query"), form("Action=OpenBox"))).to.equal(undefined);
    expect(readCall(of("rest-json"), request("PUT", "/boxes/a", {}, "{}"))).to.equal(undefined);
    expect(readCall(of("rest-xml"), request("PUT", "/bucket", {}, ""))).to.equal(undefined);
  });

  describe("by botocore's models, of what the AWS SDK sends", () => {
    let models: Models;
    before(function () {
      const home = botocoreHome();
      if (home === undefined) this.skip();
      models = botocoreModels(home);
    });

    /** What a client would send. */
    async function sent(service: string, Client: new (options: never) => unknown, command: unknown) {
      let asked: ReturnType<typeof request> | undefined;
      const handler = {
        handle: async (http: Sent) => {
          const url = `${http.path}?${new URLSearchParams(queryOf(http))}`;
          asked = request(http.method, url, http.headers, String(http.body ?? ""));
          throw new Error("seen");
        },
      };
      const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "s" };
      const options = { region: "eu-central-1", credentials, requestHandler: handler, maxAttempts: 1 };
      const client = new Client(options as never) as { send(command: unknown): Promise<unknown> };
      await client.send(command).catch((error: Error) => {
        if (error.message !== "seen") throw error;
      });
      const model = await models(service);
      if (asked === undefined || model === undefined) throw new Error(`nothing was sent to ${service}`);
      const call = readCall(model, asked);
      if (call === undefined) throw new Error(`${service} knows no ${asked.call.method} ${asked.call.path}`);
      return {
        ...call,
        violations: violationsOf(model, call).map(({ path, rule }) => `${path} ${rule.kind}`),
      };
    }

    it("IAM", async () => {
      const role = { RoleName: "app", AssumeRolePolicyDocument: "{}", Tags: [{ Key: "env", Value: "dev" }] };
      const good = await sent("iam", iam.IAMClient, new iam.CreateRoleCommand(role));
      expect(good.input).to.deep.include(role);
      expect(good.violations).to.deep.equal([]);
      const bad = { ...role, RoleName: "a b", Tags: [{ Key: "", Value: "dev" }], MaxSessionDuration: 60 };
      expect((await sent("iam", iam.IAMClient, new iam.CreateRoleCommand(bad))).violations).to.deep.equal([
        "roleName pattern",
        "maxSessionDuration value",
        "tags.1.member.key length",
        "tags.1.member.key pattern",
      ]);
    });

    it("EC2", async () => {
      const input = {
        Filters: [{ Name: "vpc-id", Values: ["vpc-1", "vpc-2"] }],
        SubnetIds: ["subnet-1"],
      };
      const call = await sent("ec2", ec2.EC2Client, new ec2.DescribeSubnetsCommand(input));
      expect(call.input).to.deep.equal(input);
      expect(call.violations).to.deep.equal([]);
      const template = new ec2.CreateLaunchTemplateCommand({
        LaunchTemplateName: "nodes",
        LaunchTemplateData: {
          TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "a", Value: "b" }] }],
          MetadataOptions: { HttpTokens: "sometimes" as never },
        },
      });
      expect((await sent("ec2", ec2.EC2Client, template)).violations).to.deep.equal([
        "launchTemplateData.metadataOptions.httpTokens enum",
      ]);
    });

    it("ECR", async () => {
      const create = (repositoryName: string) =>
        sent("ecr", ecr.ECRClient, new ecr.CreateRepositoryCommand({ repositoryName }));
      expect((await create("team/app")).violations).to.deep.equal([]);
      expect((await create("Team")).violations).to.deep.equal(["repositoryName pattern"]);
    });

    it("EKS", async () => {
      const group = {
        clusterName: "irsa",
        nodegroupName: "nodes",
        subnets: ["subnet-1"],
        nodeRole: "arn:aws:iam::111122223333:role/node",
        scalingConfig: { minSize: 0, maxSize: 2, desiredSize: 1 },
        labels: { team: "data" },
        tags: { env: "dev" },
        amiType: "AL2023_x86_64_STANDARD" as const,
      };
      const good = await sent("eks", eks.EKSClient, new eks.CreateNodegroupCommand(group));
      expect(good.operation.name).to.equal("CreateNodegroup");
      expect(good.input).to.deep.include(group);
      expect(good.violations).to.deep.equal([]);
      const bad = { ...group, amiType: "AL3" as never, scalingConfig: { maxSize: 0 } };
      expect(
        (await sent("eks", eks.EKSClient, new eks.CreateNodegroupCommand(bad))).violations,
      ).to.deep.equal(["scalingConfig.maxSize value", "amiType enum"]);
      const tags = new eks.UntagResourceCommand({
        resourceArn: "arn:aws:eks:a:1:cluster/b",
        tagKeys: ["a", "b"],
      });
      expect((await sent("eks", eks.EKSClient, tags)).input).to.deep.equal({
        resourceArn: "arn:aws:eks:a:1:cluster/b",
        tagKeys: ["a", "b"],
      });
    });
  });
});

interface Sent {
  method: string;
  path: string;
  query?: Record<string, string | string[]>;
  headers: Record<string, string>;
  body?: unknown;
}

const queryOf = ({ query = {} }: Sent): [string, string][] =>
  Object.entries(query).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
