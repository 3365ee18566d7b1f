import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { importBaseImage, publish, removeOldImages } from "../../../local/registry/dockerd.ts";

describe("local's dockerd", () => {
  let folder: string;
  let socket: string;
  let server: Server;
  let images: string[];
  let asked: string[];
  let imported: number;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-dockerd-"));
    socket = join(folder, "docker.sock");
    server = createServer(async (incoming, outgoing) => {
      let size = 0;
      for await (const chunk of incoming as AsyncIterable<Buffer>) size += chunk.length;
      const { method = "", url = "" } = incoming;
      asked.push(`${method} ${decodeURIComponent(url)}`);
      const [, name = ""] = /^\/images\/(.+)\/json$/.exec(decodeURIComponent(url)) ?? [];
      if (url.startsWith("/images/json"))
        return outgoing.end(JSON.stringify([{ RepoTags: images }, { RepoTags: null }]));
      if (name !== "" && !images.includes(name)) return outgoing.writeHead(404).end("{}");
      if (url.startsWith("/images/create")) imported = size;
      if (url.includes("/tag?")) return outgoing.writeHead(201).end();
      return outgoing.writeHead(200).end("{}\n");
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    images = [];
    asked = [];
    imported = 0;
  });
  const image = () => ({
    name: "eks-irsa.local/golang:1-a",
    folder: join(folder, "root"),
    changes: ["ENV A=b"],
  });

  it("forgets images by the names of registries that are gone, and no others", async () => {
    images = ["127.0.0.1:41234/app:v1", "eks-irsa.local/golang:1-a"];
    await removeOldImages(socket);
    expect(asked.filter((one) => one.startsWith("DELETE"))).to.deep.equal([
      "DELETE /images/127.0.0.1:41234/app:v1",
    ]);
  });

  it("imports a base image once, with its environment", async () => {
    mkdirSync(image().folder, { recursive: true });
    writeFileSync(join(image().folder, "file"), "content");
    await importBaseImage(socket, image());
    const create = asked.find((one) => one.startsWith("POST /images/create"));
    expect(create).to.contain("repo=eks-irsa.local/golang").and.contain("tag=1-a").and.contain("ENV A=b");
    expect(imported, "a tar archive").to.be.greaterThan(1024);
    images = [image().name];
    asked = [];
    await importBaseImage(socket, image());
    expect(asked.some((one) => one.startsWith("POST"))).to.equal(false);
  });

  it("publishes it under the same path in local's registry", async () => {
    expect(await publish(socket, image(), "127.0.0.1:5000")).to.equal("127.0.0.1:5000/golang:1-a");
    expect(asked[0]).to.match(/^POST \/images\/eks-irsa\.local\/golang:1-a\/tag\?/);
    expect(asked[1]).to.match(/^POST \/images\/127\.0\.0\.1:5000\/golang(:1-a)?\/push/);
  });
});
