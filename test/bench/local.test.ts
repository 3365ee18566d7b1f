import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect } from "chai";
import { type Figure, wholeRun } from "../../bench/benchmark.ts";
import { type Checkout, commitOf, machineSearchPath, withCheckoutOf } from "../../bench/checkout.ts";
import { firstRunsOf, runsOf } from "../../bench/local.ts";
import { pageTables } from "../../bench/results.ts";
import { addedSearchPath, cache, project } from "../../local/machine/paths.ts";
import { UsageError } from "../../terminal.ts";

/** A local that only tells who was asked for what, in which cache, and answers as the real one does. */
const fakeLocal = (generation: string): string => `
const { appendFileSync } = require("node:fs");
const [name, ...options] = process.argv.slice(2);
const { EKS_IRSA_CACHE: cache, CALLS: calls } = process.env;
appendFileSync(calls, ["${generation}", name, ...options, cache].join(" ") + "\\n");
if (name === "up" && options.includes("--json")) console.log(JSON.stringify({ seconds: { AWS: 3.5 } }));
else if (name === "up") process.stderr.write("  …  pulumi up\\n  ✔  pulumi up: nothing [2.5 s]\\n");
else if (name === "status") console.log('{"residentBytes":${generation === "new" ? 1_300_000_000 : 2_600_000_000}}');
`;

describe("what local takes, against an earlier commit", () => {
  let [folder, repository, commit, log] = ["", "", "", ""];
  let ours: Checkout;
  const silent = { short: true, say: () => {} };
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      cwd: repository,
      encoding: "utf8",
    });
  const commitWith = (generation: string): void => {
    writeFileSync(join(repository, "local.cjs"), fakeLocal(generation));
    git("add", ".");
    git("commit", "--quiet", "--message", generation);
  };
  /** The calls since it was asked last. */
  const calls = (): string[] => {
    const lines = readFileSync(log, "utf8").trim().split("\n");
    writeFileSync(log, "");
    return lines;
  };
  const seriesOf = (figures: readonly Figure[] | undefined, name: string) =>
    figures?.find((one) => one.name === name)?.series ?? [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "before-"));
    repository = join(folder, "repository");
    mkdirSync(repository);
    const manifest = { name: "fake", version: "1.0.0" };
    writeFileSync(
      join(repository, "package.json"),
      JSON.stringify({ ...manifest, scripts: { local: "node local.cjs" } }),
    );
    writeFileSync(
      join(repository, "package-lock.json"),
      JSON.stringify({ ...manifest, lockfileVersion: 3, requires: true, packages: { "": manifest } }),
    );
    git("init", "--quiet");
    commitWith("old");
    commitWith("new");
    commit = commitOf("HEAD~1", repository);
    log = join(folder, "calls");
    process.env.CALLS = log;
    ours = { subject: "local", folder: repository, env: { ...process.env, EKS_IRSA_CACHE: "OURS" } };
  });

  after(() => {
    delete process.env.CALLS;
    rmSync(folder, { recursive: true, force: true });
  });

  describe("has both", () => {
    let [runs, firstRuns]: (readonly Figure[])[] = [];
    let [told, toldAnew]: string[][] = [];

    before(async () => {
      await withCheckoutOf(
        commit,
        async (earlier) => {
          runs = await runsOf([ours, earlier], silent);
          told = calls();
          firstRuns = await firstRunsOf([ours, earlier], silent);
          toldAnew = calls();
        },
        repository,
      );
    });

    it("do the same in turns, each down before the other comes up, in caches of their own", () => {
      const kept = join(cache, "bench", `before-${commit}`);
      expect(told).to.deep.equal([
        ...[`old install --yes ${kept}`, `old down ${kept}`],
        ...["new up --json --yes OURS", "new up OURS", "new status --json OURS", "new down OURS"],
        ...[`old up --json --yes ${kept}`, `old up ${kept}`, `old status --json ${kept}`, `old down ${kept}`],
      ]);
    });

    it("beside each other in a table, with the goal, which is this checkout's", () => {
      const memory = runs?.find(({ name }) => name === "memory at rest");
      expect(memory?.note).to.contain(`At ${commit}: the commit of `);
      expect(pageTables(memory === undefined ? [] : [memory])).to.deep.equal([
        [
          `|  | local | at ${commit} | goal | / at ${commit} | / goal |`,
          "| --- | --- | --- | --- | --- | --- |",
          "| memory at rest | 1300 MB | 2600 MB | 1300 MB | × 0.50 | × 1.00 ✔ at most 1 |",
        ].join("\n"),
      ]);
      for (const name of ["a run from stopped", "a run that changes nothing"]) {
        const subjects = seriesOf(runs, name).map(({ subject }) => subject);
        expect(subjects, name).to.deep.equal(["local", `at ${commit}`, "goal"]);
      }
    });

    it("and tells where the seconds go of this checkout only", () => {
      const [boot, whole] = seriesOf(runs, "from stopped");
      expect(boot).to.deep.equal({ subject: "AWS", samples: [3.5] });
      expect(whole?.subject).to.equal(wholeRun);
      expect(whole?.samples).to.deep.equal(seriesOf(runs, "a run from stopped")[0]?.samples);
      expect(seriesOf(runs, "nothing to do")[0]).to.deep.equal({ subject: "pulumi up", samples: [2.5] });
    });

    it("begin in empty caches for first runs, which are gone afterwards", () => {
      const caches = toldAnew?.map((line) => line.split(" ").at(-1) ?? "") ?? [];
      const [first = "", , second = ""] = caches;
      expect(toldAnew).to.deep.equal([
        ...[`new up --json --yes ${first}`, `new down ${first}`],
        ...[`old up --json --yes ${second}`, `old down ${second}`],
      ]);
      expect(new Set(caches).size).to.equal(2);
      expect(caches.filter(existsSync)).to.deep.equal([]);
      expect(firstRuns?.find(({ name }) => name === "a first run")?.goals).to.deep.equal([
        { subject: "local", against: `at ${commit}` },
      ]);
    });
  });

  it("is of this checkout alone where none is named", async () => {
    const figures = await runsOf([ours], silent);
    expect(calls()).to.have.length(4);
    expect(figures.find(({ name }) => name === "memory at rest")).to.deep.equal({
      name: "memory at rest",
      unit: "MB",
      series: [
        { subject: "local", samples: [1300] },
        { subject: "goal", samples: [1300] },
      ],
      goals: [{ subject: "local", against: "goal", atMost: 1 }],
    });
  });

  it("leaves no checkout behind, also when it fails", async () => {
    let checkedOut = "";
    const failing = withCheckoutOf(
      commit,
      async ({ folder, env }) => {
        checkedOut = folder;
        expect(readFileSync(join(folder, "local.cjs"), "utf8")).to.contain('"old"');
        expect(env.PATH?.startsWith(join(folder, "node_modules", ".bin"))).to.equal(true);
        throw new Error("it broke");
      },
      repository,
    );
    expect(await failing.catch((error: Error) => error.message)).to.equal("it broke");
    expect(existsSync(checkedOut)).to.equal(false);
    expect(git("worktree", "list").trim().split("\n")).to.have.length(1);
  });

  it("finds the machine's programs, not this checkout's", () => {
    const bin = join(project, "node_modules", ".bin");
    const search = machineSearchPath([bin, addedSearchPath, "/usr/bin", "/bin"].join(delimiter));
    expect(search).to.equal(["/usr/bin", "/bin"].join(delimiter));
  });

  it("is refused where Git knows no such commit", () => {
    expect(() => commitOf("no-such-commit", repository))
      .to.throw(UsageError)
      .with.property("message")
      .that.matches(/^--before no-such-commit names no commit of .*repository\. It may be any/);
    expect(() => commitOf("--all", repository)).to.throw(UsageError, "--before --all names no commit");
  });

  for (const [what, args, says] of [
    ["an unknown commit", ["local", "--before", "no-such-commit"], "--before no-such-commit names no commit"],
    ["a benchmark that has no earlier one", ["audit", "--before", "HEAD"], "--before HEAD is for local and"],
  ] as const) {
    it(`is refused on the command line before anything runs: ${what}`, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, ["bench/cli.ts", ...args], {
        cwd: project,
        encoding: "utf8",
      });
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: "" });
      expect(stderr).to.match(new RegExp(`^${says}`));
    });
  }
});
