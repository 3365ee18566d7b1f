import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { startImmutableTags } from "../../../local/registry/immutable-tags.ts";

describe("the registry with immutable tags", () => {
  /** Manifests by repository and tag or digest, and what was uploaded. */
  let manifests: Map<string, string>;
  let host: string | undefined;
  let storage: Server;
  let door: Awaited<ReturnType<typeof startImmutableTags>>;
  let log: string[];

  before(async () => {
    storage = createServer(async (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const { method, url = "" } = incoming;
      host = incoming.headers.host;
      if (url.includes("/blobs/")) {
        const location = `http://${host}/v2/next`;
        outgoing.writeHead(202, { location }).end(String(Buffer.concat(chunks).length));
      } else if (method === "PUT") {
        manifests.set(url, Buffer.concat(chunks).toString());
        outgoing.writeHead(201).end();
      } else {
        const found = manifests.get(url);
        const accepted = incoming.headers.accept?.includes("vnd.oci.image.manifest.v1+json") ?? false;
        outgoing
          .writeHead(found !== undefined && accepted ? 200 : 404, { "docker-content-digest": "sha256:a" })
          .end();
      }
    });
    await new Promise<void>((resolve) => storage.listen(0, "127.0.0.1", resolve));
    door = await startImmutableTags({
      host: "127.0.0.1",
      port: 0,
      registry: `http://127.0.0.1:${(storage.address() as AddressInfo).port}`,
      isImmutable: async (repository) => {
        if (repository === "broken") throw new Error("ECR does not answer");
        return repository === "team/app";
      },
      log: (line) => log.push(line),
    });
  });
  after(async () => {
    await door.close();
    storage.closeAllConnections();
    await new Promise((resolve) => storage.close(resolve));
  });
  beforeEach(() => {
    manifests = new Map();
    log = [];
  });
  const put = (repository: string, reference: string, manifest: string) =>
    fetch(`http://${door.address}/v2/${repository}/manifests/${reference}`, {
      method: "PUT",
      body: manifest,
    });

  it("refuses a tag that exists in ECR's words, be it with the same manifest, and keeps what it named", async () => {
    expect((await put("team/app", "v1", "a")).status).to.equal(201);
    for (const manifest of ["b", "a"]) {
      const refused = await put("team/app", "v1", manifest);
      expect(refused.status).to.equal(400);
      expect(await refused.json()).to.deep.equal({
        errors: [
          {
            code: "TAG_INVALID",
            message:
              "The image tag 'v1' already exists in the 'team/app' repository and cannot be overwritten because the tag is immutable.",
          },
        ],
      });
    }
    expect(manifests.get("/v2/team/app/manifests/v1")).to.equal("a");
    expect(log).to.include("registry: refused team/app:v1, which exists and is immutable");
  });

  it("takes other tags, manifests by digest, and other repositories' tags again", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    for (const reference of ["v1", "v2", digest, digest])
      expect((await put("team/app", reference, "a")).status, reference).to.equal(201);
    for (const manifest of ["a", "b"]) expect((await put("other", "v1", manifest)).status).to.equal(201);
  });

  it("takes one of two that push a tag at once", async () => {
    const both = await Promise.all([put("team/app", "v1", "a"), put("team/app", "v1", "b")]);
    expect(both.map(({ status }) => status).sort()).to.deep.equal([201, 400]);
  });

  it("passes all else on, with the host under which it is known", async () => {
    const blob = Buffer.alloc(3 * 1024 * 1024, "x");
    const url = `http://${door.address}/v2/team/app/blobs/uploads/1`;
    const response = await fetch(url, { method: "PATCH", body: blob });
    expect(await response.text()).to.equal(String(blob.length));
    expect(response.headers.get("location")).to.equal(`http://${door.address}/v2/next`);
  });

  it("lets nothing through when ECR cannot be asked", async () => {
    expect((await put("broken", "v1", "a")).status).to.equal(502);
    expect(manifests.size).to.equal(0);
    expect(log[0]).to.contain("ECR does not answer");
  });
});
