import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { V1ContainerState, V1ContainerStatus } from "@kubernetes/client-node";
import { expect } from "chai";
import { ConfigError } from "../../config.ts";
import { bucketsIn, hints, podReport, proofTable, whyNotStarted } from "../../local/cli/up-report.ts";
import { alive, identify } from "../../local/machine/process.ts";
import { checkLocalConfig, overridden } from "../../local/pulumi/engine.ts";

describe("--config", () => {
  it("sets keys, inside structured ones too, plain or as JSON", () => {
    const config = { namespace: "a", cluster: { name: "x" } };
    expect(
      overridden(config, [
        "namespace=team-a",
        "eks-irsa:replicas=2",
        "cluster.nodes.max=5",
        'policies=["AmazonS3ReadOnlyAccess"]',
        "tags.note=a=b",
      ]),
    ).to.deep.equal({
      namespace: "team-a",
      replicas: 2,
      cluster: { name: "x", nodes: { max: 5 } },
      policies: ["AmazonS3ReadOnlyAccess"],
      tags: { note: "a=b" },
    });
    expect(config).to.deep.equal({ namespace: "a", cluster: { name: "x" } });
  });

  it("refuses what is not KEY=VALUE, and shows how", () => {
    for (const bad of ["replicas", "=2", "a b=1", ""]) {
      expect(() => overridden({}, [bad])).to.throw(
        `--config ${bad} is not KEY=VALUE, such as --config replicas=2`,
      );
    }
  });

  it("is checked before anything is started", () => {
    expect(() => checkLocalConfig(["replicas=2"])).not.to.throw();
    expect(() => checkLocalConfig(["replicas=many"])).to.throw(ConfigError, 'eks-irsa:replicas holds "many"');
  });
});

describe("the report", () => {
  it("takes the buckets of the last listing that the log shows", () => {
    expect(
      bucketsIn([
        "Buckets:",
        "* old created on x",
        '{"msg":"listed"}',
        "Buckets:",
        "* new-1 created on x",
        "{}",
        "* new-2 created on y",
      ]),
    ).to.deep.equal(["new-1", "new-2"]);
    expect(bucketsIn(["{}"])).to.deep.equal([]);
  });

  it("shows what went wrong since the last good listing first, and of when that listing is", () => {
    const listed = (time: string) => JSON.stringify({ time, level: "INFO", msg: "listed the buckets" });
    const refused = JSON.stringify({
      time: "12:02",
      level: "ERROR",
      msg: "could not list",
      error: "AccessDenied",
    });
    const block = ["Buckets:", "* one created on x"];
    expect(podReport([...block, listed("12:00")])).to.deep.equal(block);
    expect(podReport([refused, ...block, listed("12:03")])).to.deep.equal(block);
    expect(podReport([...block, listed("12:00"), listed("12:01"), refused])).to.deep.equal([
      refused,
      "The last listing that went well, at 12:01:",
      ...block,
    ]);
    expect(podReport([refused])).to.deep.equal([refused]);
    expect(podReport([])).to.deep.equal(["(no listing yet)"]);
  });

  it("says why a pod has not started: no node takes it, or there is no image", () => {
    const condition = (status: string) => ({
      type: "PodScheduled",
      status,
      ...(status === "False" && { reason: "Unschedulable", message: "0/1 nodes are available: 1 cordoned." }),
    });
    const container = (state: V1ContainerState): V1ContainerStatus => ({
      ...{ name: "lister", image: "i", imageID: "", ready: false, restartCount: 0 },
      state,
    });
    const why = (scheduled: string, ...states: V1ContainerState[]) =>
      whyNotStarted({
        status: { conditions: [condition(scheduled)], containerStatuses: states.map(container) },
      });
    expect(why("False")).to.equal("Unschedulable: 0/1 nodes are available: 1 cordoned.");
    const noImage = { waiting: { reason: "ImagePullBackOff", message: "Back-off pulling image" } };
    expect(why("True", noImage)).to.equal("ImagePullBackOff: Back-off pulling image");
    expect(why("True", { waiting: { reason: "ContainerCreating" } })).to.equal("ContainerCreating");
    expect(why("True", { running: {} })).to.equal(undefined);
    expect(whyNotStarted({})).to.equal(undefined);
  });

  it("marks what does not hold, and says what came only where it is not what was expected", () => {
    const right = {
      name: "alg: none",
      expected: "InvalidIdentityToken",
      got: "InvalidIdentityToken",
      ok: true,
    };
    const wrong = { name: "another namespace", expected: "AccessDenied", got: "credentials", ok: false };
    expect(proofTable([right, wrong], 80).split("\n").slice(1)).to.deep.equal([
      "  ✔   alg: none               InvalidIdentityToken   (same)",
      "  ✖   another namespace       AccessDenied           credentials",
    ]);
  });

  it("is no wider than the terminal, at 80 and at 120 columns, and loses no word", () => {
    const role = "s3-irsa-role-cd5d83d";
    const proofs = [
      {
        name: "the pod lists the buckets as its role",
        expected: `${role}: every bucket of the account`,
        got: `${role}: all but ${Array.from({ length: 8 }, (_, index) => `bucket-number-${index}`).join(", ")}`,
        ok: false,
      },
      {
        name: "a role that does not trust the ServiceAccount",
        expected: "AccessDenied",
        got: "AccessDenied",
        ok: true,
      },
    ];
    for (const width of [80, 120]) {
      const lines = proofTable(proofs, width).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).to.be.within(width - 20, width);
      for (const word of [role, "bucket-number-7", "ServiceAccount", "(same)"]) {
        expect(lines.join(""), `${word} at ${width}`).to.contain(word);
      }
    }
  });

  it("ends with commands to paste, within 80 columns", () => {
    const lines = hints(" --config replicas=2").split("\n");
    expect(lines).to.include('  eval "$(npm run --silent local -- env)"');
    expect(lines.filter((line) => line.length > 80)).to.deep.equal([]);
  });
});

describe("processes", () => {
  it("are told from later ones with the same id", async () => {
    const child = spawn("sleep", ["30"]);
    const one = identify(child.pid ?? 0);
    expect(alive(one)).to.equal(true);
    expect(alive({ ...one, startTime: one.startTime - 1 })).to.equal(false);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    expect(alive(one)).to.equal(false);
  });
});

describe("the lock", () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), "eks-irsa-lock-"));
  });
  afterEach(() => rmSync(cache, { recursive: true }));
  const take = () =>
    spawnSync(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        'import { lock } from "./local/state.ts"; lock("up", "/here"); console.log("mine")',
      ],
      {
        env: { ...process.env, EKS_IRSA_CACHE: cache },
        encoding: "utf8",
        cwd: join(import.meta.dirname, "..", ".."),
      },
    );
  const heldBy = (holder: object) =>
    writeFileSync(join(cache, "lock"), JSON.stringify({ command: "up", project: "/there", ...holder }));

  it("is free, or left by a process that is gone", () => {
    expect(take().stdout).to.equal("mine\n");
    heldBy({ pid: process.pid, startTime: 1 });
    expect(take().stdout).to.equal("mine\n");
  });

  it("names the command that holds it", () => {
    heldBy(identify(process.pid));
    const { stdout, stderr } = take();
    expect(stdout).to.equal("");
    expect(stderr).to.contain(`\`npm run local -- up\` (process ${process.pid}, from /there)`);
  });
});
