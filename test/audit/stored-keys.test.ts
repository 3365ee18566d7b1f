import { expect } from "chai";
import { placesOfKeys } from "../../audit/stored-keys.ts";

describe("stored keys", () => {
  const id = "AKIAIOSFODNN7EXAMPLE";
  const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  const found: [what: string, entries: Record<string, string>, places: string[]][] = [
    ["an id and a secret under names of their own", { id, "aws-secret": secret }, ["id", "aws-secret"]],
    [
      "the secret alone, where its name says it",
      { AWS_SECRET_ACCESS_KEY: secret },
      ["AWS_SECRET_ACCESS_KEY"],
    ],
    [
      "the shared credentials file",
      { credentials: `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n` },
      ["credentials"],
    ],
    ["YAML", { "values.yaml": `aws:\n  secretAccessKey: "${secret}"\n` }, ["values.yaml"]],
    [
      "JSON",
      { "config.json": JSON.stringify({ accessKeyId: id, secretAccessKey: secret }) },
      ["config.json"],
    ],
    [
      "base64 in base64",
      { file: Buffer.from(`aws_secret_access_key=${secret}`).toString("base64") },
      ["file"],
    ],
    ["arguments", { arguments: `--key ${id} --secret ${secret}` }, ["arguments"]],
  ];
  for (const [what, entries, places] of found) {
    it(`are found: ${what}`, () => {
      expect(placesOfKeys(entries)).to.have.members(places);
    });
  }

  const passed: [what: string, entries: Record<string, string>][] = [
    ["an id alone", { id }],
    ["temporary credentials' id", { id: "ASIAIOSFODNN7EXAMPLE", other: secret }],
    [
      "a digest of 40 hexadecimal digits",
      { AWS_SECRET_ACCESS_KEY: "da39a3ee5e6b4b0d3255bfef95601890afd80709", id },
    ],
    ["MinIO's password", { AWS_ACCESS_KEY_ID: "minio", AWS_SECRET_ACCESS_KEY: "minio123" }],
    ["another system's secret key, as long", { "secret-key": secret, SECRET_KEY: secret }],
    ["a reference to a Secret", { AWS_SECRET_ACCESS_KEY: "" }],
    [
      "a certificate",
      { "tls.crt": `-----BEGIN CERTIFICATE-----\n${"MIIB".repeat(60)}\n-----END CERTIFICATE-----` },
    ],
    ["an id inside a longer word", { x: `X${id}X`, y: secret }],
  ];
  for (const [what, entries] of passed) {
    it(`are not taken for: ${what}`, () => {
      expect(placesOfKeys(entries)).to.deep.equal([]);
    });
  }
});
