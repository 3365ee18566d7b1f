import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Daemon, start } from "../machine/process.ts";

export interface RegistryOptions {
  folder: string;
  port: number;
  onStart: (daemon: Daemon) => void;
}

/** Starts the container registry on loopback that keeps the images of local's ECR (see `immutable-tags.ts`). */
export async function startRegistry(options: RegistryOptions): Promise<void> {
  const address = `127.0.0.1:${options.port}`;
  await mkdir(options.folder, { recursive: true });
  const config = join(options.folder, "config.json");
  await writeFile(
    config,
    JSON.stringify({
      version: "0.1",
      log: { level: "warn", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(options.folder, "data") }, delete: { enabled: true } },
      http: { addr: address },
    }),
  );
  await start(
    {
      name: "docker-registry",
      command: "docker-registry",
      args: ["serve", config],
      ready: async () => (await fetch(`http://${address}/v2/`)).ok,
    },
    options.onStart,
  );
}
