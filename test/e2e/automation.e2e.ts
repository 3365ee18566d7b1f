import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import {
  BusyStackError,
  CancelledError,
  openShards,
  openStack,
  type ProgramStack,
  ResourceError,
} from "../../automation/index.ts";
import { home } from "../../config.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, files, region } from "../../local/run.ts";
import { running } from "../../local/state.ts";
import { command, localIs, localUp, until, works } from "./tools.ts";

// The program as other tools drive it, on the live parts.

describe("the Automation API", function () {
  this.timeout("10m");
  this.bail(true);

  let shell: NodeJS.ProcessEnv;
  let folder: string;
  const opened: ProgramStack[] = [];

  const open = async (stack: string, bindings: object[] = [], existing = true) => {
    const state = running();
    const made = await openStack({
      stack,
      region,
      config: {
        app: "none",
        cluster: existing ? { name: "eks-irsa", existing } : { name: "not-there", existing: true },
        bindings: bindings as never,
      },
      env: { ...awsEnvironment(state), ...engineEnvironment(state) },
    });
    opened.push(made);
    return made;
  };
  const many = (count: number, namespace: string) =>
    Array.from({ length: count }, (_, index) => ({
      namespace,
      serviceAccount: `app-${index}`,
      policies: ["AmazonS3ReadOnlyAccess"],
      createNamespace: index === 0,
    }));
  const failure = (promise: Promise<unknown>): Promise<Error> =>
    promise.then(
      () => {
        throw new Error("it did not fail");
      },
      (error: Error) => error,
    );

  before(async () => {
    shell = await localUp();
    process.env.PATH = shell.PATH;
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-automation-"));
    cpSync(files.stackConfig, join(folder, "Pulumi.local.yaml"));
  });
  after(async () => {
    localIs("changed");
    // Side by side: where a namespace goes, Kubernetes lets five seconds pass. Some were opened twice.
    const stacks = new Map(opened.map((stack) => [stack.stack.name, stack]));
    await Promise.all([...stacks.values()].map((stack) => stack.destroy().catch(() => undefined)));
    rmSync(folder, { recursive: true, force: true });
  });

  it("previews, ups, tells its progress, outputs and history", async () => {
    const stack = await open("tool", many(1, "tool"));
    const preview = await stack.preview();
    const told: string[] = [];
    const up = await stack.up({
      onProgress: (one) =>
        told.push(
          `${one.kind === "resource" ? one.state : one.text} ${one.kind === "resource" ? one.name : ""}`,
        ),
    });
    expect(up.changes).to.deep.equal(preview.changes);
    expect(told).to.include.members(["started tool.app-0-role", "done tool.app-0-role"]);
    const arn = (up.outputs.bindings?.value as Record<string, string> | undefined)?.["tool/app-0"];
    expect(arn).to.match(/:role\/tool\.app-0-role-[0-9a-f]{7}$/);
    expect((await stack.outputs()).kubeconfig?.secret).to.equal(true);
    const [latest] = await stack.history();
    expect(latest).to.include({ kind: "update", result: "succeeded" });
    expect((await stack.up()).changes).to.have.all.keys("same");
  });

  it("refuses a second operation on a stack while one is under way, and loses nothing", async () => {
    const [first, second] = [await open("busy", many(40, "busy")), await open("busy", many(40, "busy"))];
    let under: ReturnType<ProgramStack["up"]> | undefined;
    await new Promise<void>((begun) => {
      under = first.up({ onProgress: ({ kind }) => kind === "resource" && begun() });
    });
    const error = await failure(second.up());
    expect(error, error.message).to.be.instanceOf(BusyStackError);
    // By its lock, or by the state that it was writing at that moment.
    expect(error.message).to.match(/under way by root@|Another operation is writing a stack's state/);
    expect((await under)?.changes.create).to.be.greaterThan(120);
    expect((await second.up()).changes).to.have.all.keys("same");
  });

  it("does not take an operation that has ended meanwhile for one that was cut off", async () => {
    const [first, second] = [
      await open("meanwhile", many(20, "meanwhile")),
      await open("meanwhile", many(20, "meanwhile")),
    ];
    const under = first.up();
    const { stack } = second;
    const exportStack = stack.exportStack.bind(stack);
    // What the second finds at first is what the first is at; it goes on once that has ended.
    let found: unknown[] = [];
    stack.exportStack = async () => {
      if (found.length > 0) return exportStack();
      while (true) {
        const exported = await exportStack();
        found = exported.deployment?.pending_operations ?? [];
        if (found.length === 0) continue;
        await under;
        return exported;
      }
    };
    expect((await second.up()).changes).to.have.all.keys("same");
    expect(found).to.not.deep.equal([]);
  });

  it("keeps an error that nobody caught to the operation that it is of", async () => {
    const [bad, good] = [await open("bad"), await open("good")];
    // Other programs than this one, as they were opened.
    bad.stack.workspace.program = async () => {
      await sleep(2000);
      void Promise.reject(new Error("forgotten"));
      await sleep(100);
    };
    good.stack.workspace.program = () => sleep(4000);
    const [failed, worked] = await Promise.all([failure(bad.up()), good.up()]);
    expect(failed.message).to.contain("forgotten");
    expect(worked.changes).to.have.all.keys("create");
  });

  it("is cancelled by a signal, and the next run finishes what was begun", async () => {
    const stack = await open("cancelled", many(40, "cancelled"));
    const cancelling = new AbortController();
    const error = await failure(
      stack.up({ signal: cancelling.signal, onProgress: () => cancelling.abort() }),
    );
    expect(error).to.be.instanceOf(CancelledError);
    await stack.refresh();
    await stack.up();
    expect((await stack.up()).changes).to.have.all.keys("same");
    const { changes } = await stack.destroy();
    expect(changes.delete).to.be.greaterThan(120);
  });

  it("names the resource that a provider refused", async () => {
    // It is there: Kubernetes makes it with the namespace.
    const stack = await open("refused", [{ namespace: "default", serviceAccount: "default", policies: [] }]);
    const error = await failure(stack.up());
    expect(error).to.be.instanceOf(ResourceError);
    expect((error as ResourceError).urn).to.match(/ServiceAccount::default\.default-service-account$/);
    expect((error as ResourceError).reason).to.contain("already exists");
    await stack.destroy();
  });

  it("says what holds a namespace that a destroy waits for", async () => {
    const kubectl = async (...words: string[]) =>
      (await works(command("kubectl", words, { env: shell }))).stdout;
    const finalizers = (names: string[] | null) =>
      kubectl(
        ...["patch", "configmap", "holding", "-n", "held", "--type=merge"],
        ...["--patch", JSON.stringify({ metadata: { finalizers: names } })],
      );
    const stack = await open("held", many(1, "held"));
    await stack.up();
    await kubectl("create", "configmap", "holding", "-n", "held");
    await finalizers(["example.com/hold"]);
    const cancelling = new AbortController();
    const destroying = failure(stack.destroy({ signal: cancelling.signal }));
    const conditions = ["namespace", "held", "--output", "jsonpath={.status.conditions[*].message}"];
    await until("the namespace to say what it waits for", 60, async () =>
      (await kubectl("get", ...conditions)).includes("example.com/hold") ? true : undefined,
    );
    cancelling.abort();
    const error = await destroying;
    expect(error).to.be.instanceOf(CancelledError);
    expect(error.message)
      .to.contain("The namespace held is being deleted, but not gone:")
      .and.to.contain("example.com/hold in 1 resource instances");
    await finalizers(null);
    await stack.destroy();
  });

  it("has bindings in several stacks, and moves them to another without a replacement", async () => {
    const state = running();
    const bindings = ["shard-a", "shard-b", "shard-c"].flatMap((namespace) => many(2, namespace));
    const openedIn = (stacks: number) =>
      openShards({
        environment: "sharded",
        stacks,
        region,
        config: { app: "none", cluster: { name: "eks-irsa", existing: true }, bindings },
        env: { ...awsEnvironment(state), ...engineEnvironment(state) },
      });
    const there = async () =>
      (
        await works(
          command("kubectl", ["get", "serviceaccounts", "-A", "-o", "jsonpath={.items[*].metadata.uid}"], {
            env: shell,
          }),
        )
      ).stdout;
    const two = await openedIn(2);
    try {
      const up = await two.up();
      expect(up.shards.map(({ bindings }) => bindings)).to.deep.equal([4, 2]);
      const uids = await there();
      const one = await openedIn(1);
      expect(one.moves).to.deep.equal([{ namespace: "shard-b", from: "sharded.2", to: "sharded.1" }]);
      const moved = await one.up();
      expect(moved.changes).to.not.have.any.keys("create", "replace", "create-replacement");
      expect(moved.outputs.bindings?.value, "the same roles").to.deep.equal(up.outputs.bindings?.value);
      expect(await there(), "the same ServiceAccounts").to.equal(uids);
      expect((await one.preview()).changes).to.have.all.keys("same");
    } finally {
      const left = await openedIn(1);
      await left.destroy();
      await left.remove();
    }
  });

  it("fails clearly for a cluster that is not there", async () => {
    const stack = await open("nowhere", [], false);
    expect((await failure(stack.preview())).message).to.contain("not-there");
  });

  const stackCommand = (...args: string[]) =>
    command("npm", ["run", "--silent", "stack", "--", ...args], { env: shell });

  it("has a command: preview, outputs, and an up that asks or wants --yes", async () => {
    const preview = await works(stackCommand("preview", "local", "--folder", folder, "--json"));
    expect(JSON.parse(preview.stdout).changes).to.deep.equal({ same: 39 });
    const outputs = await works(stackCommand("outputs", "local", "--folder", folder, "--json"));
    expect(JSON.parse(outputs.stdout).outputs)
      .to.include({ clusterName: "eks-irsa" })
      .and.not.have.any.keys("kubeconfig");

    const settings = join(folder, "Pulumi.local.yaml");
    writeFileSync(
      settings,
      readFileSync(settings, "utf8").replace(/eks-irsa:intervalSeconds: .*/, 'eks-irsa:intervalSeconds: "6"'),
    );
    const asked = await stackCommand("up", "local", "--folder", folder);
    expect(asked.code).to.equal(4);
    expect(asked.stderr).to.match(/^up local: .*1 updated.* needs --yes where there is no terminal/m);
    const done = await works(stackCommand("up", "local", "--folder", folder, "--yes", "--json"));
    expect(JSON.parse(done.stdout).changes).to.include({ update: 1 });

    writeFileSync(
      settings,
      readFileSync(settings, "utf8").replace(/eks-irsa:intervalSeconds: .*/, 'eks-irsa:intervalSeconds: "0"'),
    );
    const bad = await stackCommand("preview", "local", "--folder", folder);
    expect(bad.code, bad.stderr).to.equal(2);
    expect(bad.stderr).to.contain(
      "eks-irsa:intervalSeconds holds 0; it must be a whole number from 1 to 86400",
    );
  });

  it("makes no stack for a name that was mistyped, and says which there are", async () => {
    const stacks = async () =>
      JSON.parse((await works(command("pulumi", ["stack", "ls", "--all", "--json"], { env: shell }))).stdout);
    const before = await stacks();
    for (const name of ["preview", "refresh", "destroy", "outputs", "cancel"]) {
      const { code, stderr } = await stackCommand(name, "lcoal", "--folder", folder);
      expect(code, stderr).to.equal(2);
      expect(stderr).to.match(/^There is no stack lcoal; there .*\blocal\b.* Only `up` makes one\./m);
    }
    const up = await stackCommand("up", "lcoal", "--folder", folder, "--yes");
    expect(up.code).to.equal(2);
    expect(up.stderr)
      .to.contain("There is no configuration of this stack")
      .and.to.contain("Pulumi.lcoal.yaml");
    expect(await stacks()).to.deep.equal(before);
    expect(readdirSync(folder)).to.not.include("Pulumi.lcoal.yaml");
  });

  it("takes the configuration that `pulumi up` takes: the project's own, and secrets", async () => {
    const place = mkdtempSync(join(tmpdir(), "eks-irsa-resolved-"));
    try {
      const settings = { "aws:region": { value: region }, "eks-irsa:app": { value: "none" } };
      const project = { name: "eks-irsa", runtime: "nodejs", main: home, config: settings };
      writeFileSync(join(place, "Pulumi.yaml"), JSON.stringify(project));
      const name = "resolved";
      writeFileSync(
        join(place, `Pulumi.${name}.yaml`),
        'config:\n  eks-irsa:cluster: \'{"name":"eks-irsa","existing":true}\'\n',
      );
      const made = await works(stackCommand("up", name, "--folder", place, "--yes", "--json"));
      expect(made.stderr).to.contain(`There is no stack ${name} yet: it is made now.`);
      const set = ["config", "set", "--secret", "--stack", name, "eks-irsa:replicas", "many", "--cwd", place];
      await works(command("pulumi", set, { env: shell }));
      const bad = await stackCommand("preview", name, "--folder", place);
      expect(bad.stderr).to.contain('eks-irsa:replicas holds "many"');
      const unset = ["config", "rm", "--stack", name, "eks-irsa:replicas", "--cwd", place];
      await works(command("pulumi", unset, { env: shell }));
      await works(stackCommand("destroy", name, "--folder", place, "--yes"));
      await works(command("pulumi", ["stack", "rm", "--yes", name, "--cwd", place], { env: shell }));
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});
