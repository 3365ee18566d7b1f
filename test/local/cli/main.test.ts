import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { identify } from "../../../local/machine/process.ts";
import { type Printed, printedBy } from "../../automation/stage.ts";

// What `npm run local` prints, and its exit code, where there is no local.

describe("the local command", () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), "eks-irsa-local-"));
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  const local = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Printed> =>
    printedBy(process.execPath, ["--import", "./preload.js", "local/cli/main.ts", ...args], {
      env: { HOME: homedir(), PATH: process.env.PATH, EKS_IRSA_CACHE: cache, ...env },
    });
  const refused = async (args: readonly string[], code: number, says: string): Promise<void> => {
    const printed = await local(args);
    expect(printed.stderr, args.join(" ")).to.equal(says);
    expect(printed.code, args.join(" ")).to.equal(code);
    expect(printed.stdout).to.equal("");
  };
  const help = "\n(--help lists what there is)\n";

  it("suggests the nearest word, with exit code 2", async () => {
    const cases: [args: string[], says: string][] = [
      [["upp"], "error: unknown command 'upp'\n(Did you mean up?)"],
      [["statsu"], "error: unknown command 'statsu'\n(Did you mean status?)"],
      [["up", "--jsn"], "error: unknown option '--jsn'\n(Did you mean --json?)"],
      [["status", "now"], "error: too many arguments for 'status'. Expected 0 arguments but got 1."],
    ];
    await Promise.all(cases.map(([args, says]) => refused(args, 2, `${says}${help}`)));
  });

  it("refuses a bad --config before anything is done, and says that it is --config which corrects it", async () => {
    await refused(
      ["--config", "replicas=many"],
      2,
      'The configuration of stack local has 1 error:\n  eks-irsa:replicas holds "many"; it must be a whole number from 0 to 100\n' +
        "Correct it in what --config says, such as --config replicas=2 or --config cluster.nodes.max=5.\n",
    );
    await refused(
      ["up", "--config", "replicas"],
      2,
      "--config replicas is not KEY=VALUE, such as --config replicas=2 or --config cluster.nodes.max=5.\n",
    );
    const { code, stderr } = await local(["up", "--config", 'cluster.nodes={"max":5,}']);
    expect(stderr).to.match(/^--config cluster\.nodes=\{"max":5,\} is no JSON: .*position 9.*\n$/);
    expect(code).to.equal(2);
  });

  it("says of each command that needs local that it is not up, and how to bring it up", async () => {
    const commands = ["preview", "refresh", "destroy", "logs", "exec", "env"];
    await Promise.all(
      commands.map((one) => refused([one], 1, "local is not up. Bring it up with `npm run local`.\n")),
    );
    // Where one is up on this machine with another cache, both say so too.
    const status = await local(["status"]);
    expect(status.code).to.equal(0);
    expect(status.stdout).to.match(/^Nothing is up\. Bring it up with `npm run local`\.( One is up .*)?\n$/);
    expect((await local(["status", "--json"])).stdout).to.equal('{"up":false}\n');
    const down = await local(["down"]);
    expect(down.code).to.equal(0);
    expect(down.stdout).to.match(/^Nothing is up\.( One is up .*)?\n$/);
  });

  it("names the part that has ended, and its log", async () => {
    mkdirSync(join(cache, "run"));
    const log = join(cache, "run", "logs", "etcd.log");
    const ended = { ...identify(process.pid), startTime: 1, name: "etcd", log };
    const state = { phase: "up", project: "/here", since: "then", daemons: [ended], ports: {} };
    writeFileSync(join(cache, "run", "state.json"), JSON.stringify(state));
    await refused(["preview"], 1, `etcd has ended; its log is ${log}. Start anew with \`npm run local\`.\n`);
    const { code, stdout } = await local(["status"]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^Up since then, from \/here\n\n {2}etcd +ENDED +[\d.]+ MB +etcd\.log\n/);
    expect(stdout).to.contain(`\nLogs are in ${join(cache, "run", "logs")}.\n`);
  });

  it("exits 3 while another command of local is at work", async () => {
    const holder = { ...identify(process.pid), command: "up", project: "/there" };
    writeFileSync(join(cache, "lock"), JSON.stringify(holder));
    await refused(
      ["down"],
      3,
      `Another command of local is at work: \`npm run local -- up\` (process ${process.pid}, from /there). ` +
        "Wait until it has ended, or end it with Ctrl-C.\n",
    );
  });

  it("says at the start of the first run what is built, how long that took, and that it is once; and what is missing", async function () {
    if (process.getuid?.() !== 0 || process.platform !== "linux") this.skip();
    const { code, stderr } = await local(["install", "--yes"], { PATH: join(cache, "nothing") });
    expect(stderr.replaceAll("\n", " "))
      .to.match(/^The first run, and only that, downloads .* and builds .*: Kubernetes,/)
      .and.contain("That took 15 minutes on 2 busy cores")
      .and.contain(`(8 GB)`)
      .and.contain("To remove it later: npm run local -- down && rm -rf");
    expect(stderr.split("\n").filter((line) => line.length > 100)).to.deep.equal([
      "There is no `dpkg` on the search path. Local runs on Debian and what is made of it, as root: docs/local.md.",
    ]);
    expect(code).to.equal(1);
  });

  it("needs root, and says why", async function () {
    if (process.getuid?.() !== 0) this.skip();
    // As nobody, who may read no file of root's: what is looked at is the check alone.
    const { needRootOnLinux } = await import("../../../local/cli/consent.ts");
    const getuid = process.getuid;
    try {
      process.getuid = () => 1000;
      expect(needRootOnLinux).to.throw(/^npm run local needs Linux \(Debian\) and root: it runs containers/);
    } finally {
      process.getuid = getuid;
    }
  });
});
