import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Report } from "../../local/cli/up-report.ts";
import { agentAddress, createBridge } from "../../local/machine/bridge.ts";
import { cache, project } from "../../local/machine/paths.ts";
import { files } from "../../local/run.ts";
import { load } from "../../local/state.ts";
import { shortPath } from "../../terminal.ts";
import { command, local, shellOf, slowness, until, works } from "./tools.ts";

// The main job, from outside: every step is a command of docs/local.md, run as a person runs it.

/** What local could leave on a machine, as a person would look for it. */
function machine() {
  const lines = (path: string): string[] => readFileSync(path, "utf8").trim().split("\n");
  const cgroups = readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" }).filter((path) =>
    /eks-irsa|kubepods|docker|containerd/.test(path.split("/").at(-1) ?? ""),
  );
  const processes = readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(cache) && !line.includes("mocha"));
  return {
    interfaces: Object.keys(networkInterfaces()).sort(),
    links: readdirSync("/sys/class/net").sort(),
    mounts: lines("/proc/mounts").sort(),
    forwarding: lines("/proc/sys/net/ipv4/ip_forward"),
    firewall: spawnSync(
      "sh",
      ["-c", "iptables-save 2>/dev/null | grep -v '^#'; nft list ruleset 2>/dev/null"],
      { encoding: "utf8" },
    ).stdout,
    cgroups: cgroups.sort(),
    processes: processes.sort(),
  };
}

describe("npm run local", function () {
  this.timeout("30m");
  this.bail(true);

  /** The least that the configuration takes: a pod that AWS refuses is not waited for longer than it takes to say so. */
  const soonOver = "progressDeadlineSeconds=10";
  let untouched: ReturnType<typeof machine>;
  let report: Report;
  let shell: NodeJS.ProcessEnv;
  const aws = async (...args: string[]) =>
    JSON.parse((await works(command("aws", [...args, "--output", "json"], { env: shell }))).stdout || "null");
  const kubectl = async (...args: string[]) => (await works(command("kubectl", args, { env: shell }))).stdout;
  const roleName = () => String(report.outputs.roleArn).replace(/^.*\//, "");
  /** The managed policies that the lister's role has. */
  const attached = async (): Promise<{ PolicyName: string; PolicyArn: string }[]> =>
    (await aws("iam", "list-attached-role-policies", "--role-name", roleName())).AttachedPolicies;
  const attachedPolicies = async () => (await attached()).map((policy) => policy.PolicyName).join(" ");

  before(async () => {
    await works(local("down"));
    untouched = machine();
    // As a run leaves it that was killed, and whose cache is gone or another one.
    await createBridge("/nowhere/eks-irsa/run");
  });
  after(async () => {
    await local("down");
  });

  it("comes up, also where a run of another cache left its bridge: the pod's own log lists the buckets, and every proof holds", async () => {
    const { stdout, seconds } = await works(local("up", "--json"));
    report = JSON.parse(stdout) as Report;
    console.log(`      up took ${seconds.toFixed(0)} s: ${JSON.stringify(report.seconds)}`);
    expect(report.buckets).to.have.length.greaterThan(0);
    expect(report.log).to.include("Buckets:");
    expect(report.proofs.filter((proof) => !proof.ok)).to.deep.equal([]);
    expect(report.proofs).to.have.length.greaterThan(11);
    expect(report.outputs).to.include.keys(
      "clusterName",
      "oidcProviderArn",
      "roleArn",
      "image",
      "namespace",
      "serviceAccount",
      "logCommand",
    );
    expect(report.outputs.image).to.match(/@sha256:[0-9a-f]{64}$/);
    expect(stdout).not.to.contain("BEGIN");
  });

  it("is the only one on the machine: with another cache the second is told of the first", async () => {
    const other = mkdtempSync(join(tmpdir(), "eks-irsa-cache-"));
    const env = { ...process.env, EKS_IRSA_CACHE: other };
    const second = (...args: string[]) =>
      command("npm", ["run", "--silent", "local", "--", ...args], { env });
    const [up, status, down] = [await second("up", "--yes"), await second("status"), await second("down")];
    rmSync(other, { recursive: true });
    expect(up.code).to.equal(1);
    expect(up.stderr).to.include("Only one local can be up on a machine.");
    for (const told of [up.stderr, status.stdout, down.stdout]) {
      expect(told).to.include(`EKS_IRSA_CACHE=${shortPath(cache)} npm run local -- down`);
    }
    expect((await works(local("status"))).stdout).to.include("Up since");
  });

  it("gives a shell in which aws and kubectl talk to it", async () => {
    const { stdout } = await works(local("env"));
    shell = await shellOf(stdout);
    expect(
      (await aws("s3api", "list-buckets")).Buckets.map((bucket: { Name: string }) => bucket.Name),
    ).to.have.members(report.buckets);
    expect(await kubectl("get", "nodes", "-o", "name")).to.match(/^node\//);
  });

  it("shows a bucket that was made afterwards in the pod's next listing", async () => {
    const name = `made-later-${Date.now()}`;
    await works(command("aws", ["s3", "mb", `s3://${name}`], { env: shell }));
    await until("the bucket in the log", 30, async () =>
      (await works(local("logs"))).stdout.includes(`* ${name} created on `) ? true : undefined,
    );
  });

  it("does nothing the second time, says so, and is quick", async () => {
    const goal = 8 * Math.max(1, await slowness(shell));
    const seconds: number[] = [];
    // Once is enough: what else the machine does can only make it slower.
    for (let turn = 0; turn < 3 && !seconds.some((one) => one < goal); turn++) {
      const { stdout, stderr, seconds: took } = await works(local("up"));
      expect(stdout + stderr).to.match(/nothing to do/i);
      seconds.push(took);
    }
    console.log(
      `      no-op up took ${seconds.map((one) => one.toFixed(1)).join(", ")} s, of ${goal.toFixed(1)} s that it may on this machine`,
    );
    expect(Math.min(...seconds)).to.be.below(goal);
  });

  it("uses little memory", async () => {
    const { stdout } = await works(local("status", "--json"));
    const status = JSON.parse(stdout) as { residentBytes: number; pods: { residentBytes: number }[] };
    const mega = (bytes: number) => bytes / 1e6;
    console.log(
      `      at rest ${mega(status.residentBytes).toFixed(0)} MB, the lister ${mega(status.pods[0]?.residentBytes ?? 0).toFixed(1)} MB`,
    );
    expect(mega(status.residentBytes)).to.be.below(1500);
    expect(mega(status.pods[0]?.residentBytes ?? Number.NaN)).to.be.below(20);
  });

  it("refuses a bad configuration by its keys, and changes nothing", async () => {
    const { code, stderr } = await local(
      "up",
      "--config",
      "replicas=-1",
      "--config",
      'policies=["no such thing"]',
    );
    expect(code).to.equal(2);
    expect(stderr).to.contain("eks-irsa:replicas holds -1; it must be a whole number from 0 to 100");
    expect(stderr).to.contain(
      'eks-irsa:policies[0] holds "no such thing"; it must be the name of an AWS managed policy',
    );
    expect((await works(local("preview"))).stdout).to.match(/nothing/i);
  });

  it("goes back to the cluster that is there after another name was refused, and leaves nothing of that", async () => {
    const { code, stderr } = await local("up", "--config", "cluster.name=another");
    expect(code).to.equal(1);
    expect(stderr).to.contain("Local has one Kubernetes");
    await works(local("up"));
    const groups = (await aws("logs", "describe-log-groups")).logGroups;
    expect(groups.map((group: { logGroupName: string }) => group.logGroupName)).to.deep.equal([
      "/aws/eks/eks-irsa/cluster",
    ]);
  });

  it("changes policies in place: the role stays, and a pod that was admitted with the new ones lists", async () => {
    const role = (await aws("iam", "get-role", "--role-name", roleName())).Role;
    const pods = await kubectl("get", "pods", "-n", String(report.outputs.namespace), "-o", "name");
    await works(local("up", "--config", 'policies=["AmazonS3ReadOnlyAccess"]'));
    expect((await aws("iam", "get-role", "--role-name", roleName())).Role.RoleId).to.equal(role.RoleId);
    expect(await kubectl("get", "pods", "-n", String(report.outputs.namespace), "-o", "name")).not.to.equal(
      pods,
    );
    expect(await attachedPolicies()).to.equal("AmazonS3ReadOnlyAccess");
    expect((await aws("iam", "list-role-policies", "--role-name", roleName())).PolicyNames).to.deep.equal([]);

    await works(local("up"));
    expect(await attachedPolicies()).to.match(/^s3-irsa-list-buckets-[0-9a-f]{7}$/);
  });

  for (const config of [
    "role.path=/team-a/",
    "role.name=the-reader",
    "role.namePrefix=reader-",
    "role.maxSessionDuration=7200",
    "role.permissionsBoundary=arn:aws:iam::aws:policy/PowerUserAccess",
    "serviceAccount=reader",
    "replicas=2",
  ]) {
    it(`leaves every pod as the outputs say after ${config.replace(/:aws:.*/, "...")}`, async () => {
      const changed = JSON.parse((await works(local("up", "--json", "--config", config))).stdout) as Report;
      const namespace = String(changed.outputs.namespace);
      const roles = `jsonpath={.items[*].spec.containers[0].env[?(@.name=="AWS_ROLE_ARN")].value}`;
      const label = `app.kubernetes.io/instance=${changed.outputs.deployment}`;
      const select = ["-n", namespace, "-l", label, "--field-selector", "status.phase=Running"];
      expect(new Set((await kubectl("get", "pods", ...select, "-o", roles)).split(" "))).to.deep.equal(
        new Set([changed.outputs.roleArn]),
      );
      expect(changed.log.findLast((line) => line.includes('"identity"'))).to.contain(
        `assumed-role/${String(changed.outputs.roleArn).split("/").at(-1)}/`,
      );
    });
  }

  it("takes a managed policy away before it proves the pod: it is red then, and the next `up` heals it", async () => {
    // From two replicas to one: the provider by itself takes the old pod, which goes on listing, for the new one.
    const { outputs } = JSON.parse(
      (await works(local("up", "--json", "--config", "replicas=2"))).stdout,
    ) as Report;
    report = { ...report, outputs };
    const without = ["--config", "policies=[]", "--config", soonOver];
    const { code, stderr } = await local("up", ...without);
    expect(code).to.equal(1);
    expect(stderr).to.contain("timed out waiting to be Ready").and.to.contain("AccessDenied");
    expect(stderr, "a finished engine's up is proof").not.to.contain("of 13 hold");
    expect(await attachedPolicies()).to.equal("");
    expect((await local("up", ...without)).code, "not green the second time either").to.equal(1);
    report = JSON.parse((await works(local("up", "--json"))).stdout) as Report;
    expect(await attachedPolicies()).to.match(/^s3-irsa-list-buckets-[0-9a-f]{7}$/);
  });

  it("goes back to the namespace and the ServiceAccount of before, where a move to others failed half-way", async () => {
    const elsewhere = ["namespace=elsewhere", "serviceAccount=another", "policies=[]", soonOver];
    const { code, stderr } = await local("up", ...elsewhere.flatMap((one) => ["--config", one]));
    expect(code).to.equal(1);
    expect(stderr).to.contain("timed out waiting to be Ready");
    report = JSON.parse((await works(local("up", "--json"))).stdout) as Report;
    expect(report.outputs).to.include({ namespace: "s3-irsa", serviceAccount: "s3-irsa" });
    const { code: gone } = await command("kubectl", ["get", "namespace", "elsewhere"], { env: shell });
    expect(gone, "what the move had made is gone").to.equal(1);
  });

  it("is red where the pod may no longer list, and shows the pod's own words before its last listing", async () => {
    // A policy inside the role is a resource that the engine deletes last, once the pod has listed with it.
    const statement = { Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" };
    const inline = JSON.stringify([{ name: "list", document: { Statement: statement } }]);
    await works(local("up", "--config", `policies=${inline}`));
    const { code, stdout, stderr } = await local("up", "--config", "policies=[]");
    expect(code).to.equal(1);
    expect(stderr).to.contain("12 of 13 hold");
    expect(stdout).to.match(/AccessDenied[\s\S]*The last listing that went well, at /);
    const again = await local("up", "--config", "policies=[]");
    expect(again.code, "not green the second time either").to.equal(1);
    expect(again.stdout).not.to.match(/nothing to do/);
    expect(again.seconds, "nobody waits for a pod that is refused").to.be.below(60);
    report = JSON.parse((await works(local("up", "--json"))).stdout) as Report;
  });

  it("ends a rollout that cannot succeed in the time that was set, with the pod's own reason", async () => {
    const boundary = "role.permissionsBoundary=arn:aws:iam::aws:policy/AmazonSQSFullAccess";
    const { code, stderr, seconds } = await local("up", "--config", boundary, "--config", soonOver);
    expect(code).to.equal(1);
    expect(seconds).to.be.below(200);
    expect(stderr).to.contain("timed out waiting to be Ready").and.to.contain("AccessDenied");
    report = JSON.parse((await works(local("up", "--json"))).stdout) as Report;
  });

  it("finds drift made behind the engine's back, and mends it", async () => {
    const byHand = async (doing: string, arn: string) =>
      works(command("aws", ["iam", doing, "--role-name", roleName(), "--policy-arn", arn], { env: shell }));
    const own = await attached();
    // First, so that the pod goes on.
    await byHand("attach-role-policy", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    for (const { PolicyArn } of own) await byHand("detach-role-policy", PolicyArn);
    await kubectl(
      "annotate",
      "serviceaccount",
      "-n",
      String(report.outputs.namespace),
      String(report.outputs.serviceAccount),
      "eks.amazonaws.com/role-arn-", // the dash removes it
    );
    const { stdout } = await works(local("refresh"));
    expect(stdout).to.match(/2 updated/);
    await works(local("up"));
    expect(await attachedPolicies()).to.match(/^s3-irsa-list-buckets-[0-9a-f]{7}$/);
    expect(
      await kubectl(
        "get",
        "serviceaccount",
        "-n",
        String(report.outputs.namespace),
        String(report.outputs.serviceAccount),
        "-o",
        "jsonpath={.metadata.annotations.eks\\.amazonaws\\.com/role-arn}",
      ),
    ).to.equal(report.outputs.roleArn);
  });

  it("takes another namespace and ServiceAccount from the command line", async () => {
    const { stdout } = await works(
      local("up", "--json", "--config", "namespace=elsewhere", "--config", "serviceAccount=reader"),
    );
    const moved = JSON.parse(stdout) as Report;
    expect(moved.outputs.namespace).to.equal("elsewhere");
    expect(moved.outputs.serviceAccount).to.equal("reader");
    expect(moved.proofs.filter((proof) => !proof.ok)).to.deep.equal([]);
  });

  it("refuses a second copy beside the first", async () => {
    const copy = mkdtempSync(join(tmpdir(), "eks-irsa-copy-"));
    try {
      const whole = (path: string): boolean => !/\/(node_modules|\.git|dist|target)$/.test(path);
      cpSync(project, copy, { recursive: true, filter: whole });
      symlinkSync(join(project, "node_modules"), join(copy, "node_modules"));
      const { code, stderr } = await command("npm", ["run", "--silent", "local", "--", "up"], { cwd: copy });
      expect(code).to.equal(1);
      expect(stderr).to.contain(`is up already, started from ${project}`);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it("runs the same program under a bare pulumi, with the same result", async () => {
    const stack = ["--stack", "organization/eks-irsa/local"];
    const preview = await works(
      command(
        "pulumi",
        ["preview", ...stack, "--config-file", files.stackConfig, "--expect-no-changes", "--non-interactive"],
        { env: shell },
      ),
    );
    expect(preview.stdout).to.match(/Resources:\n\s+39 unchanged/);
    const { stdout } = await works(
      command("pulumi", ["stack", "output", "roleArn", ...stack], { env: shell }),
    );
    expect(stdout.trim()).to.match(/^arn:aws:iam::\d{12}:role\/s3-irsa-role-/);
  });

  it("listens on loopback and on the pods' bridge only", async () => {
    const bridge = load()?.bridge?.address;
    const ours = new Set(load()?.daemons.map((daemon) => String(daemon.pid)));
    const { stdout } = await works(
      command("ss", ["--listening", "--tcp", "--numeric", "--processes", "--no-header"]),
    );
    const listeners = stdout
      .trim()
      .split("\n")
      .filter((line) => ours.has(/pid=(\d+)/.exec(line)?.[1] ?? ""))
      .map((line) => (line.split(/\s+/)[3] ?? "").replace(/:\d+$/, ""));
    expect(listeners).to.have.length.greaterThan(10);
    expect(
      listeners.filter((address) => !["127.0.0.1", "[::1]", bridge, agentAddress].includes(address)),
    ).to.deep.equal([]);
  });

  it("comes up with EKS Auto Mode, and lets in the admins that are named and nobody else", async () => {
    const people = await Promise.all(
      ["ann", "bob"].map(async (name) => {
        const user = ["--user-name", name];
        const { Arn } = (await aws("iam", "create-user", ...user)).User;
        const { AccessKeyId, SecretAccessKey } = (await aws("iam", "create-access-key", ...user)).AccessKey;
        const keys = { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey };
        return { arn: String(Arn), env: { ...shell, ...keys } };
      }),
    );
    const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]];
    // From the start: what is there with nodes of ours has them.
    await works(local("destroy"));
    const auto = ["cluster.nodes=auto", `cluster.admins=${JSON.stringify([ann.arn])}`];
    const { stdout, seconds } = await works(
      local("up", "--json", ...auto.flatMap((one) => ["--config", one])),
    );
    console.log(`      up with EKS Auto Mode took ${seconds.toFixed(0)} s`);
    expect((JSON.parse(stdout) as Report).proofs.filter((proof) => !proof.ok)).to.deep.equal([]);

    const of = ["--cluster-name", "eks-irsa"];
    const [
      { cluster },
      { nodegroups },
      { addons },
      { LaunchTemplates },
      { accessEntries },
      { Arn: creator },
    ] = await Promise.all([
      aws("eks", "describe-cluster", "--name", "eks-irsa"),
      aws("eks", "list-nodegroups", ...of),
      aws("eks", "list-addons", ...of),
      aws("ec2", "describe-launch-templates"),
      aws("eks", "list-access-entries", ...of),
      aws("sts", "get-caller-identity"),
    ]);
    const nodePools = ["general-purpose", "system"];
    expect(cluster.computeConfig).to.deep.include({ enabled: true, nodePools });
    expect([nodegroups, addons, LaunchTemplates]).to.deep.equal([[], [], []]);
    expect(accessEntries).to.have.members([creator, ann.arn]);

    const kubeconfig = join(tmpdir(), `eks-irsa-admins-${process.pid}`);
    try {
      const write = ["eks", "update-kubeconfig", "--name", "eks-irsa", "--kubeconfig", kubeconfig];
      await works(command("aws", write, { env: shell }));
      const mayAll = ({ env }: typeof ann) =>
        command("kubectl", ["auth", "can-i", "*", "*", "--kubeconfig", kubeconfig], { env });
      const [{ stdout: answer }, { code, stderr }] = await Promise.all([works(mayAll(ann)), mayAll(bob)]);
      expect(answer.trim()).to.equal("yes");
      expect(code).to.equal(1);
      expect(stderr).to.match(/Unauthorized|must be logged in/);
    } finally {
      rmSync(kubeconfig, { force: true });
    }
  });

  it("destroys what it made, and only that", async () => {
    await works(local("destroy"));
    expect((await aws("iam", "list-roles")).Roles).to.deep.equal([]);
    expect((await aws("iam", "list-open-id-connect-providers")).OpenIDConnectProviderList).to.deep.equal([]);
    expect((await aws("eks", "list-clusters")).clusters).to.deep.equal([]);
    expect((await aws("ecr", "describe-repositories")).repositories).to.deep.equal([]);
    expect((await aws("logs", "describe-log-groups")).logGroups).to.deep.equal([]);
    expect((await aws("s3api", "list-buckets")).Buckets).to.have.length.greaterThan(0);
  });

  it("goes down and leaves the machine as it was", async () => {
    await works(local("down"));
    expect(machine()).to.deep.equal(untouched);
  });

  it("comes up again from stopped within a minute", async () => {
    const { stdout, seconds } = await works(local("up", "--json"));
    console.log(`      up from stopped took ${seconds.toFixed(0)} s`);
    expect((JSON.parse(stdout) as Report).proofs.every((proof) => proof.ok)).to.equal(true);
    expect(seconds).to.be.below(60);
  });
});
