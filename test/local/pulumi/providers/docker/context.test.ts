import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect } from "chai";
import {
  buildContext,
  contextArchive,
  contextDigest,
} from "../../../../../local/pulumi/providers/docker/context.ts";
import { follow } from "../../../../../local/pulumi/providers/docker/stream.ts";

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
    ["what may be executed", () => chmodSync(join(folder, "sub/data"), 0o755)],
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

describe("dockerd's answer", () => {
  const answer = (...messages: object[]) => Readable.from(messages.map((one) => `${JSON.stringify(one)}\n`));

  it("is shown line by line, without progress bars and colours, and ends with what it gives", async () => {
    const lines: string[] = [];
    const result = await follow(
      answer(
        { stream: "Step 1/2 : FROM scratch\n" },
        { stream: " ---> \n" },
        { stream: "\u001b[31mred\u001b[0m\r\n" },
        { status: "Pushing", id: "abc", progress: "[=> ]" },
        { status: "Pushed", id: "abc" },
        { aux: { Digest: "sha256:1" } },
      ),
      (line) => lines.push(line),
    );
    expect(lines).to.deep.equal(["Step 1/2 : FROM scratch", "red", "abc: Pushed"]);
    expect(result).to.deep.equal({ Digest: "sha256:1" });
  });

  it("fails with the last lines, when the build does", async () => {
    const stream = answer({ stream: "go build\nmain.go:3: undefined\n" }, { error: "exit code 1" });
    const error = await follow(stream, () => {}).catch((error: Error) => error);
    expect((error as Error).message).to.equal("exit code 1\n    go build\n    main.go:3: undefined");
  });
});
