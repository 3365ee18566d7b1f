import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  buildContext,
  contextArchive,
  contextDigest,
} from "../../../../../local/pulumi/providers/docker/context.ts";

describe("a build context", () => {
  let folder: string;
  const write = (path: string, content: string): void => writeFileSync(join(folder, path), content);
  const digest = (): string => contextDigest(buildContext(folder, { context: "." }));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "context-"));
    mkdirSync(join(folder, "sub"));
    write("Dockerfile", "FROM scratch\nCOPY . /\n");
    write("main.go", "package main\n");
    write("sub/data", "1");
    chmodSync(join(folder, "sub/data"), 0o644);
    write(".dockerignore", "*.log\nDockerfile\n");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("has a digest that its content decides, and nothing else", () => {
    const before = digest();
    write("main.go", "package main\n"); // a new modification time
    write("noise.log", "ignored");
    expect(digest()).to.equal(before);
  });

  for (const [what, change] of [
    ["a file's content", () => write("sub/data", "2")],
    ["a new file", () => write("sub/more", "")],
    ["a file's name", () => rmSync(join(folder, "sub/data"))],
    ["the Dockerfile, though .dockerignore names it", () => write("Dockerfile", "FROM scratch\n")],
    ["mode, by another umask", () => chmodSync(join(folder, "sub/data"), 0o664)],
    ["link", () => symlinkSync("main.go", join(folder, "link"))],
  ] as const) {
    it(`has another digest with another ${what}`, () => {
      const before = digest();
      change();
      expect(digest()).not.to.equal(before);
    });
  }

  it("goes to the builder without what is ignored, but with the Dockerfile", async () => {
    write("noise.log", "ignored");
    const { archive, dockerfile } = contextArchive(buildContext(folder, { context: "." }));
    expect(dockerfile).to.equal("Dockerfile");
    expect(await names(archive)).to.have.members([".dockerignore", "Dockerfile", "main.go", "sub/data"]);
  });

  it("goes without a .dockerignore that does not count, which the classic builder would follow", async () => {
    write("Dockerfile.dockerignore", "sub\n");
    const { archive } = contextArchive(buildContext(folder, { context: "." }));
    expect(await names(archive)).to.have.members(["Dockerfile", "Dockerfile.dockerignore", "main.go"]);
  });

  it("takes links as links, also round in a circle and out of it", async () => {
    symlinkSync("..", join(folder, "sub", "up"));
    symlinkSync(tmpdir(), join(folder, "out"));
    const { archive } = contextArchive(buildContext(folder, { context: "." }));
    const entries = [".dockerignore", "Dockerfile", "main.go", "out", "sub/data", "sub/up"];
    expect(await names(archive)).to.have.members(entries);
  });

  it("takes a Dockerfile from outside with it", async () => {
    const context = buildContext(folder, { context: "sub", dockerfile: "Dockerfile" });
    const { archive, dockerfile } = contextArchive(context);
    expect(await names(archive)).to.have.members(["data", dockerfile]);
  });

  it("without a Dockerfile is an error that says where it looked", () => {
    const context = buildContext(folder, { context: "sub" });
    expect(() => contextDigest(context)).to.throw(
      `there is no Dockerfile at ${join(folder, "sub/Dockerfile")}`,
    );
  });
});

/** Names of the files in a tar archive: header blocks of 512 bytes, each followed by its file in such blocks. */
async function names(archive: NodeJS.ReadableStream): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const found: string[] = [];
  for (let at = 0; bytes[at]; ) {
    found.push(bytes.toString("utf8", at, at + 100).replace(/\0.*$/s, ""));
    const size = Number.parseInt(bytes.toString("utf8", at + 124, at + 136), 8);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}
