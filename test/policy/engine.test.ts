import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { bin } from "../../local/machine/paths.ts";
import { type LanguageHost, startLanguageHost } from "../../local/pulumi/language-host.ts";

// The pack in the real engine, with a program that registers components in the guise of what the rules look at: so it
// needs no provider, no cloud and no cluster.

const root = join(import.meta.dirname, "..", "..");
const engine = join(bin, "pulumi");

interface Preview {
  code: number | null;
  output: string;
}

const program = `
const pulumi = require("@pulumi/pulumi");
const make = (type, name, props) => new pulumi.ComponentResource(type, name, props, {}, false);
const image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/app" + (pulumi.getStack().endsWith("good") ? "@sha256:${"ab".repeat(32)}" : ":1");
make("kubernetes:core/v1:Pod", "app", { spec: { containers: [{ name: "app", image, securityContext: { runAsNonRoot: true } }] } });
`;

describe("the policy pack in the engine", () => {
  let folder: string;
  let languages: LanguageHost;
  let previews: Map<string, Preview>;

  before(async function () {
    // Local builds it; where it has not, there is nothing to run the pack.
    if (!existsSync(engine)) this.skip();
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-policy-"));
    const write = (name: string, text: string, mode?: number) =>
      writeFileSync(join(folder, name), text, { mode });
    write("Pulumi.yaml", "name: guarded\nruntime: { name: nodejs, options: { typescript: false } }\n");
    write("package.json", '{ "name": "guarded", "version": "1.0.0", "main": "index.js" }');
    write("index.js", program);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    // A release of Pulumi has this launcher, the engine that local builds has not.
    mkdirSync(join(folder, "bin"));
    const runner = fileURLToPath(import.meta.resolve("@pulumi/pulumi/cmd/run-policy-pack/index.js"));
    write(
      join("bin", "pulumi-analyzer-policy-nodejs"),
      `#!/bin/sh\nexec '${process.execPath}' '${runner}' "$@"\n`,
      0o755,
    );
    mkdirSync(join(folder, "state"));
    languages = await startLanguageHost({ host: "127.0.0.1", log: () => {} });
    // At once, since each spends most of its time starting.
    const stacks = ["prod", "dev", "good"];
    const results = await Promise.all(stacks.map((stack) => preview(stack)));
    previews = new Map(stacks.map((stack, index) => [stack, results[index] as Preview]));
  });
  after(async () => {
    await languages?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  async function pulumi(...args: string[]): Promise<Preview> {
    const child = spawn(engine, [...args, "--non-interactive", "--color", "never"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}`,
        PULUMI_HOME: join(folder, "home"),
        PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_DEBUG_LANGUAGES: `nodejs:${languages.port}`,
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return { code, output };
  }
  const preview = async (stack: string): Promise<Preview> => {
    const made = await pulumi("stack", "init", "--no-select", stack);
    if (made.code !== 0) throw new Error(made.output);
    return pulumi("preview", "--stack", stack, "--policy-pack", join(root, "policy"));
  };
  const of = (stack: string): Preview => previews.get(stack) as Preview;

  it("stops prod", () => {
    const { code, output } = of("prod");
    expect(output).to.contain("[mandatory]").and.to.contain("images-by-digest");
    expect(output).to.contain("by a tag, which can be moved");
    expect(code, output).to.not.equal(0);
  });

  it("advises dev", () => {
    const { code, output } = of("dev");
    expect(output).to.contain("[advisory]").and.to.contain("by a tag, which can be moved");
    expect(output).to.not.contain("[mandatory]");
    expect(code, output).to.equal(0);
  });

  it("lets through what is right, and is there", () => {
    const { code, output } = of("good");
    expect(output).to.not.contain("by a tag");
    expect(output).to.contain("eks-irsa@v");
    expect(code, output).to.equal(0);
  });
});
