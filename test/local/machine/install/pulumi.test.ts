import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { installRelease, isReleaseInReach } from "../../../../local/machine/install/pulumi.ts";
import { failureOf } from "../../../failure.ts";

const arch = process.arch === "arm64" ? "arm64" : "x64";

describe("Pulumi's releases", () => {
  let folder: string;
  let server: Server;
  let publisher: string;
  let asked: string[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-releases-"));
    const release = join(folder, "release", "pulumi");
    mkdirSync(release, { recursive: true });
    for (const name of ["pulumi", "pulumi-language-yaml", "pulumi-language-go"]) {
      writeFileSync(join(release, name), `this is ${name}`, { mode: 0o755 });
    }
    const archive = join(folder, "archive.tar.gz");
    execFileSync("tar", [
      "--create",
      "--gzip",
      "--file",
      archive,
      "--directory",
      join(folder, "release"),
      "pulumi",
    ]);
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const there = request.url === `/sdk/pulumi-v3.1.0-linux-${arch}.tar.gz`;
      response.writeHead(there ? 200 : 404).end(there ? readFileSync(archive) : "no such release");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    publisher = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    asked = [];
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  it("are in reach where the publisher has the very version, and nowhere else", async () => {
    expect(await isReleaseInReach("v3.1.0", { publisher })).to.equal(true);
    expect(await isReleaseInReach("v3.2.0", { publisher })).to.equal(false);
    expect(await isReleaseInReach("v3.1.0", { publisher: "http://pulumi.invalid" })).to.equal(false);
    expect(asked).to.deep.equal(
      ["v3.1.0", "v3.2.0"].map((one) => `HEAD /sdk/pulumi-${one}-linux-${arch}.tar.gz`),
    );
  });

  it("give the programs that are asked for, once", async () => {
    const bin = join(folder, "bin");
    const programs = ["pulumi", "pulumi-language-yaml"];
    expect(await installRelease("v3.1.0", programs, { publisher, folder: bin })).to.equal(true);
    expect(readFileSync(join(bin, "pulumi"), "utf8")).to.equal("this is pulumi");
    expect(statSync(join(bin, "pulumi-language-yaml")).mode & 0o111).to.equal(0o111);
    expect(existsSync(join(bin, "pulumi-language-go"))).to.equal(false);
    expect(await installRelease("v3.1.0", programs, { publisher, folder: bin })).to.equal(false);
    expect(asked).to.have.length(1);
  });

  it("leave what is there when a download fails", async () => {
    const bin = join(folder, "kept");
    mkdirSync(bin);
    writeFileSync(join(bin, "pulumi"), "the one before");
    const error = await failureOf(installRelease("v9.9.9", ["pulumi"], { publisher, folder: bin }));
    expect(error.message).to.contain("v9.9.9").and.to.contain("answered 404");
    expect(readFileSync(join(bin, "pulumi"), "utf8")).to.equal("the one before");
  });
});
