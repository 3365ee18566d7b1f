import { createPrivateKey } from "node:crypto";

/** A secret to look for, in every form in which it could have been written down. */
export class Needle {
  readonly forms: readonly { readonly form: string; readonly bytes: Buffer }[];

  readonly what: string;

  constructor(what: string, secret: string) {
    this.what = what;
    const json = JSON.stringify(secret).slice(1, -1);
    const forms: [form: string, text: string][] = [
      ["plain", secret],
      ["JSON", json],
      ["JSON in JSON", JSON.stringify(json).slice(1, -1)],
      ["URL-encoded", encodeURIComponent(secret)],
      ...insideBase64(secret).map((text): [string, string] => ["base64", text]),
      ["hexadecimal", Buffer.from(secret).toString("hex")],
    ];
    const unique = new Map(forms.reverse().map(([form, text]) => [text, form]));
    this.forms = [...unique].map(([text, form]) => ({ form, bytes: Buffer.from(text) }));
  }

  /** The form in which it is there; undefined when it is not. */
  in(haystack: Buffer): string | undefined {
    return this.forms.find(({ bytes }) => haystack.includes(bytes))?.form;
  }
}

/**
 * What the base64 of any text has in it that has the secret in it: three bytes are four characters, so there are three ways
 * to begin, and the characters at both ends depend on what is beside. In both alphabets.
 */
function insideBase64(secret: string): string[] {
  const texts = [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    const whole = bytes.length - (bytes.length % 3);
    return bytes
      .subarray(0, whole)
      .toString("base64")
      .slice(before === 0 ? 0 : 4);
  });
  return texts.flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")]);
}

/** The private parts of a key in PEM, each by itself: as its lines are in a file, as DER in base64, as a JWK has them. */
export function keyNeedles(what: string, pem: string): Needle[] {
  const body = pem.replaceAll(/-----[^-]+-----|\s/g, "");
  const jwk = createPrivateKey(pem).export({ format: "jwk" }) as Record<string, string>;
  const lines = pem.split("\n").filter((line) => line.length === 64);
  return [
    new Needle(`${what} (PEM)`, pem.trim()),
    // Not the first line: it begins alike for every key of its kind.
    ...lines.slice(1).map((line, index) => new Needle(`${what} (line ${index + 2} of its PEM)`, line)),
    new Needle(`${what} (DER)`, body.slice(60)),
    ...["d", "p", "q", "dp", "dq", "qi"]
      .filter((member) => jwk[member] !== undefined)
      .map((member) => new Needle(`${what} (${member} of its JWK)`, jwk[member] ?? "")),
  ];
}

/** What is a secret by its looks, whoever made it. */
const patterns: readonly [what: string, pattern: RegExp][] = [
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a signed token", /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/],
  ["a token of `aws eks get-token`", /k8s-aws-v1\.[\w-]{40,}/],
];

/** What looks like a secret in a text. */
export const secretsByLooks = (haystack: Buffer): string[] => {
  const text = haystack.toString("latin1");
  return patterns.filter(([, pattern]) => pattern.test(text)).map(([what]) => what);
};
