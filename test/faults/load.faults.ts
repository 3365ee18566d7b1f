import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { spread } from "../../bench/benchmark.ts";
import { load } from "../../bench/lister/load.ts";
import { residentMegabytes } from "../../bench/lister/running.ts";
import { FakeAws } from "../../testing/fake-aws.ts";
import {
  environment,
  goLister,
  javaLister,
  portOf,
  role,
  type Started,
  start,
  token,
  until,
} from "../../testing/lister-process.ts";
import { count, Tally } from "./tally.ts";

// The listers under 200 clients at once, on loopback, while they list every second: every request is answered, the
// lister stays ready, and what it holds in memory does not grow.

const clients = 200;
const seconds = count(60, 10);
const paths = ["/buckets", "/", "/metrics"];

/**
 * How much more memory the last third of the time may take than the second. A leak of 100 bytes a request would show:
 * 5,000 requests a second for 20 s are 10 MB, and the listers hold 30 to 130 MB.
 */
const growth = 1.15;

const listers = [
  { language: "Go", command: (folder: string) => goLister(folder) },
  { language: "Java", command: () => javaLister() },
];

describe("load on the listers", function () {
  this.timeout("5m");

  const tally = new Tally("requests");
  const scratch = mkdtempSync(join(tmpdir(), "eks-irsa-load-"));
  let aws: FakeAws;
  let lister: Started | undefined;
  before(async () => {
    aws = new FakeAws();
    await aws.start();
  });
  afterEach(async () => {
    lister?.child.kill("SIGKILL");
    await lister?.ended;
    lister = undefined;
  });
  after(async () => {
    await aws.stop();
    rmSync(scratch, { recursive: true, force: true });
    tally.print();
  });

  for (const { language, command } of listers) {
    it(`the lister in ${language} answers ${clients} clients for ${seconds} s, and its memory stays flat`, async function () {
      const program = command(scratch);
      if (program === undefined) this.skip();
      const file = join(scratch, "token");
      writeFileSync(file, token("load"));
      const env = environment(aws, scratch, {
        AWS_ROLE_ARN: role,
        AWS_WEB_IDENTITY_TOKEN_FILE: file,
        // As in its image.
        GOGC: "50",
        GOMAXPROCS: "1",
      });
      const started = start([...program, "--listen=127.0.0.1:0", "--interval=1s", "--timeout=5s"], env);
      lister = started;
      const url = `http://127.0.0.1:${await until(() => portOf(started.output.stderr))}`;
      const ready = async (): Promise<boolean> => (await fetch(`${url}/readyz`)).status === 200;
      await until(() => ready());
      const listings = aws.keys.length;

      const loading = load({ url, connections: clients, duration: seconds, timeout: 5, paths });
      const memory: number[] = [];
      let over = false;
      void loading
        .catch(() => undefined)
        .finally(() => {
          over = true;
        });
      await sleep(1000);
      while (!over) {
        memory.push(residentMegabytes(started.child.pid ?? 0));
        const isReady = await ready();
        tally.note(`${language}: readiness while it lasts`, isReady);
        expect(isReady, started.output.stderr.slice(-500)).to.equal(true);
        await sleep(1000);
      }
      const result = await loading;

      const good = result["2xx"];
      const bad = result.errors + result.non2xx;
      tally.note(`${language}: requests of ${clients} clients`, true, good);
      if (bad > 0) tally.note(`${language}: requests of ${clients} clients`, false, bad);
      const third = Math.floor(memory.length / 3);
      const [middle, last] = [spread(memory.slice(third, 2 * third)), spread(memory.slice(2 * third))];
      console.log(
        `      ${language}: ${Math.round(result.requests.average)} requests/s, ` +
          `99 % within ${result.latency.p99} ms; ${middle.median.toFixed(1)} MB, then ${last.median.toFixed(1)} MB`,
      );
      // `errors` counts time-outs, too.
      expect({ errors: result.errors, timeouts: result.timeouts, non2xx: result.non2xx }).to.deep.equal({
        errors: 0,
        timeouts: 0,
        non2xx: 0,
      });
      expect(good).to.be.greaterThan(clients * seconds);
      expect(aws.keys.length - listings, "listings meanwhile").to.be.at.least(Math.floor(seconds / 3));
      const flat = last.median <= growth * middle.median;
      tally.note(`${language}: memory is flat`, flat);
      expect(flat, `MB by the second: ${memory.map((one) => one.toFixed(1)).join(" ")}`).to.equal(true);
      expect(started.child.exitCode).to.equal(null);
    });
  }
});
