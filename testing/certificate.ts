import "reflect-metadata"; // which @peculiar/x509 needs first
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** A certificate with its key, as PEM: what a server of Node.js takes. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const hour = 3_600_000;

/** Makes a certificate for one name, good for an hour, which trusts nobody but itself. */
export async function selfSigned(name: string): Promise<Certificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      notBefore: new Date(Date.now() - hour),
      notAfter: new Date(Date.now() + hour),
      name: `CN=${name}`,
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
    },
    webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0],
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  return { cert: certificate.toString("pem"), key: x509.PemConverter.encode(key, "PRIVATE KEY") };
}
