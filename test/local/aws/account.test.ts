import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { Account } from "../../../local/aws/account.ts";
import { refusal } from "./tokens.ts";

describe("the account in MiniStack", () => {
  /** What MiniStack answers, by the action or by method and path; all else is not there. */
  let answers: Record<string, { status?: number; body: string }>;
  let asked: string[];
  let server: Server;
  let account: Account;
  before(async () => {
    server = createServer(async (incoming, outgoing) => {
      let body = "";
      for await (const chunk of incoming.setEncoding("utf8")) body += chunk;
      const target = incoming.headers["x-amz-target"];
      const action =
        new URLSearchParams(body).get("Action") ??
        String(target ?? "")
          .split(".")
          .at(-1);
      const name = action || `${incoming.method} ${incoming.url}`;
      asked.push(name);
      const { status = 200, body: answer } = answers[name] ?? { status: 404, body: "{}" };
      outgoing.writeHead(status, {
        "content-type": answer.startsWith("<") ? "text/xml" : "application/json",
      });
      outgoing.end(answer);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    account = new Account({ endpoint, region: "eu-central-1" });
  });
  after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    answers = {};
    asked = [];
  });
  const iam = (action: string, result: string) => ({
    body: `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`,
  });
  const iamError = (code: string) => ({
    status: 404,
    body: `<ErrorResponse><Error><Code>${code}</Code><Message>m</Message></Error></ErrorResponse>`,
  });
  const json = (body: object) => ({ body: JSON.stringify(body) });

  it("gives a role with its trust policy decoded; none when it is not there", async () => {
    answers.GetRole = iam(
      "GetRole",
      "<Role><Arn>arn:r</Arn><AssumeRolePolicyDocument>%7B%22a%22%3A1%7D</AssumeRolePolicyDocument></Role>",
    );
    expect(await account.role("r")).to.deep.equal({
      arn: "arn:r",
      trustPolicy: '{"a":1}',
      maxSessionSeconds: 3600,
    });
    answers.GetRole = iamError("NoSuchEntity");
    expect(await account.role("r")).to.equal(undefined);
    answers.GetRole = iamError("AccessDenied");
    expect(await account.role("r").catch((error: Error) => error.name)).to.equal("AccessDenied");
  });

  it("knows roles and users by their whole ARN", async () => {
    answers.GetRole = iam("GetRole", "<Role><Arn>arn:aws:iam::1:role/sso/ops</Arn></Role>");
    answers.GetUser = iam("GetUser", "<User><Arn>arn:aws:iam::1:user/ann</Arn></User>");
    for (const [arn, there] of [
      ["arn:aws:iam::1:role/sso/ops", true],
      ["arn:aws:iam::1:role/ops", false],
      ["arn:aws:iam::1:user/ann", true],
    ] as const) {
      expect(await account.principalExists(arn), arn).to.equal(there);
    }
    answers = { GetRole: iamError("NoSuchEntity"), GetUser: iamError("NoSuchEntity") };
    for (const arn of ["arn:aws:iam::1:role/ops", "arn:aws:iam::1:user/ann"])
      expect(await account.principalExists(arn), arn).to.equal(false);
  });

  it("gives OIDC providers without their scheme, leaving out one that went meanwhile", async () => {
    answers.ListOpenIDConnectProviders = iam(
      "ListOpenIDConnectProviders",
      "<OpenIDConnectProviderList><member><Arn>arn:p</Arn></member></OpenIDConnectProviderList>",
    );
    answers.GetOpenIDConnectProvider = iam(
      "GetOpenIDConnectProvider",
      "<Url>https://example.com/id</Url><ClientIDList><member>a</member></ClientIDList>",
    );
    const [provider] = await account.oidcProviders();
    expect(provider).to.deep.include({ arn: "arn:p", url: "example.com/id", clientIds: ["a"] });
    answers.GetOpenIDConnectProvider = iamError("NoSuchEntity");
    expect(await account.oidcProviders()).to.deep.equal([]);
    expect(await refusal(account.oidcProvider("arn:p"))).to.equal(
      "404 NoSuchEntity: OpenIDConnect Provider not found for arn arn:p",
    );
  });

  it("knows an IMMUTABLE repository from a MUTABLE one, and from none", async () => {
    const repository = (imageTagMutability: string) => json({ repositories: [{ imageTagMutability }] });
    answers.DescribeRepositories = repository("IMMUTABLE");
    expect(await account.isImmutable("app")).to.equal(true);
    answers.DescribeRepositories = repository("MUTABLE");
    expect(await account.isImmutable("app")).to.equal(false);
    answers.DescribeRepositories = { status: 400, ...json({ __type: "RepositoryNotFoundException" }) };
    expect(await account.isImmutable("app")).to.equal(false);
  });

  it("finds the association of a ServiceAccount, when it was made, and its tags", async () => {
    answers["GET /clusters"] = json({ clusters: ["irsa"] });
    answers["GET /clusters/irsa/pod-identity-associations?namespace=team-a&serviceAccount=app"] = json({
      associations: [{ associationId: "a-1" }],
    });
    answers["GET /clusters/irsa/pod-identity-associations/a-1"] = json({
      association: {
        createdAt: 1_800_000_000,
        associationArn: "arn:a-1",
        roleArn: "arn:r",
        targetRoleArn: "arn:t",
        tags: { env: "dev" },
      },
    });
    expect(await account.associationCreatedAt("team-a", "app")).to.deep.equal(new Date(1_800_000_000_000));
    expect(await account.association("irsa", "a-1")).to.deep.equal({
      tags: { env: "dev" },
      disableSessionTags: false,
      policy: undefined,
    });
    expect(await account.podIdentityAssociation("irsa", "team-a", "app")).to.deep.equal({
      id: "a-1",
      arn: "arn:a-1",
      roleArn: "arn:r",
      targetRoleArn: "arn:t",
      disableSessionTags: false,
      policy: undefined,
      createdAt: new Date(1_800_000_000_000),
    });
    answers["GET /clusters/irsa/pod-identity-associations/a-1"] = {
      status: 404,
      ...json({ __type: "ResourceNotFoundException" }),
    };
    expect(await account.associationCreatedAt("team-a", "app"), "gone meanwhile").to.equal(undefined);
    expect(await account.association("irsa", "a-1")).to.equal(undefined);
    answers["GET /clusters"] = json({ clusters: [] });
    expect(await account.associationCreatedAt("team-a", "app"), "no cluster").to.equal(undefined);
  });

  it("makes its administrator anew, whose older keys it deletes", async () => {
    answers.CreateUser = iamError("EntityAlreadyExists");
    answers.AttachUserPolicy = iam("AttachUserPolicy", "");
    answers.ListAccessKeys = iam(
      "ListAccessKeys",
      "<AccessKeyMetadata><member><AccessKeyId>OLD</AccessKeyId></member></AccessKeyMetadata>",
    );
    answers.DeleteAccessKey = iam("DeleteAccessKey", "");
    answers.CreateAccessKey = iam(
      "CreateAccessKey",
      "<AccessKey><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey></AccessKey>",
    );
    expect(await account.administrator()).to.deep.equal({ accessKeyId: "AKIA", secretAccessKey: "s" });
    expect(asked).to.include("DeleteAccessKey");
    answers.CreateAccessKey = iam("CreateAccessKey", "<AccessKey></AccessKey>");
    const told = await account.administrator().catch((error: Error) => error.message);
    expect(told).to.equal("MiniStack gave no access key.");
  });
});
