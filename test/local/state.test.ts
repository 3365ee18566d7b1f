import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { identify } from "../../local/machine/process.ts";
import { inUse } from "../../local/state.ts";

describe("the run that is up", () => {
  const state = join(import.meta.dirname, "..", "..", "local", "state.ts");
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), "eks-irsa-state-"));
    mkdirSync(join(cache, "run"));
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  /** What a process of its own, whose cache this is, finds. */
  const running = (recorded?: object): string => {
    if (recorded) writeFileSync(join(cache, "run", "state.json"), JSON.stringify(recorded));
    const program = `import(${JSON.stringify(state)}).then(({ running }) => console.log(running().since)).catch((e) => console.log(e.message))`;
    const env = { ...process.env, EKS_IRSA_CACHE: cache };
    return spawnSync(process.execPath, ["--eval", program], { env, encoding: "utf8" }).stdout.trim();
  };
  const own = { name: "etcd", log: "/etcd.log", ...identify(process.pid) };

  it("is there when all its parts were started, and run", () => {
    expect(running({ phase: "up", since: "today", daemons: [own] })).to.equal("today");
  });

  it("is not there when none was started, or not all of its parts", () => {
    const told = "local is not up. Bring it up with `npm run local`.";
    expect(running()).to.equal(told);
    expect(running({ phase: "starting", since: "today", daemons: [own] })).to.equal(told);
  });

  it("is not there when a part has ended, which is named", () => {
    const ended = { ...own, startTime: own.startTime - 1 };
    expect(running({ phase: "up", since: "today", daemons: [ended] })).to.equal(
      "etcd has ended; its log is /etcd.log. Start anew with `npm run local`.",
    );
  });

  it("is in use while a process of it is left, or a command of local is at work on it", () => {
    const run = join(cache, "run");
    const record = (file: string, holds: object) => writeFileSync(file, JSON.stringify(holds));
    const ended = { ...own, startTime: own.startTime - 1 };
    expect(inUse(run)).to.equal(false);
    record(join(run, "state.json"), { phase: "starting", daemons: [ended] });
    record(join(cache, "lock"), { ...ended, command: "up" });
    expect(inUse(run)).to.equal(false);
    record(join(cache, "lock"), { ...own, command: "up" });
    expect(inUse(run)).to.equal(true);
    rmSync(join(cache, "lock"));
    record(join(run, "state.json"), { phase: "up", daemons: [ended, own] });
    expect(inUse(run)).to.equal(true);
  });
});
