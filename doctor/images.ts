import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { extract } from "tar-stream";
import type { World } from "./world.ts";

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
const most = 1024 ** 3;

/**
 * Looks into images where they lie: in ECR with the person's own credentials, elsewhere with none. Source: "HTTP API V2",
 * distribution's specification.
 */
export function imageWorld(region: string): World["images"] {
  return {
    async files(reference, wanted) {
      const image = parse(reference);
      if (image === undefined) return undefined;
      const headers = await authorization(image.host, region);
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
        const found: string[] = [];
        let bytes = 0;
        for (const { digest } of manifest.layers ?? []) {
          const layer = await ask(`blobs/${digest}`);
          bytes += Number(layer.headers.get("content-length") ?? 0);
          if (bytes > most) return undefined;
          found.push(...(await namesIn(layer, wanted)));
        }
        return found;
      } catch {
        return undefined;
      }
    },
  };
}

/** Names of the files in a layer that match. */
async function namesIn(layer: Response, wanted: RegExp): Promise<string[]> {
  const found: string[] = [];
  const entries = extract();
  entries.on("entry", ({ name }, stream, next) => {
    if (wanted.test(name)) found.push(name.replace(/^\.?\/|\/$/g, ""));
    stream.on("end", next).resume();
  });
  await pipeline(Readable.fromWeb(layer.body as never), createGunzip(), entries);
  return found;
}

/** `host/name:tag` or `host/name@sha256:…`, with what a container runtime puts in front of it. */
function parse(reference: string): { host: string; name: string; tag: string } | undefined {
  const [, host, name, , tag, digest] =
    /^(?:docker-pullable:\/\/)?([^/]+[.:][^/]*|localhost)\/([^:@]+)(:([^@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(
      reference,
    ) ?? [];
  return host && name ? { host, name, tag: digest ?? tag ?? "latest" } : undefined;
}

async function authorization(host: string, region: string): Promise<Record<string, string>> {
  const own = /\.dkr\.ecr\.([^.]+)\.amazonaws\.com/.exec(host)?.[1];
  if (own === undefined) return {};
  const { authorizationData = [] } = await new ECRClient({ region: own ?? region }).send(
    new GetAuthorizationTokenCommand({}),
  );
  return { authorization: `Basic ${authorizationData[0]?.authorizationToken ?? ""}` };
}
