import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AssumeRoleWithWebIdentityCommand } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { load } from "../../bench/lister/load.ts";
import { residentMegabytes } from "../../bench/lister/running.ts";
import { runFolder } from "../../local/machine/paths.ts";
import { alive } from "../../local/machine/process.ts";
import { processOf, readyPod } from "../../local/proofs.ts";
import { load as localRun } from "../../local/state.ts";
import { local, works } from "../e2e/tools.ts";
import { Live } from "./live.ts";
import { count, seed, Tally } from "./tally.ts";
import { isFlat, type Sample, trendOf } from "./trend.ts";

// Local for an hour: a lister that lists every second under load, tokens that are renewed and swapped, and one in a hundred
// requests to AWS that fails. What each process holds in memory stays flat, nothing fails that was not made to, and after
// `down` nothing is left. `SOAK=10 npm run test:faults -- soak` for ten minutes.

const minutes = Number(process.env.SOAK ?? count(60, 0.5));
/** Of its memory a process may gain this while it is watched, from the first third on: caches fill, more so in a short time. */
const share = minutes >= 10 ? 0.1 : 0.3;
const clients = 20;
/** Requests a second, of all: what the rest of local shares the machine with. */
const rate = 200;
/** Of a hundred requests to AWS. A short time has some ninety a minute, of which one is to fail for certain. */
const percent = minutes >= 10 ? 1 : 20;
/** Seconds between two looks. */
const interval = 2;

describe("a soak of local", function () {
  this.timeout(`${minutes + 20}m`);
  this.bail(true);

  const tally = new Tally("soak");
  const wasUp = localRun()?.daemons.some(alive) === true;
  let live: Live;

  before(async () => {
    live = await Live.up();
    await (await live.open("intervalSeconds=1")).up();
  });
  after(async () => {
    if (localRun() !== undefined) await live.faults();
    tally.print();
    if (wasUp) await works(local("up", "--json"));
  });

  it(`for ${minutes} min keeps its memory, and fails where it was made to, and nowhere else`, async () => {
    const outputs = await (await live.open()).outputs();
    const [namespace, serviceAccount, deployment, roleArn] = [
      outputs.namespace,
      outputs.serviceAccount,
      outputs.deployment,
      outputs.roleArn,
    ].map((output) => String(output?.value)) as [string, string, string, string];
    const pod = await readyPod({ core: live.core(), namespace, deployment });
    const watched = [
      ...live.state.daemons.map(({ name, pid }) => ({ name, pid })),
      { name: "lister", pid: Number(await processOf(pod.uid)) },
    ];
    const memory = new Map<string, Sample[]>(watched.map(({ name }) => [name, []]));

    const [core, sts] = [live.core(), live.sts()];
    /** As an SDK does once the kubelet has renewed the token. */
    const renew = async (): Promise<void> => {
      const body = { spec: { audiences: ["sts.amazonaws.com"], expirationSeconds: 600 } };
      const { status } = await core.createNamespacedServiceAccountToken({
        namespace,
        name: serviceAccount,
        body,
      });
      const swap = new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn,
        RoleSessionName: "soak",
        WebIdentityToken: status?.token,
      });
      const { Credentials } = await sts.send(swap);
      expect(Credentials?.SessionToken).to.be.a("string");
    };
    const status = async (path: string): Promise<number | undefined> =>
      (
        await fetch(`http://${pod.ip}:8080${path}`, { signal: AbortSignal.timeout(5000) }).catch(
          () => undefined,
        )
      )?.status;
    const listings = async (result: "success" | "error"): Promise<number> => {
      const text = await (await fetch(`http://${pod.ip}:8080/metrics`)).text();
      return Number(
        new RegExp(`^s3_lister_listings_total\\{result="${result}"\\} (\\d+)$`, "m").exec(text)?.[1],
      );
    };

    const before = { success: await listings("success"), error: await listings("error") };
    await live.faults({ percent, seed, hangMilliseconds: 1000 });
    const since = performance.now();
    const hours = (): number => (performance.now() - since) / 3_600_000;
    const loading = load({
      url: `http://${pod.ip}:8080`,
      connections: clients,
      overallRate: rate,
      duration: minutes * 60,
      timeout: 10,
      paths: ["/buckets", "/", "/metrics"],
    });
    let over = false;
    void loading
      .catch(() => undefined)
      .finally(() => {
        over = true;
      });
    while (!over) {
      const healthy = (await status("/healthz")) === 200;
      tally.note("healthz", healthy);
      expect(healthy, "healthz").to.equal(true);
      await renew();
      tally.note("tokens renewed and swapped", true);
      for (const { name, pid } of watched) {
        memory.get(name)?.push({ hours: hours(), value: residentMegabytes(pid) });
      }
      await sleep(interval * 1000);
    }
    const { requests, injected } = await live.faults();
    const made = Object.values(injected).reduce((sum, one) => sum + one, 0);
    const { errors, timeouts, non2xx, "2xx": answered } = await loading;
    expect({ errors, timeouts, non2xx }).to.deep.equal({ errors: 0, timeouts: 0, non2xx: 0 });
    tally.note("requests to the lister", true, answered);
    const done = (await listings("success")) - before.success;
    const failed = (await listings("error")) - before.error;
    tally.note("listings", true, done);
    expect(made, "faults that were injected").to.be.greaterThan(0);
    expect(failed, `listings that failed, of ${made} injected faults`).to.be.at.most(made);
    expect(done).to.be.greaterThan(minutes * 60 * 0.3);
    console.log(
      `      ${made} of ${requests} requests to AWS failed as asked; ${failed} of ${done + failed} listings`,
    );

    const grown: string[] = [];
    for (const [name, samples] of memory) {
      const trend = trendOf(samples.filter(({ hours: at }) => at > hours() / 3));
      const flat = isFlat(trend, share);
      tally.note("memory of a process", flat);
      const line = `${name}: ${trend.mean.toFixed(1)} MB, ${trend.slope.toFixed(1)} ± ${trend.error.toFixed(1)} MB an hour`;
      console.log(`      ${line}`);
      if (!flat) grown.push(line);
    }
    expect(grown).to.deep.equal([]);
  });

  it("leaves nothing after down: no process, and no state", async () => {
    const { daemons } = live.state;
    await works(local("down"));
    expect(localRun()).to.equal(undefined);
    expect(daemons.filter(alive).map(({ name }) => name)).to.deep.equal([]);
    const left = readdirSync("/proc").flatMap((pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes(runFolder) ? [line] : [];
      } catch {
        return []; // it has ended
      }
    });
    expect(left).to.deep.equal([]);
    tally.note("processes after down", true);
  });
});
