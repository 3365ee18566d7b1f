import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pack } from "tar-stream";
import { bin } from "../machine/paths.ts";

const name = "eks-irsa.local/pause:1";

/**
 * Writes the image of the container that holds a pod's network, in the format of `docker save`: one layer with one
 * static program.
 */
export async function writePauseImage(folder: string): Promise<{ name: string; file: string }> {
  const layer = await archive({ pause: { content: await readFile(join(bin, "pause")), mode: 0o755 } });
  const digest = createHash("sha256").update(layer).digest("hex");
  const config = JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: { Entrypoint: ["/pause"], User: "65535:65535" },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  });
  const manifest = JSON.stringify([{ Config: "config.json", RepoTags: [name], Layers: ["layer.tar"] }]);
  const file = join(folder, "pause.tar");
  await writeFile(
    file,
    await archive({
      "layer.tar": { content: layer, mode: 0o644 },
      "config.json": { content: Buffer.from(config), mode: 0o644 },
      "manifest.json": { content: Buffer.from(manifest), mode: 0o644 },
    }),
  );
  return { name, file };
}

async function archive(files: Record<string, { content: Buffer; mode: number }>): Promise<Buffer> {
  const tar = pack();
  for (const [path, { content, mode }] of Object.entries(files)) {
    tar.entry({ name: path, mode, mtime: new Date(0) }, content);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
