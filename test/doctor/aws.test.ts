import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { awsWorld } from "../../doctor/aws.ts";

describe("AWS as the doctor sees it", () => {
  let server: Server;
  let answers: Record<string, [code: number, body: string | object]>;
  let asked: string[];
  const before_ = { ...process.env };

  before((done) => {
    server = createServer(async (request, response) => {
      const action = new URLSearchParams(await text(request)).get("Action");
      const what = action ?? `${request.method} ${request.url}`;
      asked.push(`${what} by ${/Credential=([^/]+)/.exec(request.headers.authorization ?? "")?.[1]}`);
      const [code, body] = answers[what] ?? [500, "<Response/>"];
      const json = typeof body === "object";
      response
        .writeHead(code, { "content-type": json ? "application/json" : "text/xml" })
        .end(json ? JSON.stringify(body) : body);
    }).listen(0, "127.0.0.1", () => {
      process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      process.env.AWS_ACCESS_KEY_ID = "AKIAOWN";
      process.env.AWS_SECRET_ACCESS_KEY = "none";
      process.env.AWS_MAX_ATTEMPTS = "1";
      done();
    });
  });
  after((done) => {
    for (const name of Object.keys(process.env)) if (!(name in before_)) delete process.env[name];
    Object.assign(process.env, before_);
    server.close(done);
    server.closeAllConnections();
  });
  beforeEach(() => {
    answers = {};
    asked = [];
  });

  const world = () => awsWorld("eu-central-1");
  const associations = "GET /clusters/dev/pod-identity-associations";

  it("gives the association of a ServiceAccount with its target and tags, and none where there is none", async () => {
    const query = "?namespace=a&serviceAccount=b";
    answers[`${associations}${query}`] = [200, { associations: [{ associationId: "a-1" }] }];
    answers[`${associations}/a-1`] = [
      200,
      { association: { roleArn: "arn:r", targetRoleArn: "arn:t", disableSessionTags: true } },
    ];
    expect(await world().eks.association("dev", "a", "b")).to.deep.include({
      id: "a-1",
      roleArn: "arn:r",
      targetRoleArn: "arn:t",
      sessionTags: false,
    });
    answers[`${associations}${query}`] = [200, { associations: [] }];
    expect(await world().eks.association("dev", "a", "b")).to.equal(undefined);
  });

  it("tells what is not there from what was refused", async () => {
    const error = (code: string) =>
      `<ErrorResponse><Error><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;
    answers.GetRole = [404, error("NoSuchEntity")];
    expect(await world().iam.role("x")).to.equal(undefined);
    answers.GetRole = [403, error("AccessDenied")];
    const refused = await world()
      .iam.role("x")
      .catch((error: Error) => error.name);
    expect(refused).to.equal("AccessDenied");
    answers["GET /clusters/dev/addons/agent"] = [404, { __type: "ResourceNotFoundException" }];
    expect(await world().eks.addon("dev", "agent")).to.equal(undefined);
  });

  it("says what AWS left out of an answer, instead of going on without it", async () => {
    answers.GetRole = [200, "<GetRoleResponse><GetRoleResult><Role/></GetRoleResult></GetRoleResponse>"];
    const why = await world()
      .iam.role("x")
      .catch((error: Error) => error.message);
    expect(why).to.equal("AWS answered without the ARN of the role x.");
  });

  it("asks STS for the next role with the session's own credentials, and gives them to nobody", async () => {
    const result = (name: string, key: string) =>
      `<${name}Response><${name}Result><Credentials><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken></Credentials><AssumedRoleUser><Arn>arn:${key}</Arn></AssumedRoleUser></${name}Result></${name}Response>`;
    answers.AssumeRoleWithWebIdentity = [200, result("AssumeRoleWithWebIdentity", "ASIAFIRST")];
    answers.AssumeRole = [200, result("AssumeRole", "ASIASECOND")];
    const first = await world().sts.assume("arn:r", "token");
    if (!first.admitted) throw new Error(first.message);
    const second = await first.session.assume("arn:t");
    expect(second.admitted && second.session.arn).to.equal("arn:ASIASECOND");
    expect(asked).to.include("AssumeRole by ASIAFIRST");
    expect(JSON.stringify(first)).not.to.contain("SecretAccessKey").and.not.to.contain('"s"');
  });

  it("gives STS's refusal, and throws where STS does not answer", async () => {
    answers.AssumeRoleWithWebIdentity = [
      403,
      "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized</Message></Error></ErrorResponse>",
    ];
    expect(await world().sts.assume("arn:r", "token")).to.deep.equal({
      admitted: false,
      code: "AccessDenied",
      message: "Not authorized",
    });
  });
});
