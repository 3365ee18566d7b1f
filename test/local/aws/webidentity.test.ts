import { expect } from "chai";
import fc from "fast-check";
import type { JSONWebKeySet } from "jose";
import { AwsError } from "../../../local/aws/reply.ts";
import { verifyWebIdentity } from "../../../local/aws/webidentity.ts";
import {
  accountId,
  audience,
  call,
  environment,
  forge,
  host,
  issuer,
  now,
  providerArn,
  refusal,
  roleArn,
  type Signer,
  sign,
  signer,
  subject,
  trustPolicy,
} from "./tokens.ts";

const notAJwt =
  "400 InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
const noKey =
  "400 InvalidIdentityToken: Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
const badSignature = "400 InvalidIdentityToken: Token signature invalid";
const denied = "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";

describe("verifyWebIdentity", () => {
  let key: Signer;
  let otherKey: Signer;
  before(async () => {
    [key, otherKey] = await Promise.all([signer(), signer()]);
  });

  /** What comes of a token in the account, in one line. */
  const outcome = async (token: string | Promise<string>, changes: Parameters<typeof environment>[1] = {}) =>
    refusal(verifyWebIdentity(call(await token), environment(key, changes)));

  it("takes the token of the right service account", async () => {
    const identity = await verifyWebIdentity(call(await sign(key)), environment(key));
    expect(identity).to.deep.equal({
      roleArn,
      roleSessionName: "pod",
      durationSeconds: 3600,
      issuer,
      subject,
      audience,
      provider: providerArn,
    });
  });

  for (const alg of ["RS512", "PS256", "ES256", "ES384"]) {
    it(`takes a signature by ${alg}`, async () => {
      const by = await signer(alg);
      const identity = await verifyWebIdentity(call(await sign(by, {}, { alg })), environment(by));
      expect(identity.subject).to.equal(subject);
    });
  }

  describe("refuses, in STS's order", () => {
    it("a token that is no JWT", async () => {
      const good = await sign(key);
      for (const token of ["abcd", "a.b.c", `${good}.x`, "....", `${good.split(".")[0]}..`, "é.é.é"]) {
        expect(await outcome(token), token).to.equal(notAJwt);
      }
    });

    it("a token without issuer, subject, audience or expiry", async () => {
      for (const claim of ["iss", "sub", "aud", "exp"]) {
        for (const value of [undefined, "", 7, null, [], {}].filter((v) => claim !== "exp" || v !== 7)) {
          expect(await outcome(sign(key, { [claim]: value })), `${claim} ${JSON.stringify(value)}`).to.equal(
            notAJwt,
          );
        }
      }
    });

    it("an issuer that is no OIDC provider of the account, before it looks at the signature", async () => {
      for (const iss of [`${issuer}/`, `${issuer}X`, host, `http://${host}`, issuer.toLowerCase()]) {
        expect(await outcome(sign(otherKey, { iss, exp: now - 1 })), iss).to.equal(
          `400 InvalidIdentityToken: No OpenIDConnect provider found in your account for ${iss}`,
        );
      }
      expect(await outcome(sign(key), { oidcProviders: async () => [] })).to.match(
        /No OpenIDConnect provider found/,
      );
    });

    it("a role of another account, which has no such provider", async () => {
      const other = call(await sign(key), { RoleArn: roleArn.replace(accountId, "111111111111") });
      expect(await refusal(verifyWebIdentity(other, environment(key)))).to.match(
        /No OpenIDConnect provider found/,
      );
    });

    it("a signature by another key, before it looks at the times", async () => {
      expect(await outcome(sign(otherKey, { exp: now - 1 }))).to.equal(badSignature);
    });

    it("alg none in any case, and HMAC with the public key as its secret", async () => {
      const claims = { iss: issuer, sub: subject, aud: [audience], exp: now + 60 };
      for (const alg of ["none", "None", "NONE", "HS256", "HS512", ""]) {
        expect(await outcome(forge({ alg, kid: "k1" }, claims)), alg).to.equal(badSignature);
        expect(await outcome(forge({ alg, kid: "k1" }, claims, "AAAA")), alg).to.equal(badSignature);
      }
      const secret = new TextEncoder().encode(JSON.stringify(key.keys.keys[0]));
      const hmac = await sign({ ...key, privateKey: secret as never }, {}, { alg: "HS256" });
      expect(await outcome(hmac)).to.equal(badSignature);
    });

    it("a key that the token brings itself", async () => {
      const jwk = otherKey.keys.keys[0];
      const url = "https://example.com/keys";
      for (const header of [{ jwk }, { jku: url }, { x5u: url }, { x5c: ["AAAA"] }]) {
        expect(await outcome(sign(otherKey, {}, header)), Object.keys(header)[0]).to.equal(badSignature);
      }
    });

    it("a key id that the issuer does not have, or none", async () => {
      expect(await outcome(sign(key, {}, { kid: "k2" }))).to.equal(noKey);
      expect(await outcome(sign(key, {}, { kid: undefined }))).to.equal(noKey);
      expect(await outcome(sign(key), { keys: async () => ({ keys: [] }) })).to.equal(noKey);
    });

    it("a secret key in the issuer's key set", async () => {
      const keys: JSONWebKeySet = { keys: [{ kty: "oct", kid: "k1", k: "c2VjcmV0" }] };
      expect(await outcome(sign(key), { keys: async () => keys })).to.equal(noKey);
    });

    it("an extension that the token declares critical", async () => {
      expect(
        await outcome(forge({ alg: "RS256", kid: "k1", crit: ["b64"], b64: false }, { iss: issuer })),
      ).to.equal(notAJwt);
    });

    it("what the issuer's keys cannot be had for, with the code that SDKs retry", async () => {
      const keys = () => Promise.reject(new AwsError("IDPCommunicationError", "down"));
      expect(await outcome(sign(key), { keys })).to.equal("400 IDPCommunicationError: down");
    });

    it("an expired token, before it looks at the audience", async () => {
      for (const exp of [now, now - 1, 0, -5]) {
        expect(await outcome(sign(key, { exp, aud: "other" }))).to.equal(
          `400 ExpiredTokenException: Token expired: current date/time ${now} must be before the expiration date/time ${exp}`,
        );
      }
      expect(await outcome(sign(key, { exp: now + 1 }))).to.match(/^not refused/);
    });

    it("a token that is not valid yet", async () => {
      expect(await outcome(sign(key, { nbf: now + 1 }))).to.match(
        /^400 ExpiredTokenException: Token not yet valid/,
      );
    });

    it("an audience that the provider does not list, before it looks at the role", async () => {
      for (const aud of ["other", ["other"], "STS.amazonaws.com", "sts.amazonaws.com "]) {
        expect(await outcome(sign(key, { aud }), { role: async () => undefined })).to.equal(
          "400 InvalidIdentityToken: Incorrect token audience",
        );
      }
    });

    it("a role that is not there, or lies on another path", async () => {
      expect(await outcome(sign(key), { role: async () => undefined })).to.equal(denied);
      const pathless = call(await sign(key), { RoleArn: roleArn.replace("team/", "") });
      expect(await refusal(verifyWebIdentity(pathless, environment(key)))).to.equal(denied);
    });

    it("another namespace or service account", async () => {
      for (const sub of [
        "system:serviceaccount:other:s3-irsa",
        "system:serviceaccount:default:s3",
        `${subject}2`,
      ]) {
        expect(await outcome(sign(key, { sub })), sub).to.equal(denied);
      }
    });

    it("a role whose trust policy does not name the provider", async () => {
      const other = trustPolicy(undefined, { Principal: { Federated: `${providerArn}X` } });
      expect(await outcome(sign(key), { trustPolicy: other })).to.equal(denied);
    });

    it("a duration beyond the role's maximum, last", async () => {
      const long = call(await sign(key), { DurationSeconds: "7201" });
      expect(await refusal(verifyWebIdentity(long, environment(key)))).to.equal(
        "400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
      );
      const most = call(await sign(key), { DurationSeconds: "7200" });
      expect((await verifyWebIdentity(most, environment(key))).durationSeconds).to.equal(7200);
    });
  });

  it("checks parameters before anything else, and names each that is wrong", async () => {
    const check = (changes: Record<string, string>) =>
      refusal(verifyWebIdentity(call("x.y.z", changes), environment(key)));
    expect(await check({ RoleSessionName: "a b" })).to.equal(
      "400 ValidationError: 1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    );
    expect(await check({ DurationSeconds: "899" })).to.match(
      /Value '899' at 'durationSeconds' .* value greater than or equal to 900$/,
    );
    expect(await check({ RoleSessionName: "x", WebIdentityToken: "" })).to.match(
      /^400 ValidationError: 2 validation errors detected: .*'roleSessionName'.*; .*'webIdentityToken'/,
    );
    expect(await check({ WebIdentityToken: "x".repeat(20_001) })).to.match(
      /length less than or equal to 20000$/,
    );
    expect(await check({ RoleArn: `arn:aws:iam::${accountId}:user/someone` })).to.equal(
      "400 ValidationError: Request ARN is invalid",
    );
    expect(await check({ Policy: "{}" })).to.match(/session policies/);
    for (const duration of ["1e3", "abc", "-1", "", "3600.5", "43201"]) {
      expect(await check({ DurationSeconds: duration }), duration).to.match(/'durationSeconds'/);
    }
  });

  it("refuses a parameter that is given twice, or is missing", async () => {
    const good = await sign(key);
    for (const name of ["RoleArn", "RoleSessionName", "WebIdentityToken"]) {
      const twice = call(good);
      twice.append(name, twice.get(name) ?? "");
      expect(await refusal(verifyWebIdentity(twice, environment(key)))).to.equal(
        `400 ValidationError: The parameter ${name} may be given once only.`,
      );
      const without = call(good);
      without.delete(name);
      expect(await refusal(verifyWebIdentity(without, environment(key)))).to.match(
        /Value null at .* must not be null$/i,
      );
    }
  });

  it("refuses every token that differs from the good one in a character", async () => {
    const good = await sign(key);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n";
    await fc.assert(
      fc.asyncProperty(
        // The last character of a signature holds spare bits, which decode to the same signature.
        fc.integer({ min: 0, max: good.length - 2 }),
        fc.constantFrom(...alphabet),
        fc.constantFrom("replace", "insert", "cut"),
        async (index, character, how) => {
          fc.pre(how !== "replace" || good[index] !== character);
          const rest = good.slice(how === "insert" ? index : index + 1);
          const token = how === "cut" ? good.slice(0, index) : good.slice(0, index) + character + rest;
          expect(await outcome(token)).to.match(/^400 (InvalidIdentityToken|ValidationError): /);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("refuses every other subject, audience and issuer that is signed well", async () => {
    const text = fc.string({ minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("sub", "aud", "iss"), text, async (claim, value) => {
        expect(await outcome(sign(key, { [claim]: value }))).to.match(
          claim === "sub" ? /^403 AccessDenied: / : /^400 InvalidIdentityToken: /,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("answers any text with a refusal, never with a crash", async () => {
    const object = fc.json();
    const any = fc.oneof(
      fc.string({ maxLength: 400 }),
      fc
        .tuple(object, object, fc.base64String())
        .map(([header, payload, end]) => forge(header, payload, end)),
      fc.object().map((claims) => forge({ alg: "RS256", kid: "k1" }, { iss: issuer, ...claims })),
    );
    await fc.assert(
      fc.asyncProperty(any, async (token) => {
        expect(await outcome(token)).to.match(/^400 (InvalidIdentityToken|ValidationError): /);
      }),
      { numRuns: 300 },
    );
  });
});
