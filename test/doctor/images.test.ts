import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { pack } from "tar-stream";
import { imageWorld } from "../../doctor/images.ts";
import { wanted } from "../../doctor/links/sdk.ts";

/** Files of a layer: text, or bytes, with the mode. */
type Layer = Record<string, { text: string; mode?: number }>;

describe("images as the doctor sees them", () => {
  let server: Server;
  let layers: Buffer[];
  const image = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}/app:1`;
  const layer = async (files: Layer): Promise<Buffer> => {
    const tar = pack();
    for (const [name, { text, mode = 0o644 }] of Object.entries(files)) tar.entry({ name, mode }, text);
    tar.finalize();
    return gzipSync(await buffer(tar));
  };

  before((done) => {
    server = createServer((request, response) => {
      const index = /^\/v2\/app\/blobs\/sha256:(\d+)$/.exec(request.url ?? "")?.[1];
      if (request.url === "/v2/app/manifests/1") {
        response.end(JSON.stringify({ layers: layers.map((_, index) => ({ digest: `sha256:${index}` })) }));
      } else if (index !== undefined) response.end(layers[Number(index)]);
      else response.writeHead(404).end();
    }).listen(0, "127.0.0.1", done);
  });
  after((done) => {
    server.close(done);
    server.closeAllConnections();
  });

  it("give files by their names, and texts out of programs", async () => {
    const go = `${"x".repeat(200_000)}dep\tgithub.com/aws/aws-sdk-go-v2/config\tv1.33.16\th1:`;
    layers = [
      await layer({
        "./usr/lib/botocore-1.40.0.dist-info/METADATA": { text: "" },
        "usr/bin/program": { text: go, mode: 0o755 },
        "usr/share/notes": { text: go },
      }),
    ];
    expect(await imageWorld().files(image(), wanted)).to.deep.equal([
      { path: "usr/lib/botocore-1.40.0.dist-info/METADATA", texts: [] },
      { path: "usr/bin/program", texts: ["\tgithub.com/aws/aws-sdk-go-v2/config\tv1.33.16"] },
    ]);
  });

  it("leave out what a later layer deletes or replaces", async () => {
    layers = [
      await layer({
        "lib/botocore-1.12.100.dist-info/METADATA": { text: "" },
        "gems/aws-sdk-core-3.1.0/lib": { text: "" },
        "app/node_modules/aws-sdk/package.json": { text: '{"version": "2.1.0"}' },
      }),
      await layer({
        "lib/.wh.botocore-1.12.100.dist-info": { text: "" },
        "gems/.wh..wh..opq": { text: "" },
        "app/node_modules/aws-sdk/package.json": { text: '{"version": "2.1600.0"}' },
      }),
    ];
    expect(await imageWorld().files(image(), wanted)).to.deep.equal([
      { path: "app/node_modules/aws-sdk/package.json", texts: ['"version": "2.1600.0"'] },
    ]);
  });

  it("are undefined where the registry does not give them", async () => {
    expect(await imageWorld().files(image().replace("app", "other"), wanted)).to.equal(undefined);
    expect(await imageWorld().files("no registry", wanted)).to.equal(undefined);
  });
});
