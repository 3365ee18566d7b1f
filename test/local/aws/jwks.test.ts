import { expect } from "chai";
import { issuerKeys } from "../../../local/aws/jwks.ts";
import { refusal } from "./tokens.ts";

describe("issuerKeys", () => {
  let fetched: string[];
  let seconds: number;
  let kid: string;
  const keysOf = () =>
    issuerKeys({
      fetch: async (issuer) => {
        fetched.push(issuer);
        return { keys: [{ kty: "RSA", kid }] };
      },
      now: () => new Date(seconds * 1000),
    });
  beforeEach(() => {
    fetched = [];
    seconds = 1000;
    kid = "k1";
  });

  it("fetches once for each issuer within a minute", async () => {
    const keys = keysOf();
    await keys("https://a", "k1");
    seconds += 59;
    await keys("https://a", "k1");
    await keys("https://b", "k1");
    expect(fetched).to.deep.equal(["https://a", "https://b"]);
    seconds += 1;
    await keys("https://a", "k1");
    expect(fetched).to.have.length(3);
  });

  it("fetches again for a key that it does not have, but not at every token", async () => {
    const keys = keysOf();
    await keys("https://a", "k1");
    await keys("https://a", "forged");
    expect(fetched).to.have.length(1);
    seconds += 1;
    kid = "k2";
    expect((await keys("https://a", "k2")).keys[0]?.kid).to.equal("k2");
    expect(fetched).to.have.length(2);
  });

  it("says when the issuer cannot be reached, and asks again the next time", async () => {
    let attempts = 0;
    const keys = issuerKeys({
      fetch: async () => {
        attempts += 1;
        throw new Error("connect ECONNREFUSED");
      },
    });
    for (const attempt of [1, 2]) {
      expect(await refusal(keys("https://a", "k1"))).to.match(/^400 IDPCommunicationError: .*ECONNREFUSED$/);
      expect(attempts).to.equal(attempt);
    }
  });

  it("refuses what is no key set", async () => {
    const keys = issuerKeys({ fetch: async () => ({ error: "not found" }) as never });
    expect(await refusal(keys("https://a", "k1"))).to.match(/^400 InvalidIdentityToken: Couldn't retrieve/);
  });
});
