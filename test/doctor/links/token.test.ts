import { expect } from "chai";
import {
  associated,
  brokenOf,
  cause,
  claims,
  issuer,
  look,
  pod,
  podOfAssociation,
  refusal,
  token,
  unseenOf,
  withPod,
} from "../captured.ts";

const saying = (more: object) => ({ kubernetes: { token: async () => token({ ...claims, ...more }) } });
const audience = "https://kubernetes.default.svc";

describe("the doctor's links token and sts", () => {
  it("name a claim that is not what it should be", async () => {
    expect(await cause(saying({ iss: `${issuer}/` }))).to.equal("token-iss");
    expect(await cause(saying({ sub: "system:serviceaccount:team-b:reader" }))).to.equal("token-sub");
    expect(await cause(saying({ aud: ["other"] }))).to.equal("token-aud");
  });

  it("name the container whose token is for another audience", async () => {
    const broken = brokenOf(await look(withPod({ tokens: pod.tokens.map((one) => ({ ...one, audience })) })));
    expect(broken).to.include({ cause: "token-audience" });
    expect(broken.what).to.contain("The token of app");
  });

  it("name a token that is not for the agent", async () => {
    const { kubernetes, ...rest } = associated();
    const tokens = podOfAssociation.tokens.map((one) => ({ ...one, audience }));
    const pods = async (namespace: string) =>
      namespace === "kube-system"
        ? ((await kubernetes?.pods?.(namespace)) ?? [])
        : [{ ...podOfAssociation, tokens }];
    expect(await cause({ ...rest, kubernetes: { ...kubernetes, pods } })).to.equal("token-audience");
  });

  it("cannot tell without the right to make a token, and then not what STS would say", async () => {
    const diagnosis = await look({ kubernetes: { token: async () => undefined } });
    expect(diagnosis.state).to.equal("unseen");
    expect(unseenOf(diagnosis, "sts").takes).to.equal("Rights to create serviceaccounts/token.");
  });

  it("give STS's own words", async () => {
    const broken = brokenOf(await look({ sts: { assume: async () => refusal } }));
    expect(broken).to.include({ cause: "sts-refused" });
    expect(broken.what).to.contain("AccessDenied: Not authorized");
  });
});
