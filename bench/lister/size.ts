import { createReadStream, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";

/** In MB. */
export interface Size {
  /** Of all files together. */
  readonly unpacked: number;
  /** Of a tar of them, as gzip packs it by default: a layer as a registry holds it. */
  readonly compressed: number;
}

/**
 * What a layer of these files and folders takes. Links are followed, and a file counts once.
 *
 * @param except Files and folders in them that do not count.
 */
export async function sizeOf(paths: readonly string[], except: readonly string[] = []): Promise<Size> {
  const files = new Map<string, Stats>();
  for (const path of paths) gather(path, files, except);
  let unpacked = 0;
  let compressed = 0;
  const tar = pack();
  const counted = pipeline(tar, createGzip(), async (parts: AsyncIterable<Buffer>) => {
    for await (const part of parts) compressed += part.length;
  });
  for (const [path, { size, mode }] of files) {
    unpacked += size;
    const entry = tar.entry({ name: path.slice(1), size, mode });
    await pipeline(createReadStream(path), entry);
  }
  tar.finalize();
  await counted;
  return { unpacked: unpacked / 1e6, compressed: compressed / 1e6 };
}

function gather(path: string, files: Map<string, Stats>, except: readonly string[]): void {
  if (except.includes(path)) return;
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    return; // a link to a file of a package that is not installed
  }
  const stats = statSync(real);
  if (stats.isFile()) files.set(real, stats);
  else if (stats.isDirectory()) for (const name of readdirSync(real)) gather(join(real, name), files, except);
}
