import "reflect-metadata"; // which @peculiar/x509 needs first
import { createHash, generateKeyPairSync, webcrypto } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);

/** A certificate with its key: PEM, and the files that hold it. */
export interface Identity {
  certificate: string;
  key: string;
  certificateFile: string;
  keyFile: string;
}

/** The keys of one Kubernetes: all made for one run, none used elsewhere. */
export interface Pki {
  /** The certificate authority, which signs everything below. */
  ca: { certificate: string; certificateFile: string };
  apiServer: Identity;
  /** The API server towards the kubelet. */
  kubeletClient: Identity;
  controllerManager: Identity;
  scheduler: Identity;
  kubelet: Identity;
  /** The kubelet as a server: logs, exec. */
  kubeletServer: Identity;
  /** The cluster's administrator. */
  admin: Identity;
  /** Local's own servers that the API server calls: webhook, token authenticator. */
  services: Identity;
  /** The key that signs ServiceAccount tokens: RSA with 2,048 bits, as EKS's. */
  serviceAccount: { privateKey: string; privateKeyFile: string; publicKeyFile: string };
}

export interface PkiOptions {
  folder: string;
  /** Addresses and names that the API server is reached by. */
  apiServerNames: readonly string[];
  /** Address that the kubelet is reached by. */
  nodeAddress: string;
  nodeName: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 24 * 3600 * 1000;

/** Makes all keys and certificates, valid for a year, readable by their owner only. */
export async function createPki(options: PkiOptions): Promise<Pki> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 365 * day) };
  const save = async (name: string, text: string): Promise<string> => {
    const file = join(options.folder, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };

  const caKeys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: serial("ca"),
    name: "CN=eks-irsa-local",
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const caPem = ca.toString("pem");

  const issue = async (name: string, subject: string, names: readonly string[] = []): Promise<Identity> => {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const usage = names.length > 0 ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
    const alternative = names.map((value) => ({ type: isIP(value) ? "ip" : "dns", value }) as const);
    const certificate = (
      await x509.X509CertificateGenerator.create({
        ...validity,
        serialNumber: serial(name),
        subject,
        issuer: ca.subject,
        publicKey: keys.publicKey,
        signingKey: caKeys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([usage]),
          ...(alternative.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternative)] : []),
        ],
      })
    ).toString("pem");
    const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    const key = x509.PemConverter.encode(der, "PRIVATE KEY");
    return {
      certificate,
      key,
      certificateFile: await save(`${name}.crt`, certificate),
      keyFile: await save(`${name}.key`, key),
    };
  };

  const tokens = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });

  return {
    ca: { certificate: caPem, certificateFile: await save("ca.crt", caPem) },
    apiServer: await issue("api-server", "CN=kube-apiserver", options.apiServerNames),
    kubeletClient: await issue("kubelet-client", "O=system:masters,CN=kube-apiserver-kubelet-client"),
    controllerManager: await issue("controller-manager", "CN=system:kube-controller-manager"),
    scheduler: await issue("scheduler", "CN=system:kube-scheduler"),
    kubelet: await issue("kubelet", `O=system:nodes,CN=system:node:${options.nodeName}`),
    kubeletServer: await issue("kubelet-server", `CN=${options.nodeName}`, [
      options.nodeAddress,
      options.nodeName,
    ]),
    admin: await issue("admin", "O=system:masters,CN=admin"),
    services: await issue("services", "CN=eks-irsa-local-services", ["127.0.0.1", "localhost"]),
    serviceAccount: {
      privateKey: tokens.privateKey,
      privateKeyFile: await save("service-account.key", tokens.privateKey),
      publicKeyFile: await save("service-account.pub", tokens.publicKey),
    },
  };
}

/** A serial number: unique within one authority, positive, as RFC 5280 wants it. */
function serial(name: string): string {
  return `01${createHash("sha256").update(name).digest("hex").slice(0, 30)}`;
}
