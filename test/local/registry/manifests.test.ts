import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { deleteImages, digestOf } from "../../../local/registry/manifests.ts";

describe("images in a registry", () => {
  /** Digests by tag; what deletes a manifest takes its tags away, as docker-registry does. */
  let tags: Map<string, string>;
  let status: number | undefined;
  let server: Server;
  let url: string;
  before(async () => {
    server = createServer((incoming, outgoing) => {
      const [, reference = ""] = /^\/v2\/team\/app\/manifests\/(.+)$/.exec(incoming.url ?? "") ?? [];
      if (status !== undefined) return outgoing.writeHead(status).end();
      if (incoming.url === "/v2/team/app/tags/list")
        return outgoing.end(
          JSON.stringify({ name: "team/app", tags: tags.size > 0 ? [...tags.keys()] : null }),
        );
      if (incoming.method === "DELETE") {
        for (const [tag, digest] of tags) if (digest === reference) tags.delete(tag);
        return outgoing.writeHead(202).end();
      }
      const digest = tags.get(reference);
      if (digest === undefined || !incoming.headers.accept?.includes("oci.image.index"))
        return outgoing.writeHead(404).end();
      return outgoing.writeHead(200, { "docker-content-digest": digest }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    status = undefined;
    tags = new Map([
      ["v1", "sha256:a"],
      ["latest", "sha256:a"],
      ["v2", "sha256:b"],
    ]);
  });

  it("are found by tag", async () => {
    expect(await digestOf(url, "team/app", "v2")).to.equal("sha256:b");
    expect(await digestOf(url, "team/app", "v3")).to.equal(undefined);
  });

  it("are deleted with all their tags", async () => {
    await deleteImages(url, "team/app");
    expect(tags.size).to.equal(0);
    await deleteImages(url, "team/app");
    await deleteImages(url, "never/pushed");
  });

  it("are not taken for absent when the registry fails", async () => {
    status = 500;
    const told = await digestOf(url, "team/app", "v1").catch((error: Error) => error.message);
    expect(told).to.equal("The registry answered 500 for team/app:v1.");
  });
});
