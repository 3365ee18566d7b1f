import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type HostedProvider, serve, unknown } from "../../../../../local/pulumi/provider-host/index.ts";
import { dockerProvider } from "../../../../../local/pulumi/providers/docker/provider.ts";
import { Engine } from "../../engine.ts";

/** A dockerd that builds and pushes nothing, and says which it was asked for. */
class FakeDockerd {
  readonly asked: string[] = [];
  /** What a push ends with. */
  pushed: object = { aux: { Tag: "1", Digest: `sha256:${"ab".repeat(32)}` } };
  readonly #server: Server;

  constructor(socket: string) {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://dockerd");
      request.resume().on("end", () => {
        const { t, platform, networkmode, tag } = Object.fromEntries(url.searchParams);
        const line = (message: object) => response.write(`${JSON.stringify(message)}\n`);
        if (url.pathname === "/build") {
          this.asked.push(`build ${[t, platform, networkmode].filter(Boolean).join(" ")}`);
          line({ stream: "Successfully built" });
        } else if (url.pathname.endsWith("/push")) {
          this.asked.push(`push ${url.pathname.slice("/images/".length, -"/push".length)}:${tag}`);
          line({ status: "Pushing", id: "layer" });
          line(this.pushed);
        } else if (url.pathname.endsWith("/json")) {
          this.asked.push("inspect");
          line({ Id: "sha256:local" });
        } else response.statusCode = 404;
        response.end();
      });
    }).listen(socket);
  }

  close(): void {
    this.#server.close();
  }
}

describe("docker.Image", () => {
  let folder: string;
  let dockerd: FakeDockerd;
  let hosted: HostedProvider;
  let engine: Engine;
  const write = (path: string, content = ""): void => writeFileSync(join(folder, path), content);
  const args = (build: object = {}) => ({
    imageName: "registry.example/app:1",
    build: { context: "context", platform: "linux/amd64", ...build },
    registry: { server: "registry.example", username: "AWS", password: "hush" },
  });
  const check = async (inputs: Record<string, unknown>) => {
    const { inputs: checked, failures } = await engine.check(inputs);
    expect(failures).to.deep.equal([]);
    return checked;
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "docker-"));
    dockerd = new FakeDockerd(join(folder, "docker.sock"));
    const context = join(folder, "context");
    mkdirSync(context);
    write("context/Dockerfile", "FROM scratch\nCOPY . /\n");
    write("context/main.go", "package main\n");
    chmodSync(join(context, "main.go"), 0o644);
    hosted = await serve(dockerProvider({ dockerSocket: join(folder, "docker.sock"), workDir: folder }), {
      host: "127.0.0.1",
      log: () => {},
    });
    engine = await new Engine(hosted.port, "docker:index/image:Image", "app").configure({});
  });
  afterEach(async () => {
    engine.close();
    await hosted.close();
    dockerd.close();
    rmSync(folder, { recursive: true });
  });

  it("is built, pushed and known by the digest that the registry gave", async () => {
    const { id, state } = await engine.create(await check(args({ network: "host" })));
    expect(id).to.equal("registry.example/app:1");
    expect(state).to.include({
      imageName: "registry.example/app:1",
      repoDigest: `registry.example/app@sha256:${"ab".repeat(32)}`,
      registryServer: "registry.example",
    });
    expect(dockerd.asked).to.deep.equal([
      "build registry.example/app:1 linux/amd64 host",
      "push registry.example/app:1",
    ]);
  });

  it("that is not to be pushed is known by its id", async () => {
    const { state } = await engine.create(await check({ ...args(), skipPush: true }));
    expect(state.repoDigest).to.equal("sha256:local");
    expect(dockerd.asked).to.not.include("push registry.example/app:1");
  });

  it("fails when the registry refuses it, as ECR refuses a tag that it has", async () => {
    dockerd.pushed = { errorDetail: { message: "tag invalid: The image tag '1' already exists" } };
    const error = await engine.create(await check(args())).catch((error: Error) => error);
    expect(String(error))
      .to.contain("registry.example/app:1 could not be pushed")
      .and.contain("already exists");
  });

  for (const [what, change, build] of [
    ["a file's content", () => write("context/main.go", "package other\n"), {}],
    ["a file's mode, by another umask", () => chmodSync(join(folder, "context/main.go"), 0o664), {}],
    ["the network of the build", () => {}, { network: "host" }],
    ["the platform", () => {}, { platform: "linux/arm64" }],
    ["an argument", () => {}, { args: { A: "1" } }],
    ["the context's path", () => symlinkSync("context", join(folder, "other")), { context: "other" }],
  ] as const) {
    it(`is built and pushed again, and not replaced, when ${what} changes`, async () => {
      const olds = await check(args());
      const { id, state } = await engine.create(olds);
      change();
      const news = await check(args(build));
      const { details, replaces } = await engine.diff(olds, news);
      expect({ details, replaces }).to.deep.equal({ details: { build: "UPDATE" }, replaces: [] });
      dockerd.asked.length = 0;
      await engine.update(id, olds, state, news);
      expect(dockerd.asked.map((one) => one.split(" ")[0])).to.deep.equal(["build", "push"]);
    });
  }

  it("is not touched when nothing changes but the registry's password", async () => {
    const olds = await check(args());
    const again = { ...args(), registry: { server: "registry.example", username: "AWS", password: "other" } };
    expect((await engine.diff(olds, await check(again))).some).to.equal(false);
    const elsewhere = { ...args(), registry: { server: "other.example", username: "AWS", password: "hush" } };
    expect((await engine.diff(olds, await check(elsewhere))).details).to.deep.equal({ registry: "UPDATE" });
  });

  it("that was deleted in the registry is not missed: nobody looks", async () => {
    const inputs = await check(args());
    const { id, state } = await engine.create(inputs);
    dockerd.asked.length = 0;
    expect(await engine.read(id, inputs, state)).to.deep.equal({ id, inputs, state });
    expect(dockerd.asked).to.deep.equal([]);
  });

  it("is not built in a preview", async () => {
    const { state } = await engine.create(await check(args()), true);
    expect(state.repoDigest).to.equal(unknown);
    expect(dockerd.asked).to.deep.equal([]);
  });

  it("refuses what it does not know, a context without Dockerfile, and a link that leads nowhere", async () => {
    const failures = async (inputs: Record<string, unknown>) =>
      (await engine.check(inputs)).failures.join("\n");
    expect(await failures({ ...args({ ssh: "default" }), localImageName: "x" })).to.equal(
      "localImageName: the local stand-in for the docker provider knows no input 'localImageName' of docker:index/image:Image\n" +
        "build.ssh: the local stand-in for the docker provider knows no input 'build.ssh' of docker:index/image:Image",
    );
    expect(await failures(args({ context: "gone" }))).to.contain("there is no Dockerfile at");
    symlinkSync("gone", join(folder, "context/nowhere"));
    expect(await failures(args())).to.contain("could not evaluate symlink at");
  });
});
