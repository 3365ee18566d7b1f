import { expect } from "chai";
import type { Reply } from "../../../local/aws/reply.ts";
import { SessionLimit } from "../../../local/aws/session-limit.ts";
import { asksForWebIdentity, assumeRoleWithWebIdentity } from "../../../local/aws/sts.ts";
import {
  call,
  environment,
  forge,
  issuer,
  providerArn,
  roleArn,
  type Signer,
  sign,
  signer,
} from "./tokens.ts";

describe("assumeRoleWithWebIdentity", () => {
  const issued =
    "<R><AccessKeyId>ASIA</AccessKeyId><SubjectFromWebIdentityToken>s</SubjectFromWebIdentityToken><Audience>x</Audience><Provider>y</Provider></R>";
  let key: Signer;
  let posted: URLSearchParams[];
  let log: string[];
  let upstream: Reply;
  before(async () => {
    key = await signer();
  });
  beforeEach(() => {
    posted = [];
    log = [];
    upstream = { status: 200, headers: {}, body: issued };
  });
  const assume = (parameters: URLSearchParams, sessionSeconds?: (asked: number) => number) =>
    assumeRoleWithWebIdentity(parameters, {
      sessionSeconds,
      webIdentity: environment(key),
      post: async (form) => {
        posted.push(form);
        return upstream;
      },
      log: (line) => log.push(line),
    });

  it("has credentials issued by the verified claims alone, and answers with what was verified", async () => {
    const reply = await assume(call(await sign(key)));
    expect(reply.body).to.contain(`<Provider>${providerArn}</Provider>`);
    expect(reply.body).to.contain("<Audience>sts.amazonaws.com</Audience>");
    expect(posted[0]?.get("RoleArn")).to.equal(roleArn);
    expect(posted[0]?.get("WebIdentityToken")).to.equal(
      forge(
        { alg: "none" },
        { iss: issuer, sub: "system:serviceaccount:default:s3-irsa", aud: "sts.amazonaws.com" },
      ),
    );
    expect(log).to.deep.equal([
      `AssumeRoleWithWebIdentity ${roleArn}: credentials for system:serviceaccount:default:s3-irsa`,
    ]);
  });

  it("has a session end sooner where a test wants that, and judges by what was asked for", async () => {
    const limit = new SessionLimit();
    const seconds = async () => {
      await assume(call(await sign(key)), limit.of);
      return posted.at(-1)?.get("DurationSeconds");
    };
    expect(await seconds()).to.equal("3600");
    limit.set(20);
    upstream.body = `${issued}<Expiration>x</Expiration>`;
    const since = Date.now();
    const told = (await assume(call(await sign(key)), limit.of)).body;
    const expiration = Date.parse(/<Expiration>(.*)<\/Expiration>/.exec(told)?.[1] ?? "");
    expect(expiration - since, "told").to.be.within(20_000, 21_000);
    expect(await seconds(), "and a little longer, for what is under way").to.equal("22");
    expect([limit.of(3600, 17), limit.of(3600, 30), limit.of(10, 30)]).to.deep.equal([20, 30, 10]);
    limit.set(undefined);
    expect(await seconds()).to.equal("3600");
    for (const none of [0, 1.5, "20", null]) {
      expect(() => limit.set(none)).to.throw("it must be a whole number of seconds");
    }
  });

  it("refuses in STS's words, and asks for nothing", async () => {
    const reply = await assume(call(await sign(key, { aud: "other" })));
    expect(reply.status).to.equal(400);
    expect(reply.body).to.contain("<Code>InvalidIdentityToken</Code>");
    expect(posted).to.deep.equal([]);
    expect(log[0]).to.contain("InvalidIdentityToken, Incorrect token audience");
  });

  it("passes a refusal of MiniStack on, and tells of no credentials", async () => {
    upstream = { status: 403, headers: {}, body: "<Code>AccessDenied</Code>" };
    expect(await assume(call(await sign(key)))).to.deep.equal(upstream);
    expect(log).to.deep.equal([]);
  });

  it("is asked for by any of several actions", () => {
    const asks = (query: string) => asksForWebIdentity({ parameters: new URLSearchParams(query) });
    expect(asks("Action=GetCallerIdentity&Action=AssumeRoleWithWebIdentity")).to.equal(true);
    expect(asks("Action=GetCallerIdentity")).to.equal(false);
  });
});
