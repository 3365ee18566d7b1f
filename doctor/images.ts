import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { createGunzip } from "node:zlib";
import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { extract } from "tar-stream";
import type { ImageFile, Wanted, World } from "./world.ts";

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

interface Manifest {
  layers?: { digest: string; mediaType: string }[];
  manifests?: { digest: string; platform?: { os?: string; architecture?: string } }[];
}

/** The largest image that is looked into, in bytes of its compressed layers together. */
const maxImageBytes = 1024 ** 3;

/**
 * Looks into images where they lie: in ECR with the person's own credentials, elsewhere with none. Source: "HTTP API V2",
 * distribution's specification.
 */
export function imageWorld(): World["images"] {
  return {
    async files(reference, wanted) {
      const image = parse(reference);
      if (image === undefined) return undefined;
      const headers = await authorization(image.host);
      const ask = async (path: string, accept?: string): Promise<Response> => {
        const scheme = /^(localhost|127\.|\[::1\])/.test(image.host) ? "http" : "https";
        const response = await fetch(`${scheme}://${image.host}/v2/${image.name}/${path}`, {
          headers: { ...headers, ...(accept && { accept }) },
          signal: AbortSignal.timeout(60_000),
        });
        if (!response.ok) throw new Error(`${image.host} answers ${response.status}`);
        return response;
      };
      try {
        const manifestOf = async (tag: string) =>
          (await (await ask(`manifests/${tag}`, manifestTypes.join(", "))).json()) as Manifest;
        let manifest = await manifestOf(image.tag);
        const [first] = manifest.manifests?.filter(({ platform }) => platform?.os !== "unknown") ?? [];
        if (first) manifest = await manifestOf(first.digest);
        const found = new Map<string, ImageFile>();
        let bytes = 0;
        for (const { digest } of manifest.layers ?? []) {
          const layer = await ask(`blobs/${digest}`);
          bytes += Number(layer.headers.get("content-length") ?? 0);
          if (bytes > maxImageBytes) return undefined;
          await readLayer(layer, wanted, found);
        }
        return [...found.values()];
      } catch {
        return undefined;
      }
    },
  };
}

/** Bytes that a text of a file may have at most, so that none is missed between two pieces of it. */
const longestText = 512;

/**
 * Adds what a layer has of the wanted files, and takes out what it deletes of the layers below. Source: "Image Layer
 * Filesystem Changeset", OCI image specification.
 */
async function readLayer(layer: Response, wanted: Wanted, found: Map<string, ImageFile>): Promise<void> {
  if (layer.body === null) return;
  const entries = extract();
  const own = new Map<string, ImageFile>();
  entries.on("entry", ({ name, mode = 0, type }, stream, next) => {
    const path = name.replace(/^\.?\/|\/$/g, "");
    const [, folder = "", deleted] = /^(.*\/)?\.wh\.([^/]+)$/.exec(path) ?? [];
    if (deleted !== undefined) {
      const gone = deleted === ".wh..opq" ? folder : `${folder}${deleted}`;
      for (const one of found.keys()) {
        if (one === gone || one.startsWith(gone.endsWith("/") ? gone : `${gone}/`)) found.delete(one);
      }
    }
    const want = wanted(path, type === "file" && (mode & 0o111) !== 0);
    if (want === "name") own.set(path, { path, texts: [] });
    if (want instanceof RegExp && type === "file") {
      const texts = new Set<string>();
      let rest = "";
      stream.on("data", (piece) => {
        const text = rest + (piece as Buffer).toString("latin1");
        for (const [match] of text.matchAll(new RegExp(want.source, "g"))) texts.add(match);
        rest = text.slice(-longestText);
      });
      stream.on("end", () => {
        if (texts.size > 0) own.set(path, { path, texts: [...texts] });
      });
    }
    stream.on("end", next).resume();
  });
  await pipeline(Readable.fromWeb(layer.body as ReadableStream), createGunzip(), entries);
  for (const [path, file] of own) found.set(path, file);
}

/** `host/name:tag` or `host/name@sha256:…`, with what a container runtime puts in front of it. */
function parse(reference: string): { host: string; name: string; tag: string } | undefined {
  const [, host, name, , tag, digest] =
    /^(?:docker-pullable:\/\/)?([^/]+[.:][^/]*|localhost)\/([^:@]+)(:([^@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(
      reference,
    ) ?? [];
  return host && name ? { host, name, tag: digest ?? tag ?? "latest" } : undefined;
}

async function authorization(host: string): Promise<Record<string, string>> {
  const own = /\.dkr\.ecr\.([^.]+)\.amazonaws\.com/.exec(host)?.[1];
  if (own === undefined) return {};
  const { authorizationData = [] } = await new ECRClient({ region: own }).send(
    new GetAuthorizationTokenCommand({}),
  );
  const [data] = authorizationData;
  return data?.authorizationToken ? { authorization: `Basic ${data.authorizationToken}` } : {};
}
