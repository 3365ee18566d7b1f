import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { BusyStackError } from "../../automation/errors.ts";
import { openShards } from "../../automation/sharded-stack.ts";
import { openStack } from "../../automation/stack.ts";
import { ConfigError } from "../../config.ts";
import { bin } from "../../local/machine/paths.ts";
import { failureOf } from "../failure.ts";

// Opening a stack asks the engine for its configuration only: no provider, and no cloud.

describe("a stack's configuration", () => {
  const path = process.env.PATH;
  let folder: string;

  before(function () {
    // Local builds it.
    if (!existsSync(join(bin, "pulumi"))) this.skip();
    process.env.PATH = [bin, path].join(delimiter);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-stack-"));
    mkdirSync(join(folder, "state"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  after(() => {
    process.env.PATH = path;
  });

  const settings = "Pulumi.test.yaml";
  const write = (name: string, value: object) => writeFileSync(join(folder, name), JSON.stringify(value));
  const environment = () => ({
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "x",
  });
  const open = (more: Partial<Parameters<typeof openStack>[0]> = {}) =>
    openStack({
      stack: "test",
      workDir: folder,
      pulumiHome: join(folder, "home"),
      env: environment(),
      ...more,
    });
  const refusal = (promise: Promise<unknown>): Promise<ConfigError> =>
    promise.then(
      () => {
        throw new Error("it was taken");
      },
      (error: ConfigError) => error,
    );
  const project = (config: object) => ({ name: "eks-irsa", runtime: "nodejs", config });

  it("is what is given, beside what the project brings", async () => {
    write(
      "Pulumi.yaml",
      project({ "aws:region": { value: "us-gov-west-1" }, "eks-irsa:app": { value: "none" } }),
    );
    write(settings, { config: { "eks-irsa:replicas": 3 } });
    await open({ config: { tags: { team: "a" } } });
    expect(readFileSync(join(folder, settings), "utf8"))
      .to.contain("team")
      .and.not.contain("replicas")
      .and.not.contain("region");

    const policies = ["arn:aws:iam::111122223333:policy/x"];
    const error = await refusal(
      open({ config: { bindings: [{ namespace: "a", serviceAccount: "b", policies }] } }),
    );
    expect(error).to.be.instanceOf(ConfigError);
    expect(error.message).to.contain("since us-gov-west-1 is in aws-us-gov");
    expect(readFileSync(join(folder, settings), "utf8"), "nothing was changed").to.contain("team");
  });

  it("leaves no folder behind where it is opened without one", async () => {
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    const [source, options] = [
      join(import.meta.dirname, "..", "..", "automation", "stack.ts"),
      { stack: "test", region: "eu-west-1", config: { app: "none" }, pulumiHome: join(folder, "home") },
    ].map((one) => JSON.stringify(one));
    const program = `
      const { readdirSync } = await import("node:fs");
      const { openStack } = await import(${source});
      await openStack(${options});
      console.log(readdirSync(${JSON.stringify(temporary)}).length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...process.env, ...environment(), TMPDIR: temporary },
    });
    expect(Number(stdout), "folders while it is open").to.equal(1);
    expect(readdirSync(temporary)).to.deep.equal([]);
  });

  it("is refused with the mend where a killed engine left metadata empty, of this stack or of another", async () => {
    const [region, config] = ["eu-west-1", { app: "none" } as const];
    await open({ region, config });
    const metadata = join(folder, "state", ".pulumi", "stacks", "eks-irsa", "test.json.attrs");
    expect(existsSync(metadata)).to.equal(true);
    writeFileSync(metadata, "");
    const cluster = { name: "dev", existing: true } as const;
    const common = { region, env: environment(), pulumiHome: join(folder, "home") };
    for (const opens of [
      () => open({ region, config }),
      () => open({ stack: "other", create: false, region, config }),
      () => openShards({ ...common, environment: "test", config: { ...config, cluster } }),
    ]) {
      const error = await failureOf(opens());
      expect(error).to.be.instanceOf(BusyStackError);
      expect(error.message).to.contain(".json.attrs");
    }
  });

  it("has the region of the settings file where none is given, and says so where there is none", async () => {
    write(settings, { config: { "aws:region": "eu-west-1" } });
    await open({ config: { app: "none" } });
    expect(readFileSync(join(folder, settings), "utf8")).to.contain("aws:region: eu-west-1");

    write(settings, { config: {} });
    const error = await refusal(open({ config: { app: "none" } }));
    expect(error.message).to.contain("aws:region is not set; it must be an AWS region");
  });

  it("leaves the salt of the stack's secrets, which the engine has put into the settings file", async () => {
    await open({ region: "eu-west-1", config: { app: "none" } });
    expect(readFileSync(join(folder, settings), "utf8")).to.match(/^encryptionsalt: v1:/m);
  });

  it("keeps secret what is said to be, and is read again", async () => {
    const role = { arn: "arn:aws:iam::111122223333:role/reader" };
    await open({ region: "eu-west-1", config: { role }, secrets: ["eks-irsa:role"] });
    expect(readFileSync(join(folder, settings), "utf8"))
      .to.match(/eks-irsa:role:\s+secure:/)
      .and.not.contain("reader");
    await open();
    const stack = await open();
    await stack.stack.setConfig("aws:region", { value: "cn-north-1" });
    expect((await refusal(open())).message).to.contain("eks-irsa:role.arn holds");
  });

  it("finds the files of policies beside the settings file", async () => {
    write("policy.json", { Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }] });
    const policies = [{ name: "list", file: "policy.json" }];
    await open({ region: "eu-west-1", config: { policies } });
    await open();
    rmSync(join(folder, "policy.json"));
    expect((await refusal(open())).message).to.contain('eks-irsa:policies[0].file holds "policy.json"');
  });

  it("is refused before there is an engine, where nothing else can bring a key", async () => {
    const error = await refusal(open({ workDir: undefined, region: "Frankfurt", env: { PATH: "" } }));
    expect(error.message).to.contain('aws:region holds "Frankfurt"');
  });
});
