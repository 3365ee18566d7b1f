import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { contextFiles, contextTag } from "../../components/build-context.ts";

describe("a build context", () => {
  let folder: string;
  let context: string;
  const write = (path: string, content = ""): void => writeFileSync(join(context, path), content);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-context-"));
    context = join(folder, "context");
    mkdirSync(join(context, "sub"), { recursive: true });
    write("Dockerfile", "FROM scratch\n");
    write("main.go", "package main\n");
    write("sub/data", "1");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is its files, but for what .dockerignore names, with exceptions", () => {
    write(".dockerignore", "sub\n*.log\n!sub/keep\n");
    write("noise.log");
    write("sub/keep");
    expect(contextFiles(context)).to.deep.equal([".dockerignore", "Dockerfile", "main.go", "sub/keep"]);
  });

  it("follows the Dockerfile's own ignore file in the place of .dockerignore, as BuildKit does", () => {
    write(".dockerignore", "main.go\n");
    write("Dockerfile.dockerignore", "sub\n");
    expect(contextFiles(context)).to.include("main.go").and.not.to.include("sub/data");
    write("other.Dockerfile");
    const other = contextFiles(context, join(context, "other.Dockerfile"));
    expect(other).to.include("sub/data").and.not.to.include("main.go");
  });

  it("has a link to a folder outside as an entry, and nothing that is behind it", () => {
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(folder, "outside", "secret"), "hush");
    symlinkSync(join(folder, "outside"), join(context, "link"));
    expect(contextFiles(context)).to.deep.equal(["Dockerfile", "link", "main.go", "sub/data"]);
  });

  it("ends where links go round in a circle, and has those that lead nowhere", () => {
    symlinkSync("..", join(context, "sub", "up"));
    symlinkSync("gone", join(context, "nowhere"));
    expect(contextFiles(context)).to.deep.equal(["Dockerfile", "main.go", "nowhere", "sub/data", "sub/up"]);
  });

  it("leaves sockets behind", async () => {
    const server = createServer().listen(join(context, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect(contextFiles(context)).not.to.include("socket");
    await new Promise((resolve) => server.close(resolve));
  });

  describe("has a tag", () => {
    const tag = (dockerfile = "Dockerfile", args = {}, platform = "linux/amd64"): string =>
      contextTag(context, { dockerfile, args, platform });

    for (const [what, change] of [
      ["a file's content", () => write("sub/data", "2")],
      ["what may be executed", () => chmodSync(join(context, "main.go"), 0o755)],
      ["where a link leads", () => symlinkSync("sub", join(context, "link"))],
      ["the Dockerfile, though it is ignored", () => write("Dockerfile", "FROM busybox\n")],
    ] as const) {
      it(`that changes with ${what}`, () => {
        write(".dockerignore", "Dockerfile\n");
        const before = tag();
        change();
        expect(tag()).not.to.equal(before);
      });
    }

    it("that another umask does not change, so that it is the same on every machine", () => {
      chmodSync(join(context, "main.go"), 0o644);
      const before = tag();
      chmodSync(join(context, "main.go"), 0o664);
      expect(tag()).to.equal(before);
    });

    it("that arguments and platform change", () => {
      expect(
        new Set([tag(), tag("Dockerfile", { A: "1" }), tag("Dockerfile", {}, "linux/arm64")]).size,
      ).to.equal(3);
    });

    it("only with a Dockerfile", () => {
      expect(() => tag("Containerfile")).to.throw(
        `There is no Containerfile in the build context ${context}.`,
      );
    });
  });
});
