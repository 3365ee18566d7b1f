import { request } from "node:http";
import { expect } from "chai";
import { EksAuthError, type PodCredentials } from "../../../local/eks/eks-auth-client.ts";
import { startPodIdentityAgent } from "../../../local/eks/pod-identity-agent.ts";
import { podToken } from "../aws/pods.ts";
import { now, type Signer, signer } from "../aws/tokens.ts";

describe("the Pod Identity agent", () => {
  let key: Signer;
  let agent: Awaited<ReturnType<typeof startPodIdentityAgent>>;
  /** In seconds. */
  let time: number;
  let lives: number;
  let asked: string[];
  let refusal: Error | undefined;
  let cluster: string | undefined;
  let log: string[];
  before(async () => {
    key = await signer();
  });
  beforeEach(async () => {
    time = now;
    lives = 6 * 3600;
    asked = [];
    refusal = undefined;
    cluster = "irsa";
    log = [];
    agent = await startPodIdentityAgent({
      host: "127.0.0.1",
      port: 0,
      names: ["127.0.0.1"],
      clusterName: async () => cluster,
      assumeRole: async (name, token): Promise<PodCredentials> => {
        asked.push(`${name} ${token}`);
        if (refusal) throw refusal;
        return {
          accessKeyId: `ASIA${asked.length}`,
          secretAccessKey: "secret",
          sessionToken: "session",
          expiration: new Date((time + lives) * 1000),
          arn: "arn:aws:sts::000000000000:assumed-role/app/eks-irsa-pod",
          associationId: "a-1",
        };
      },
      now: () => new Date(time * 1000),
      log: (line) => log.push(line),
    });
  });
  afterEach(() => agent.close());

  const get = async (token: string | undefined, url = agent.url) => {
    const response = await fetch(url, token === undefined ? {} : { headers: { authorization: token } });
    return { status: response.status, text: await response.text() };
  };
  const keyOf = async (token: string): Promise<string> => JSON.parse((await get(token)).text).AccessKeyId;

  it("gives what SDKs expect, for the token of a pod", async () => {
    const token = await podToken(key);
    const response = await fetch(agent.url, { headers: { authorization: token } });
    expect(response.headers.get("content-type")).to.equal("application/json");
    expect(await response.json()).to.deep.equal({
      AccessKeyId: "ASIA1",
      SecretAccessKey: "secret",
      Token: "session",
      AccountId: "000000000000",
      Expiration: new Date((now + 6 * 3600) * 1000).toISOString(),
    });
    expect(asked).to.deep.equal([`irsa ${token}`]);
    expect(log.join()).not.to.contain(token).and.not.contain("secret");
  });

  it("refuses what is no token, and one whose time is over, without asking EKS Auth", async () => {
    expect(await get(undefined)).to.deep.equal({
      status: 400,
      text: "Service account token cannot be empty\n",
    });
    for (const none of ["x", "Bearer a.b.c", "a.b.c"])
      expect((await get(none)).text).to.contain("cannot be parsed");
    expect((await get(await podToken(key, { exp: now - 1 }))).text).to.contain("token is expired");
    expect((await get(await podToken(key, { nbf: now + 1 }))).text).to.contain("token is not valid yet");
    expect(asked).to.deep.equal([]);
  });

  it("answers by its own address only", async () => {
    const { port, pathname } = new URL(agent.url);
    const status = await new Promise((resolve, reject) => {
      const headers = { host: "evil.example", authorization: "x" };
      request({ host: "127.0.0.1", port, path: pathname, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once("error", reject)
        .end();
    });
    expect(status).to.equal(403);
    expect((await get("x", agent.url.replace("credentials", "other"))).status).to.equal(404);
  });

  it("passes on what EKS Auth says, with its status", async () => {
    refusal = new EksAuthError("AccessDeniedException", "no", 400, "id-1");
    expect(await get(await podToken(key))).to.deep.equal({
      status: 400,
      text: "[id-1]: (AccessDeniedException): no, fault: client\n",
    });
    refusal = new EksAuthError("ServiceUnavailableException", "later", 503, "id-2");
    expect(await get(await podToken(key))).to.deep.equal({
      status: 503,
      text: "[id-2]: (ServiceUnavailableException): later, fault: server\n",
    });
    refusal = new Error("fetch failed");
    expect((await get(await podToken(key))).status).to.equal(500);
    cluster = undefined;
    expect((await get(await podToken(key))).text).to.contain("no cluster");
  });

  it("asks EKS Auth once for each token, also when many ask at a time", async () => {
    const token = await podToken(key);
    const keys = await Promise.all([1, 2, 3].map(() => keyOf(token)));
    expect(new Set([...keys, await keyOf(token)])).to.deep.equal(new Set(["ASIA1"]));
    expect(await keyOf(await podToken(key, { jti: "another" }))).to.equal("ASIA2");
  });

  it("gives no credentials that are about to expire", async () => {
    const token = await podToken(key);
    lives = 3600;
    await keyOf(token);
    time += 3600 - 16;
    expect(await keyOf(token)).to.equal("ASIA1");
    time += 1;
    expect(await keyOf(token)).to.equal("ASIA2");
    lives = 15;
    expect((await get(await podToken(key, { jti: "another" }))).text).to.contain(
      "will expire within the next 15.00 seconds",
    );
  });

  describe("renews", () => {
    it("after three hours, and keeps what is good while EKS Auth is not able to", async () => {
      const token = await podToken(key);
      await keyOf(token);
      await agent.renew();
      expect(asked, "none is due").to.have.length(1);
      time += 3 * 3600;
      refusal = new EksAuthError("ThrottlingException", "slow down", 429, "id");
      await agent.renew();
      expect(await keyOf(token)).to.equal("ASIA1");
      refusal = undefined;
      await agent.renew();
      expect(asked, "not again at once").to.have.length(2);
      time += 60;
      await agent.renew();
      expect(await keyOf(token)).to.equal("ASIA3");
    });

    it("until EKS Auth refuses the pod, whose credentials then are nobody's", async () => {
      const token = await podToken(key, { exp: now + 86_400 });
      for (const code of ["ResourceNotFoundException", "InvalidTokenException", "AccessDeniedException"]) {
        refusal = undefined;
        await keyOf(token);
        time += 3 * 3600;
        refusal = new EksAuthError(code, "gone", 400, "id");
        await agent.renew();
        expect((await get(token)).text, code).to.contain(code);
      }
    });
  });
});
