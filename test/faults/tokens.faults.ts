import { createHmac, randomBytes } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { exportSPKI, importJWK } from "jose";
import { issuerKeys } from "../../local/aws/jwks.ts";
import { verifyPodIdentity } from "../../local/aws/podidentity.ts";
import { AwsError } from "../../local/aws/reply.ts";
import { verifyWebIdentity } from "../../local/aws/webidentity.ts";
import { cluster, pod, podAudience, podClaims, podEnvironment } from "../local/aws/pods.ts";
import {
  audience,
  call,
  environment,
  forge,
  host,
  issuer,
  now,
  type Signer,
  sign,
  signer,
  subject,
} from "../local/aws/tokens.ts";
import { count, seed, Tally } from "./tally.ts";

// Forged and mutated tokens against the verifiers that local's STS and its EKS Auth use. Good ones go in between: a verifier
// that refuses everything would pass, too.

/** One of the two that swap a token for credentials. */
interface Door {
  readonly name: string;
  readonly audience: string;
  /** What a good token has beside issuer, times and subject. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Its code for a token that proves nothing. */
  readonly invalid: string;
  /** Decides on a token of the cluster whose keys are these. Throws when it refuses. */
  readonly verify: (token: string, by: Signer, keys?: Keys) => Promise<unknown>;
}
type Keys = ReturnType<typeof issuerKeys>;

const doors: readonly Door[] = [
  {
    name: "against STS",
    audience,
    claims: {},
    invalid: "InvalidIdentityToken",
    verify: (token, by, keys) => verifyWebIdentity(call(token), environment(by, keys && { keys })),
  },
  {
    name: "against EKS Auth",
    audience: podAudience,
    claims: podClaims,
    invalid: "InvalidTokenException",
    verify: (token, by, keys) => verifyPodIdentity(cluster, token, podEnvironment(by, keys && { keys })),
  },
];

for (const door of doors) {
  describe(`forged tokens, ${door.name}`, function () {
    this.timeout("10m");

    const tally = new Tally(`tokens ${door.name}`);
    let good: Signer;
    let evil: Signer;
    before(async () => {
      [good, evil] = await Promise.all([signer(), signer()]);
    });
    after(() => tally.print());

    const claims = {
      ...{ iss: issuer, sub: subject, aud: [door.audience], iat: now, nbf: now, exp: now + 86_400 },
      ...door.claims,
    };
    /** A token as the cluster signs it, with what the test changes. */
    const signed: typeof sign = (by, changes = {}, head = {}) =>
      sign(by, { aud: [door.audience], ...door.claims, ...changes }, head);
    const header = { alg: "RS256", kid: "k1", typ: "JWT" };

    /** What the door says: `admitted`, or the code of its refusal. Anything else that is thrown is a defect. */
    async function answer(token: string, keys?: Keys): Promise<string> {
      try {
        await door.verify(token, good, keys);
        return "admitted";
      } catch (error) {
        if (error instanceof AwsError && error.status < 500) return error.code;
        throw error;
      }
    }
    async function refused(family: string, token: string): Promise<void> {
      const said = await answer(token);
      tally.note(family, said !== "admitted");
      expect(said, `${family}: ${token.slice(0, 300)}`).not.to.equal("admitted");
      if (tally.tried % 20 === 0) {
        const admitted = (await answer(await signed(good))) === "admitted";
        tally.note("good tokens in between", admitted);
        expect(admitted).to.equal(true);
      }
    }
    const each = async <T>(
      values: fc.Arbitrary<T>,
      runs: number,
      act: (value: T) => Promise<void>,
    ): Promise<void> => {
      for (const value of fc.sample(values, { numRuns: runs, seed })) await act(value);
    };
    const parts = (token: string): [string, string, string] => token.split(".") as [string, string, string];
    const encoded = (value: unknown): string =>
      Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

    it("unsigned, in every spelling of none", async () => {
      for (const alg of [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        "",
        "null",
        null,
        0,
        [],
        {},
        true,
        ["none"],
      ]) {
        for (const signature of ["", "AAAA", parts(await signed(good))[2]]) {
          await refused("alg none and nonsense", forge({ ...header, alg }, claims, signature));
        }
      }
      for (const odd of [
        undefined,
        "RS1",
        "RSA",
        "RS256 ",
        "rs256",
        "ES256K",
        "EdDSA",
        "dir",
        "A128KW",
        "PBES2-HS256+A128KW",
      ]) {
        await refused(
          "alg none and nonsense",
          forge({ ...header, alg: odd }, claims, parts(await signed(good))[2]),
        );
      }
    });

    it("signed with the public key as a secret", async () => {
      const [jwk] = good.keys.keys;
      const publicKey = (await importJWK(jwk as never, "RS256")) as Signer["privateKey"];
      const pem = await exportSPKI(publicKey);
      const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
      const secrets = [
        pem,
        pem.trim(),
        `${pem}\n`,
        der,
        JSON.stringify(jwk),
        JSON.stringify(good.keys),
        jwk?.n ?? "",
        Buffer.from(jwk?.n ?? "", "base64url"),
        "",
        "secret",
      ];
      for (const [alg, hash] of [
        ["HS256", "sha256"],
        ["HS384", "sha384"],
        ["HS512", "sha512"],
        ["RS256", "sha256"],
        ["hs256", "sha256"],
      ] as const) {
        for (const secret of secrets) {
          const body = `${encoded({ ...header, alg })}.${encoded(claims)}`;
          const signature = createHmac(hash, secret === "" ? Buffer.alloc(0) : secret)
            .update(body)
            .digest("base64url");
          await refused("key confusion", `${body}.${signature}`);
        }
      }
    });

    it("signed by another key, which it brings along or names", async () => {
      const [jwk] = evil.keys.keys;
      const brought = [
        { jwk },
        { jku: "https://evil.example/jwks" },
        { jku: `${issuer}/keys` },
        { x5u: "https://evil.example" },
        { x5c: ["MIIB"] },
        { "x5t#S256": "AAAA" },
        { crit: ["exp"], exp: now },
        { b64: false, crit: ["b64"] },
        { zip: "DEF" },
        { cty: "JWT" },
        {},
      ];
      for (const extra of brought) {
        for (const kid of [
          "k1",
          "k2",
          "",
          "../k1",
          "k1\u0000",
          "' OR 1=1",
          "https://evil.example",
          undefined,
        ]) {
          await refused(
            "another key",
            await signed(evil, {}, { ...extra, kid } as never).catch(() =>
              forge({ ...header, ...extra, kid }, claims, "AAAA"),
            ),
          );
        }
      }
      for (const alg of ["RS384", "RS512", "PS256", "ES256", "ES384"]) {
        const other = await signer(alg, "k1");
        await refused("another key", await signed(other, {}, { alg }));
      }
    });

    it("well signed, for somebody or something else", async () => {
      const subjects = [
        "system:serviceaccount:default:s3-irsa ",
        " system:serviceaccount:default:s3-irsa",
        "system:serviceaccount:default:S3-irsa",
        "system:serviceaccount:default:s3-irs",
        "system:serviceaccount:default:s3-irsaa",
        "system:serviceaccount:defaul:s3-irsa",
        "system:serviceaccount:default:*",
        "system:serviceaccount:*:*",
        "*",
        "",
        "system:serviceaccount:default:s3‑irsa",
        "system:serviceaccount:default:s3-irsa\u0000",
        "system:serviceaccount:default:s3-irsa\n",
        "system:anonymous",
        "system:node:n",
      ];
      for (const sub of subjects) await refused("another subject", await signed(good, { sub }));
      await each(fc.string({ maxLength: 60 }), count(300, 60), async (sub) => {
        if (sub !== subject) await refused("another subject", await signed(good, { sub }));
      });
      for (const iss of [
        `${issuer}/`,
        host,
        `http://${host}`,
        issuer.toUpperCase(),
        `${issuer}?`,
        `${issuer}#`,
        `${issuer}/../x`,
        "https://evil.example",
        "",
        "https://",
        issuer.replace("eu-central-1", "eu-west-1"),
        `${issuer} `,
      ]) {
        await refused("another issuer", await signed(good, { iss }));
      }
      for (const aud of [
        door.audience === audience ? podAudience : audience,
        `${door.audience}.cn`,
        door.audience.toUpperCase(),
        `${door.audience} `,
        "",
        [],
        ["other"],
        "https://kubernetes.default.svc",
        [`${door.audience}.`],
        {},
        null,
        7,
      ]) {
        await refused("another audience", await signed(good, { aud } as never));
      }
      for (const exp of [
        now,
        now - 1,
        0,
        -1,
        now - 86_400,
        "never",
        "",
        null,
        {},
        String(now + 60),
        Number.MIN_VALUE,
      ]) {
        await refused(
          "expired or without an end",
          await signed(good, { exp } as never).catch(() => forge(header, { ...claims, exp }, "AAAA")),
        );
      }
      for (const nbf of [now + 1, now + 86_400, 2 ** 53])
        await refused("not valid yet", await signed(good, { nbf }));
    });

    if (door.audience === podAudience) {
      it("well signed, bound to nothing or to something else", async () => {
        const bound = podClaims["kubernetes.io"];
        for (const other of [
          undefined,
          null,
          "",
          [],
          {},
          { ...bound, pod: undefined },
          { ...bound, pod: null },
          { ...bound, pod: "p" },
          { ...bound, pod: { name: pod.name } },
          { ...bound, pod: { uid: pod.uid } },
          { ...bound, pod: { name: "", uid: "" } },
          { ...bound, serviceaccount: undefined },
          { ...bound, serviceaccount: { name: "other" } },
          { ...bound, serviceaccount: { name: ["s3-irsa"] } },
          { ...bound, namespace: "other" },
          { ...bound, namespace: ["default"] },
          { ...bound, namespace: "default:s3-irsa", serviceaccount: { name: "" } },
        ]) {
          await refused("bound to something else", await signed(good, { "kubernetes.io": other }));
        }
        // Whole, and of a ServiceAccount that nothing is associated with.
        for (const [namespace, name] of [
          ["other", "s3-irsa"],
          ["default", "other"],
          ["default:x", "s3-irsa"],
        ] as const) {
          const claims = {
            sub: `system:serviceaccount:${namespace}:${name}`,
            "kubernetes.io": { ...bound, namespace, serviceaccount: { name } },
          };
          await refused("bound to something else", await signed(good, claims));
        }
      });
    }

    it("a good one that was changed", async () => {
      const token = await signed(good);
      const [head, body, signature] = parts(token);
      const bytes = Buffer.from(signature, "base64url");
      await each(fc.tuple(fc.nat(bytes.length - 1), fc.nat(7)), count(300, 60), async ([at, bit]) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        await refused("changed signature", `${head}.${body}.${changed.toString("base64url")}`);
      });
      await each(
        fc.tuple(fc.constantFrom(0, 1), fc.nat(), fc.nat(63)),
        count(300, 60),
        async ([part, at, to]) => {
          const texts = [head, body];
          const text = texts[part] ?? "";
          const place = at % text.length;
          const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
          if (alphabet[to] === text[place]) return;
          texts[part] = text.slice(0, place) + alphabet[to] + text.slice(place + 1);
          await refused("changed text", `${texts[0]}.${texts[1]}.${signature}`);
        },
      );
      for (const cut of [0, 1, 10, bytes.length - 1]) {
        await refused("changed signature", `${head}.${body}.${bytes.subarray(0, cut).toString("base64url")}`);
      }
      await refused("changed signature", `${head}.${body}.${parts(await signed(good, { sub: "x" }))[2]}`);
      await refused("changed signature", `${head}.${encoded({ ...claims, sub: "x" })}.${signature}`);
      await refused("changed signature", `${head}.${body}.${signature}${signature}`);
    });

    it("one that says a thing twice", async () => {
      // What counts is that nobody comes to be whom the signer did not name: these are signed by the wrong key.
      for (const [name, first, second] of [
        ["sub", "x", subject],
        ["sub", subject, "x"],
        ["iss", "https://evil.example", issuer],
        ["aud", "x", door.audience],
        ["exp", 0, now + 60],
      ] as const) {
        const rest = Object.entries(claims)
          .filter(([key]) => key !== name)
          .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
        const twice = `{${[...rest, `"${name}":${JSON.stringify(first)}`, `"${name}":${JSON.stringify(second)}`].join(",")}}`;
        await refused("duplicate claims", forge(header, twice, parts(await signed(good))[2]));
      }
      await refused(
        "duplicate claims",
        forge('{"alg":"none","alg":"RS256","kid":"k1"}', claims, parts(await signed(good))[2]),
      );
    });

    it("what is no token at all", async () => {
      const token = await signed(good);
      const [head, body, signature] = parts(token);
      const odd = [
        "",
        ".",
        "..",
        "...",
        "....",
        "null",
        "{}",
        "undefined",
        head,
        `${head}.${body}`,
        `${head}.${body}.`,
        `${token}.x`,
        `${token}.x.y`,
        ` ${token}`,
        `${token} `,
        `${token}\n`,
        `Bearer ${token}`,
        token.replaceAll(".", ","),
        `${head}..${signature}`,
        `.${body}.${signature}`,
        encoded(token),
        "a.b.c",
        "é.é.é",
        "A".repeat(1_000_000),
        `${"A".repeat(500_000)}.${"A".repeat(500_000)}.A`,
        forge("[]", claims),
        forge(header, "[]"),
        forge(header, "null"),
        forge("null", "null"),
        forge(header, '"x"'),
      ];
      for (const text of odd) {
        // STS trims nothing, but a form's value that differs only in white space is refused or is the same token.
        if (text.trim() === token && (await answer(text)) === "admitted") continue;
        await refused("no token", text);
      }
      await each(fc.string({ maxLength: 200 }), count(200, 40), (text) => refused("no token", text));
      for (let i = 0; i < count(100, 20); i++) {
        await refused("no token", [0, 1, 2].map(() => randomBytes(40).toString("base64url")).join("."));
      }
    });

    it("goes on over a rotation of the cluster's signing key, and refuses the old one once it is withdrawn", async () => {
      const next = await signer("RS256", "k2");
      let published = { keys: [...good.keys.keys] };
      let time = now * 1000;
      const keys = issuerKeys({
        fetch: async () => published,
        now: () => new Date(time),
        maxAgeSeconds: 60,
        minAgeSeconds: 1,
      });
      const [old, fresh] = await Promise.all([signed(good), signed(next, {}, { kid: "k2" })]);
      const said = async (token: string) => {
        time += 2000;
        return answer(token, keys);
      };
      expect(await said(old)).to.equal("admitted");
      expect(await said(fresh)).to.equal(door.invalid);
      published = { keys: [...good.keys.keys, ...next.keys.keys] };
      expect([await said(fresh), await said(old)]).to.deep.equal(["admitted", "admitted"]);
      published = { keys: [...next.keys.keys] };
      time += 60_000;
      expect([await said(fresh), await said(old)]).to.deep.equal(["admitted", door.invalid]);
      tally.note("rotation of the signing key", true);
    });

    it("tried at least a thousand", function () {
      if (process.env.FAULTS === "short") this.skip();
      expect(tally.tried).to.be.greaterThan(1000);
    });
  });
}
