import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import getPort from "get-port";

describe("startRegistry", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-registry-"));
    mkdirSync(join(folder, "bin"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("starts docker-registry on loopback, with deletion, and waits until it answers", async () => {
    // Listens where its configuration says, a while after its start, and ends when it has answered twice.
    const stand = `#!${process.execPath}
const { addr } = JSON.parse(require("node:fs").readFileSync(process.argv[3], "utf8")).http;
const [host, port] = addr.split(":");
let asked = 0;
const server = require("node:http").createServer((incoming, outgoing) => {
  outgoing.writeHead(incoming.url === "/v2/" && asked > 0 ? 200 : 503).end();
  if (++asked === 2) setImmediate(() => process.exit(0));
});
server.listen(Number(port), host);
`;
    writeFileSync(join(folder, "bin", "docker-registry"), stand);
    chmodSync(join(folder, "bin", "docker-registry"), 0o755);
    const port = await getPort({ host: "127.0.0.1" });
    const module = join(import.meta.dirname, "..", "..", "..", "local", "registry", "registry.ts");
    const options = { folder: join(folder, "registry"), port };
    const program = `import(${JSON.stringify(module)}).then(({ startRegistry }) => startRegistry({ ...${JSON.stringify(options)}, onStart: ({ name }) => console.log(name) }))`;
    const env = {
      ...process.env,
      EKS_IRSA_CACHE: join(folder, "cache"),
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
    };
    const { stdout, stderr } = spawnSync(process.execPath, ["--eval", program], { env, encoding: "utf8" });
    expect([stdout.trim(), stderr]).to.deep.equal(["docker-registry", ""]);
    const config = JSON.parse(readFileSync(join(options.folder, "config.json"), "utf8"));
    expect(config.http.addr).to.equal(`127.0.0.1:${port}`);
    expect(config.storage).to.deep.include({ delete: { enabled: true } });
    expect(config.storage.filesystem.rootdirectory).to.equal(join(options.folder, "data"));
  });
});
