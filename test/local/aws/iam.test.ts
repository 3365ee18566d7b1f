import { expect } from "chai";
import { type IamAccount, iam, type OidcProviderRecord } from "../../../local/aws/iam.ts";
import { AwsError, errorReply, type Reply } from "../../../local/aws/reply.ts";
import { irsaTrust, refusal, trustPolicy } from "./tokens.ts";

const arn = "arn:aws:iam::000000000000:oidc-provider/example.com";
const unknownAction = errorReply(new AwsError("InvalidAction", "Unknown IAM action"), "query", "iam");
const ok: Reply = { status: 200, headers: {}, body: "<ok/>" };

class FakeAccount implements IamAccount {
  provider: OidcProviderRecord = {
    url: "example.com",
    clientIds: ["a"],
    thumbprints: ["0".repeat(40)],
    tags: new Map([["team", "data"]]),
  };
  async policyExists(policy: string) {
    return policy.endsWith("/AmazonS3ReadOnlyAccess");
  }
  async oidcProvider(of: string) {
    if (of !== arn) throw new AwsError("NoSuchEntity", "no such provider", 404);
    return this.provider;
  }
  async replaceOidcProvider(_: string, record: OidcProviderRecord) {
    this.provider = record;
  }
}

describe("iam", () => {
  let account: FakeAccount;
  let forwarded: number;
  beforeEach(() => {
    account = new FakeAccount();
    forwarded = 0;
  });
  const send = (parameters: Record<string, string>, upstream = ok) =>
    iam(
      new URLSearchParams(parameters),
      async () => {
        forwarded += 1;
        return upstream;
      },
      account,
    );

  describe("policies", () => {
    const refused: [string, string, string][] = [
      ["no JSON", '{"Version":', "This policy contains invalid Json"],
      [
        "a trust policy with a resource",
        trustPolicy(undefined, { Resource: "*" }),
        "Has prohibited field Resource",
      ],
      ["an effect in lower case", trustPolicy(undefined, { Effect: "allow" }), "Syntax errors in policy."],
      ["no principal", trustPolicy(undefined, { Principal: undefined }), "Syntax errors in policy."],
      [
        "another service's action",
        trustPolicy(undefined, { Action: ["sts:AssumeRole", "s3:GetObject"] }),
        "AssumeRole policy may only specify STS AssumeRole actions.",
      ],
    ];
    for (const [name, policy, message] of refused) {
      it(`refuses a trust policy: ${name}`, async () => {
        const calls: Record<string, string>[] = [
          { Action: "CreateRole", AssumeRolePolicyDocument: policy },
          { Action: "UpdateAssumeRolePolicy", PolicyDocument: policy },
        ];
        for (const call of calls) {
          const told = await refusal(send(call));
          expect(told.startsWith(`400 MalformedPolicyDocument: ${message}`), told).to.equal(true);
        }
        expect(forwarded).to.equal(0);
      });
    }

    it("takes the trust policy of IRSA", async () => {
      expect(await send({ Action: "CreateRole", AssumeRolePolicyDocument: irsaTrust })).to.equal(ok);
    });

    it("refuses permissions that name a principal, in every action that takes a policy", async () => {
      for (const Action of [
        "CreatePolicy",
        "CreatePolicyVersion",
        "PutRolePolicy",
        "PutUserPolicy",
        "PutGroupPolicy",
      ]) {
        expect(await refusal(send({ Action, PolicyDocument: irsaTrust }))).to.match(
          /^400 MalformedPolicyDocument: Has prohibited field Principal/,
        );
      }
    });

    it("refuses policies over the quota, as IAM counts them and says it", async () => {
      const trust = (characters: number) => {
        const subject = (length: number) =>
          trustPolicy({ StringEquals: { "example.com:sub": "x".repeat(length) } });
        return subject(characters - subject(0).length);
      };
      const create = (policy: string) =>
        send({ Action: "CreateRole", RoleName: "r", AssumeRolePolicyDocument: policy });
      expect(await create(`  ${trust(2048)}\n`)).to.equal(ok);
      expect(await refusal(create(trust(2049)))).to.equal(
        "409 LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048",
      );
      const permissions = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${"x".repeat(7000)}` },
        ],
      });
      const send7000 = (Action: string) => send({ Action, RoleName: "r", PolicyDocument: permissions });
      expect(await refusal(send7000("CreatePolicy"))).to.equal(
        "409 LimitExceeded: Cannot exceed quota for PolicySize: 6144",
      );
      expect(await send7000("PutRolePolicy")).to.equal(ok);
      expect(await refusal(send7000("PutGroupPolicy"))).to.match(
        /^409 LimitExceeded: Maximum policy size of 5120 bytes/,
      );
    });

    it("attaches only a policy that is there", async () => {
      const attach = (name: string) =>
        send({ Action: "AttachRolePolicy", RoleName: "r", PolicyArn: `arn:aws:iam::aws:policy/${name}` });
      expect(await refusal(attach("AmazonS3ReadonlyAccess"))).to.equal(
        "404 NoSuchEntity: Policy arn:aws:iam::aws:policy/AmazonS3ReadonlyAccess does not exist or is not attachable.",
      );
      expect(await attach("AmazonS3ReadOnlyAccess")).to.equal(ok);
    });
  });

  describe("OIDC providers", () => {
    it("are made for https URLs only", async () => {
      for (const Url of [
        "http://example.com",
        "example.com",
        "https://example.com:8443",
        "https://example.com?x",
        "",
      ]) {
        expect(await refusal(send({ Action: "CreateOpenIDConnectProvider", Url })), Url).to.equal(
          "400 ValidationError: Invalid Open ID Connect Provider URL",
        );
      }
      expect(await send({ Action: "CreateOpenIDConnectProvider", Url: "https://example.com/id/A" })).to.equal(
        ok,
      );
    });

    it("are given back without the scheme, as IAM does", async () => {
      const upstream = { ...ok, body: "<Url>https://example.com</Url>" };
      const reply = await send({ Action: "GetOpenIDConnectProvider" }, upstream);
      expect(reply.body).to.equal("<Url>example.com</Url>");
    });

    const change = (parameters: Record<string, string>) =>
      send({ OpenIDConnectProviderArn: arn, ...parameters }, unknownAction);

    it("are changed as MiniStack cannot", async () => {
      const reply = await change({
        Action: "TagOpenIDConnectProvider",
        "Tags.member.1.Key": "env",
        "Tags.member.1.Value": "dev",
        "Tags.member.2.Key": "team",
        "Tags.member.2.Value": "web",
      });
      expect(reply.status).to.equal(200);
      expect(reply.body).to.match(/^<TagOpenIDConnectProviderResponse xmlns=/);
      await change({ Action: "UntagOpenIDConnectProvider", "TagKeys.member.1": "env" });
      await change({ Action: "AddClientIDToOpenIDConnectProvider", ClientID: "b" });
      await change({ Action: "AddClientIDToOpenIDConnectProvider", ClientID: "b" });
      await change({ Action: "RemoveClientIDFromOpenIDConnectProvider", ClientID: "a" });
      await change({
        Action: "UpdateOpenIDConnectProviderThumbprint",
        "ThumbprintList.member.1": "1".repeat(40),
      });
      expect({ ...account.provider, tags: [...account.provider.tags] }).to.deep.equal({
        url: "example.com",
        clientIds: ["b"],
        thumbprints: ["1".repeat(40)],
        tags: [["team", "web"]],
      });
    });

    it("tell their tags", async () => {
      const reply = await change({ Action: "ListOpenIDConnectProviderTags" });
      expect(reply.body).to.contain("<Tags><member><Key>team</Key><Value>data</Value></member></Tags>");
    });

    it("stay as they are when MiniStack denies the caller the action", async () => {
      const denied = errorReply(new AwsError("AccessDenied", "not authorized", 403), "query", "iam");
      const before = account.provider;
      const reply = await send(
        { Action: "RemoveClientIDFromOpenIDConnectProvider", OpenIDConnectProviderArn: arn, ClientID: "a" },
        denied,
      );
      expect(reply).to.equal(denied);
      expect(account.provider).to.equal(before);
    });

    it("must be there", async () => {
      expect(
        await refusal(change({ Action: "TagOpenIDConnectProvider", OpenIDConnectProviderArn: "x" })),
      ).to.match(/^404 NoSuchEntity: /);
    });
  });

  it("leaves an action that nobody knows refused", async () => {
    expect(await send({ Action: "MakeMeRoot" }, unknownAction)).to.equal(unknownAction);
  });
});
