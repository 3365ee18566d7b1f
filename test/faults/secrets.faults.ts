import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { AssumeRoleWithWebIdentityCommand } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { OperationError, openStack, type ProgramStack } from "../../automation/index.ts";
import type { ConfigInput } from "../../config.ts";
import { logs, runFolder } from "../../local/machine/paths.ts";
import { processOf, readyPod } from "../../local/proofs.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, files, folders, region } from "../../local/run.ts";
import { command, local, works } from "../e2e/tools.ts";
import { Live } from "./live.ts";
import { keyNeedles, Needle, secretsByLooks } from "./needles.ts";
import { Tally } from "./tally.ts";

// Every secret that there is in a run, looked for where it must not be. Something planted is looked for in the same way, in
// each kind of place: a search that finds nothing finds that.

/** Places of a kind, and what is in each. */
type Places = Record<string, Map<string, Buffer>>;

describe("secrets", function () {
  this.timeout("10m");
  this.bail(true);

  const tally = new Tally("secrets");
  /** No secret, and written by the program into all that it writes: a namespace's name. */
  const plantedName = `planted-${randomBytes(12).toString("hex")}`;
  const planted = new Needle("what was planted", plantedName);
  const passphrase = randomBytes(24).toString("base64");
  const needles: Needle[] = [];
  const places: Places = {};
  let live: Live;
  let stack: ProgramStack;
  let sleeper: ChildProcess | undefined;

  const environment = () => ({
    ...awsEnvironment(live.state),
    ...engineEnvironment(live.state),
    PULUMI_CONFIG_PASSPHRASE: passphrase,
  });
  const open = (config: ConfigInput): Promise<ProgramStack> =>
    openStack({ stack: "secrets", region, config, env: environment() });
  const config = (policies: unknown, namespace = plantedName, serviceAccount = "app"): ConfigInput => ({
    app: "none",
    cluster: { name: "eks-irsa", existing: true },
    bindings: [
      {
        namespace,
        serviceAccount,
        createNamespace: namespace === plantedName,
        policies,
        labels: { planted: plantedName },
      },
    ] as ConfigInput["bindings"],
  });
  const pulumi = (...args: string[]) =>
    command("pulumi", [...args, "--stack", "organization/eks-irsa/secrets", "--non-interactive"], {
      env: { ...live.shell, ...environment() },
    });

  before(async () => {
    live = await Live.up();
  });
  after(async () => {
    tally.print();
    sleeper?.kill();
    await live.kubectl("delete", "pod", plantedName, "--ignore-not-found");
    await stack?.destroy();
    await stack?.remove();
    await command("docker", ["rmi", "--force", plantedImage()], { env: live.shell });
    // The registry of the run goes with it; what refers to the planted image need not wait for that.
    rmSync(join(folders.registry, "data", "docker", "registry", "v2", "repositories", plantedName), {
      recursive: true,
      force: true,
    });
  });
  const plantedImage = () => `127.0.0.1:${live.state.ports.registry}/${plantedName}:1`;

  it("of the run are gathered: keys, tokens, passwords, sessions", async () => {
    const add = (what: string, secret: string | undefined): void => {
      expect(secret, what).to.have.length.greaterThan(15);
      needles.push(new Needle(what, secret ?? ""));
    };
    const pem = (name: string) => readFileSync(join(folders.pki, name), "utf8");
    add("the AWS administrator's secret key", live.state.admin.secretAccessKey);
    add("the stack's passphrase", passphrase);
    for (const name of readdirSync(folders.pki).filter((file) => file.endsWith(".key"))) {
      needles.push(...keyNeedles(`${name} of Kubernetes`, pem(name)));
    }
    const { authorizationData } = await live.ecr().send(new GetAuthorizationTokenCommand({}));
    const login = authorizationData?.[0]?.authorizationToken;
    add("ECR's login", login);
    add(
      "ECR's password",
      Buffer.from(login ?? "", "base64")
        .toString()
        .slice("AWS:".length),
    );

    const outputs = await (await live.open()).outputs();
    const [namespace, name] = [String(outputs.namespace?.value), String(outputs.serviceAccount?.value)];
    const token = (
      await live.kubectl("create", "token", "-n", namespace, name, "--audience", "sts.amazonaws.com")
    ).trim();
    const pod = await readyPod({
      core: live.core(),
      namespace,
      deployment: String(outputs.deployment?.value),
    });
    const pid = await processOf(pod.uid);
    const mounted = "var/run/secrets/eks.amazonaws.com/serviceaccount/token";
    for (const [what, one] of [
      ["a ServiceAccount token that was asked for", token],
      ["the pod's own token", readFileSync(`/proc/${pid}/root/${mounted}`, "utf8").trim()],
    ] as const) {
      add(what, one);
      add(`${what}: its signature`, one.split(".")[2]);
    }
    const { Credentials: session } = await live.sts().send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: String(outputs.roleArn?.value),
        RoleSessionName: "secrets",
        WebIdentityToken: token,
      }),
    );
    add("a session's secret key", session?.SecretAccessKey);
    add("a session's token", session?.SessionToken);
  });

  it("are none in the kubeconfig that a stack gives away", async () => {
    const outputs = await (await live.open()).outputs();
    expect(outputs.kubeconfig?.secret).to.equal(true);
    const { users } = JSON.parse(String(outputs.kubeconfig?.value)) as { users: { user: object }[] };
    // Asks `aws eks get-token` with whatever credentials the caller has.
    expect(users.map(({ user }) => Object.keys(user))).to.deep.equal([["exec"]]);
  });

  it("are asked for in operations that succeed and that fail, and in those of the command line", async () => {
    const printed = new Map<string, Buffer>();
    const note = (what: string, ...texts: string[]) => printed.set(what, Buffer.from(texts.join("\n")));
    const failing = async (what: string, one: ProgramStack) => {
      const error = await one.up({ diff: true }).then(
        () => undefined,
        (caught: Error) => caught,
      );
      expect(error, what).to.be.instanceOf(OperationError);
      note(what, String(error?.stack), (error as OperationError).output, JSON.stringify(error));
    };
    stack = await open(config(["AmazonS3ReadOnlyAccess"]));
    note("preview --diff", (await stack.preview({ diff: true })).output);
    note("up --diff", (await stack.up({ diff: true })).output);
    note("refresh", (await stack.refresh({ diff: true })).output);
    await failing(
      "an up whose policy IAM does not have",
      await open(config(["arn:aws:iam::000000000000:policy/not-there"])),
    );
    // Kubernetes has made that ServiceAccount itself.
    await failing("an up that Kubernetes refuses", await open(config([], "default", "default")));
    await open(config(["AmazonS3ReadOnlyAccess"]));
    await stack.up();
    for (const args of [["stack", "output", "--json"], ["stack", "export"], ["stack"]]) {
      const { stdout, stderr } = await works(pulumi(...args));
      note(`pulumi ${args.join(" ")}`, stdout, stderr);
    }
    const verbose = await pulumi("preview", "--config-file", "/nonexistent", "--logtostderr", "-v=9");
    note("pulumi preview -v=9, which fails", verbose.stdout, verbose.stderr);
    note("destroy", (await stack.destroy({ diff: true })).output);
    await stack.up();
    places["what operations print"] = printed;

    const own = new Map<string, Buffer>();
    for (const args of [
      ["up", "--json"],
      ["status", "--json"],
      ["logs"],
      ["preview", "--config", `namespace=${plantedName}`],
    ]) {
      const { stdout, stderr } = await works(local(...args));
      own.set(`local ${args.join(" ")}`, Buffer.from(stdout + stderr));
    }
    const doctor = await command("npm", ["run", "--silent", "doctor", "--", "local", "--json"], {
      env: live.shell,
    });
    expect(JSON.parse(doctor.stdout), doctor.stderr).to.be.an("object");
    own.set("doctor --json", Buffer.from(doctor.stdout + doctor.stderr));
    places["what commands print"] = own;
  });

  it("are looked for in state, logs, command lines and image layers", async () => {
    // A pod that fails, and prints the argument that it does not know.
    const { image } = await (await live.open()).outputs();
    await live.kubectl(
      ...["run", plantedName, "--restart=Never", `--image=${image?.value}`, "--", `--${plantedName}`],
    );
    await live.kubectl(
      "wait",
      `pod/${plantedName}`,
      "--for=jsonpath={.status.phase}=Failed",
      "--timeout=60s",
    );
    sleeper = spawn("sleep", ["60", "61"], { argv0: plantedName, stdio: "ignore" });

    places["the engine's state and logs"] = filesBelow(join(runFolder, "pulumi"));
    places["logs of the run"] = filesBelow(logs);
    places["logs of the pods"] = filesBelow(join(folders.kubernetes, "pod-logs"));
    places["command lines"] = commandLines();

    const context = mkdtempSync(join(tmpdir(), "eks-irsa-planted-"));
    writeFileSync(join(context, "planted"), plantedName);
    writeFileSync(join(context, "Dockerfile"), "FROM scratch\nCOPY planted /etc/planted\n");
    await works(command("docker", ["build", "--tag", plantedImage(), context], { env: live.shell }));
    await works(command("docker", ["push", plantedImage()], { env: live.shell }));
    rmSync(context, { recursive: true });
    places["images, layer by layer"] = await images(`http://127.0.0.1:${live.state.ports.registry}`);
  });

  it("are found where something was planted, in every kind of place and in every form", () => {
    const scratch = mkdtempSync(join(tmpdir(), "eks-irsa-needles-"));
    try {
      for (const needle of needles) {
        for (const { form, bytes } of needle.forms) {
          writeFileSync(
            join(scratch, "one"),
            Buffer.concat([Buffer.from("before "), bytes, Buffer.from(" after")]),
          );
          const [found] = [...filesBelow(scratch).values()].map((text) => needle.in(text));
          tally.note("a form of a secret, planted in a file: found", found !== undefined);
          expect(found, `${needle.what}, ${form}`).not.to.equal(undefined);
        }
      }
      const inside = Buffer.from(`user:${plantedName}:end`);
      for (const text of [inside.toString("base64"), inside.toString("base64url")]) {
        expect(planted.in(Buffer.from(text))).to.equal("base64");
      }
    } finally {
      rmSync(scratch, { recursive: true });
    }
    for (const [kind, those] of Object.entries(places)) {
      const found = [...those].filter(([, text]) => planted.in(text));
      tally.note(`planted in ${kind}: found`, found.length > 0);
      expect(found, kind).not.to.deep.equal([]);
    }
    // Every output must hold it: the program's namespace is in each.
    for (const [what, text] of places["what operations print"] ?? []) {
      if (!/^(refresh|pulumi stack$|pulumi preview)/.test(what))
        expect(planted.in(text), what).not.to.equal(undefined);
    }
    for (const [kind, sample] of [
      ["a private key", "-----BEGIN EC PRIVATE KEY-----"],
      ["a signed token", `eyJ${"a".repeat(12)}.eyJ${"b".repeat(12)}.${"c".repeat(30)}`],
      ["a token of `aws eks get-token`", `k8s-aws-v1.${"a".repeat(50)}`],
    ] as const) {
      expect(secretsByLooks(Buffer.from(`x ${sample} y`))).to.deep.equal([kind]);
    }
  });

  it("are nowhere in clear", () => {
    const found: string[] = [];
    for (const [kind, those] of Object.entries(places)) {
      expect(those.size, kind).to.be.greaterThan(0);
      for (const [name, text] of those) {
        const seen = needles.flatMap((needle) => {
          const form = needle.in(text);
          return form === undefined ? [] : [`${needle.what}, ${form}`];
        });
        const looks = secretsByLooks(text);
        tally.note(`${kind}: searched`, seen.length + looks.length === 0);
        found.push(...[...seen, ...looks].map((what) => `${kind}, ${name}: ${what}`));
      }
    }
    expect(found).to.deep.equal([]);
  });

  it("of the run are in files that only their owner may read", () => {
    const readable: string[] = [];
    for (const name of ["state.json", "services.json"]) {
      if ((statSync(join(runFolder, name)).mode & 0o077) !== 0) readable.push(name);
    }
    for (const [name, text] of filesBelow(folders.pki)) {
      if (secretsByLooks(text).length > 0 && (statSync(join(folders.pki, name)).mode & 0o077) !== 0)
        readable.push(name);
    }
    if ((statSync(files.testSocket).mode & 0o077) !== 0) readable.push("tests.sock");
    expect(readable).to.deep.equal([]);
  });
});

/** The files below a folder, by their paths in it. */
function filesBelow(folder: string): Map<string, Buffer> {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(
    names.flatMap((name): [string, Buffer][] => {
      try {
        const path = join(folder, name);
        return statSync(path).isFile() ? [[relative(folder, path), readFileSync(path)]] : [];
      } catch {
        return []; // gone since, or a link to what is not here
      }
    }),
  );
}

/** What every user of the machine can see of its processes. */
function commandLines(): Map<string, Buffer> {
  return new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid): [string, Buffer][] => {
        try {
          return [[pid, readFileSync(`/proc/${pid}/cmdline`)]];
        } catch {
          return [];
        }
      }),
  );
}

interface Manifest {
  manifests?: { digest: string }[];
  config?: { digest: string };
  layers?: { digest: string }[];
}

/** Manifests, configurations and unpacked layers of all images that a registry has. */
async function images(registry: string): Promise<Map<string, Buffer>> {
  const get = async (path: string): Promise<Buffer> => {
    const accept =
      "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
    const response = await fetch(`${registry}/v2/${path}`, { headers: { accept } });
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  };
  const json = async <T>(path: string): Promise<T> => JSON.parse((await get(path)).toString()) as T;
  const found = new Map<string, Buffer>();
  const { repositories } = await json<{ repositories: string[] }>("_catalog?n=1000");
  for (const repository of repositories) {
    const { tags } = await json<{ tags: string[] | null }>(`${repository}/tags/list`).catch(() => ({
      tags: null,
    }));
    for (const tag of tags ?? []) {
      const text = await get(`${repository}/manifests/${tag}`);
      const manifest = JSON.parse(text.toString()) as Manifest;
      found.set(`${repository}:${tag}`, text);
      for (const { digest } of [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])]) {
        const blob = await get(`${repository}/blobs/${digest}`);
        found.set(
          `${repository}:${tag} ${digest}`,
          blob.readUInt16BE(0) === 0x1f8b ? gunzipSync(blob) : blob,
        );
      }
    }
  }
  return found;
}
