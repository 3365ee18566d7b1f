import { writeFile } from "node:fs/promises";
import type { Identity } from "./pki.ts";

/** Writes a kubeconfig that authenticates with a certificate. JSON is YAML too. */
export async function writeKubeconfig(
  file: string,
  server: string,
  caFile: string,
  user: Pick<Identity, "certificateFile" | "keyFile">,
): Promise<string> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "local", cluster: { server, "certificate-authority": caFile } }],
    users: [
      { name: "local", user: { "client-certificate": user.certificateFile, "client-key": user.keyFile } },
    ],
    contexts: [{ name: "local", context: { cluster: "local", user: "local" } }],
    "current-context": "local",
  };
  await writeFile(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return file;
}
