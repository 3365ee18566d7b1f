import { type ChildProcess, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { awsConfig, tokenFolder } from "../../components/pod-additions.ts";
import { Browser, chromium, views } from "../../testing/browser.ts";
import { type Certificate, selfSigned } from "../../testing/certificate.ts";
import { FakeAws } from "../../testing/fake-aws.ts";
import {
  environment,
  goLister,
  javaLister,
  portOf,
  role,
  start as startProgram,
  token,
  until,
} from "../../testing/lister-process.ts";

// The listers as their pods run them, seen from outside: the same for each language.

const scratch = mkdtempSync(join(tmpdir(), "eks-irsa-listers-"));

/** A host that only a proxy leads to: no resolver knows a name below `invalid` (RFC 6761). */
const behindProxy = "aws.invalid";
let certificate: Certificate;
/** The certificate as a file, which Go's SSL_CERT_FILE names, and as a trust store of Java's. */
const trusted = { pem: join(scratch, "trusted.pem"), store: join(scratch, "trusted.p12") };

before(async () => {
  certificate = await selfSigned(behindProxy);
  writeFileSync(trusted.pem, certificate.cert);
});

interface Lister {
  readonly language: string;
  /** The command that runs it, trusting the certificate; undefined where this machine cannot. */
  readonly command: () => string[] | undefined;
}

const listers: Lister[] = [
  { language: "Go", command: () => goLister(scratch) },
  {
    language: "Java",
    command: () => {
      // Java's own default password: there is nothing secret in it.
      const password = "changeit";
      const trust = [
        `-Djavax.net.ssl.trustStore=${trusted.store}`,
        `-Djavax.net.ssl.trustStorePassword=${password}`,
      ];
      const lister = javaLister(trust);
      const store = ["-keystore", trusted.store, "-storepass", password];
      const keytool = ["-importcert", "-noprompt", "-alias", "aws", "-file", trusted.pem, ...store];
      if (lister) execFileSync("keytool", keytool, { stdio: "pipe" });
      return lister;
    },
  },
];

after(() => rmSync(scratch, { recursive: true, force: true }));

for (const { language, command } of listers) {
  describe(`the lister in ${language}, from outside`, function () {
    this.timeout("60s");

    let program: string[];
    let aws: FakeAws;
    const running: ChildProcess[] = [];

    before(function () {
      this.timeout("5m");
      const found = command();
      if (found === undefined) this.skip();
      program = found;
    });
    beforeEach(async () => {
      aws = new FakeAws(certificate);
      await aws.start();
    });
    afterEach(async () => {
      for (const child of running.splice(0)) child.kill("SIGKILL");
      await aws.stop();
    });

    const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
    const start = (args: string[], env: Record<string, string> = keys) => {
      const started = startProgram(
        [...program, ...args],
        environment(aws, scratch, { SSL_CERT_FILE: trusted.pem, ...env }),
      );
      running.push(started.child);
      return started;
    };
    const once = async (env?: Record<string, string>, ...args: string[]) => {
      const { output, ended } = start(["--once", ...args], env);
      return { code: await ended, ...output };
    };
    /** A lister that serves, and how to ask it. */
    const serve = async (args: string[] = [], env?: Record<string, string>) => {
      const server = start(["--listen=127.0.0.1:0", "--interval=1s", "--timeout=2s", ...args], env);
      const port = await until(() => portOf(server.output.stderr));
      const ask = async (at: string, init?: RequestInit) => {
        const response = await fetch(`http://127.0.0.1:${port}${at}`, init);
        return { code: response.status, headers: response.headers, body: await response.text() };
      };
      return { ...server, ask, ready: async () => (await ask("/readyz")).code === 200 };
    };
    const block = (...names: string[]): string =>
      `Buckets:\n${names.map((name) => `* ${name} created on 2026-11-24 09:29:37.861 +0000 UTC\n`).join("")}`;

    it("prints the buckets of all pages, and nothing else, on standard output", async () => {
      aws.pageSize = 2;
      aws.buckets = ["alpha", "beta", "gamma", "delta", "epsilon"];
      const { code, stdout, stderr } = await once();
      expect(stderr).to.equal("");
      expect(code).to.equal(0);
      expect(stdout).to.equal(block(...aws.buckets));
    });

    const basic = (user: string): string => `Basic ${Buffer.from(user).toString("base64")}`;

    it("asks STS and S3 through the proxy that its environment names, and directly where that excepts them", async () => {
      const identity = inPod();
      aws.proxyAuthorization = basic("me:secret");
      const through = await once({
        ...identity,
        AWS_ENDPOINT_URL: "http://aws.example",
        HTTP_PROXY: aws.url.replace("//", "//me:secret@"),
      });
      expect(through.stderr).to.equal("");
      expect(through.stdout).to.equal(block(...aws.buckets));
      expect(aws.proxyAuthorizations).to.deep.equal([basic("me:secret"), basic("me:secret")]);
      const around = await once({ ...identity, HTTP_PROXY: "http://127.0.0.1:9", NO_PROXY: "127.0.0.1" });
      expect(around.stderr).to.equal("");
      expect(around.stdout).to.equal(block(...aws.buckets));
      expect(aws.proxyAuthorizations.slice(2)).to.deep.equal(["", ""]);
    });

    /** What a pod has for a token of its own. A key that is set but empty is none. */
    const inPod = (subject = "pod"): Record<string, string> => {
      const file = join(scratch, `token-${language}-${subject}`);
      writeFileSync(file, token(subject));
      return { AWS_ACCESS_KEY_ID: "", AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: file };
    };

    it("asks https endpoints through HTTPS_PROXY, and tells who it is to nobody but the proxy", async () => {
      aws.proxyAuthorization = basic("me:secret");
      const { code, stdout, stderr } = await once({
        ...inPod(),
        AWS_ENDPOINT_URL: `https://${behindProxy}`,
        HTTPS_PROXY: aws.url.replace("//", "//me:secret@"),
      });
      expect(stderr).to.equal("");
      expect(code).to.equal(0);
      expect(stdout).to.equal(block(...aws.buckets));
      expect(new Set(aws.tunnels)).to.deep.equal(new Set([`${behindProxy}:443`]));
      expect(aws.proxyAuthorizations).to.deep.equal(["", ""]);
    });

    it("asks https endpoints directly where there is only HTTP_PROXY, and http endpoints where there is only HTTPS_PROXY", async () => {
      const secure = await once({
        ...inPod(),
        AWS_ENDPOINT_URL: `https://${behindProxy}`,
        HTTP_PROXY: aws.url,
      });
      expect(aws.tunnels).to.deep.equal([]);
      expect(aws.tokens).to.deep.equal([]);
      expect(secure.code).to.equal(1);
      expect(secure.stderr).to.match(/^s3-lister: RequestError: .*\n$/);
      const plain = await once({
        ...inPod(),
        AWS_ENDPOINT_URL: `http://${behindProxy}`,
        HTTPS_PROXY: aws.url,
      });
      expect(aws.tokens).to.deep.equal([]);
      expect(plain.code).to.equal(1);
      expect(plain.stderr).to.match(/^s3-lister: RequestError: .*\n$/);
    });

    it("says in STS's own words why STS refused its token", async () => {
      aws.sts = "refuses";
      const { code, stdout, stderr } = await once(inPod());
      expect(code).to.equal(1);
      expect(stdout).to.equal("");
      const explanation =
        "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity (STS AssumeRoleWithWebIdentity, HTTP 403, request id R1)";
      expect(stderr).to.equal(`s3-lister: ${explanation}\n`);
      const { ask, output } = await serve([], inPod());
      await until(() => output.stderr.includes('"code":"AccessDenied"'));
      expect(await ask("/readyz")).to.include({
        code: 503,
        body: `no listing has succeeded yet: ${explanation}\n`,
      });
    });

    it("says that STS cannot be reached", async () => {
      const away = new FakeAws();
      await away.start();
      await away.stop();
      const env = { ...inPod(), AWS_ENDPOINT_URL_STS: away.url };
      const { code, stderr } = await once(env);
      expect(code).to.equal(1);
      expect(stderr).to.match(/^s3-lister: RequestError: .*refused.* \(STS AssumeRoleWithWebIdentity\)\n$/i);
      const { output } = await serve([], env);
      await until(() => output.stderr.includes('"code":"RequestError"'));
    });

    it("gives up on an STS that hangs when its timeout is over", async () => {
      aws.sts = "hangs";
      const since = performance.now();
      const [alone, output] = await Promise.all([
        once(inPod(), "--timeout=8s"),
        serve(["--timeout=8s"], inPod()).then(async ({ output }) => {
          await until(() => output.stderr.includes('"msg":"listing failed"'));
          return output;
        }),
      ]);
      expect(alone.code).to.equal(1);
      const explanation = "Timeout: no answer in time (STS AssumeRoleWithWebIdentity)";
      expect(alone.stderr).to.equal(`s3-lister: ${explanation}\n`);
      // With the start of both: far from twice the timeout.
      expect(performance.now() - since).to.be.lessThan(14_000);
      const line = output.stderr.split("\n").find((one) => one.includes('"msg":"listing failed"'));
      const failure = JSON.parse(line ?? "");
      expect(failure).to.include({ code: "Timeout", error: explanation });
      expect(failure.duration_seconds).to.be.lessThan(9);
    });

    it("names the agent of EKS Pod Identity where that refuses, and tries no other source", async () => {
      const agent = createServer((_, response) => response.writeHead(400).end("no association for this pod"));
      await new Promise<void>((done) => agent.listen(0, "127.0.0.1", done));
      try {
        const { port } = agent.address() as AddressInfo;
        const file = join(scratch, "agent-token");
        writeFileSync(file, token("pod"));
        const { code, stdout, stderr } = await once({
          AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/v1/credentials`,
          AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
        });
        expect({ code, stdout }).to.deep.equal({ code: 1, stdout: "" });
        expect(stderr).to.match(/^s3-lister: Error: .* \(EKS Pod Identity agent GetCredentials.*\)\n$/);
        // Java's SDK keeps no text of it.
        expect(stderr).to.contain(language === "Go" ? "no association for this pod" : "HTTP 400");
      } finally {
        agent.close();
      }
    });

    it("says in one line what S3 refused, with its code, and exits with 1", async () => {
      aws.mood = "refuses";
      const { code, stdout, stderr } = await once();
      expect(code).to.equal(1);
      expect(stdout).to.equal("");
      expect(stderr).to.equal(
        "s3-lister: AccessDenied: Access Denied (S3 ListBuckets, HTTP 403, request id R1)\n",
      );
    });

    it("says in one line what is wrong with its configuration", async () => {
      const noRegion = await once({ ...keys, AWS_REGION: "" });
      expect(noRegion.code).to.equal(1);
      expect(noRegion.stderr).to.equal(
        "s3-lister: no AWS region: set AWS_REGION, for example AWS_REGION=eu-central-1\n",
      );
      const file = join(scratch, "not-there");
      const noToken = await once({ AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: file });
      expect(noToken.code).to.equal(1);
      expect(noToken.stderr).to.equal(
        `s3-lister: cannot read the web identity token ${file}, which AWS_WEB_IDENTITY_TOKEN_FILE names: no such file or directory\n`,
      );
      const noKeys = await once({});
      expect(noKeys.code).to.equal(1);
      expect(noKeys.stderr).to.match(/^s3-lister: NoCredentials: .*\n$/);
      for (const args of [["--intervall=5s"], ["--interval=5"], ["--interval=10ms"], ["more"]]) {
        const wrong = await once(keys, ...args);
        expect(wrong.code, args.join()).to.equal(2);
        expect(wrong.stderr, args.join()).to.match(/^s3-lister: .+\n$/);
      }
    });

    it("swaps its token at STS, and goes on with a new one when token and credentials have been replaced", async () => {
      const file = join(scratch, `token-${language}`);
      writeFileSync(file, token("first"));
      aws.sessionSeconds = 1;
      const { ready, output, ask } = await serve([], {
        AWS_ROLE_ARN: role,
        AWS_WEB_IDENTITY_TOKEN_FILE: file,
      });
      await until(ready);
      expect(aws.tokens[0]).to.equal(token("first"));
      // KEY3 came for the third token. Sessions are so short here that the first key need not be KEY1.
      const tokenOf = (key: string | undefined) => aws.tokens[Number(key?.slice(3)) - 1];
      expect(tokenOf(aws.keys[0])).to.equal(token("first"));
      expect(output.stderr).to.contain('"subject":"first"');
      expect(JSON.parse((await ask("/buckets")).body).identity).to.equal(
        "arn:aws:sts::111122223333:assumed-role/reader/session",
      );
      writeFileSync(file, token("second"));
      // What is waited for is a listing with a key that came for the new one.
      await until(() => aws.keys.some((key) => tokenOf(key) === token("second")) || undefined);
      expect(await ready()).to.equal(true);
    });

    it("goes on to a second role by the profile of a chain, which it would not with the webhook's variables alone", async () => {
      const target = "arn:aws:iam::222233334444:role/reports";
      const { data } = awsConfig({ roleArn: role, target, externalId: "reports" });
      writeFileSync(join(scratch, "token"), token("chained"));
      writeFileSync(join(scratch, "config"), (data.config ?? "").replace(tokenFolder, scratch));
      const chained = (file: string) =>
        once({
          AWS_ENDPOINT_URL_STS: aws.url,
          AWS_CONFIG_FILE: join(scratch, "config"),
          AWS_PROFILE: "chained",
          AWS_ROLE_ARN: role,
          AWS_WEB_IDENTITY_TOKEN_FILE: file,
        });
      // As podAdditions have it.
      const { code, stderr } = await chained("");
      expect(code, stderr).to.equal(0);
      expect(aws.tokens).to.deep.equal([token("chained")]);
      expect(aws.assumed).to.deep.equal([{ role: target, externalId: "reports" }]);
      expect(aws.keys).to.deep.equal(["NEXT1"]);
      // As the webhook has it.
      expect((await chained(join(scratch, "token"))).code).to.equal(0);
      expect(aws.keys).to.deep.equal(["NEXT1", "KEY2"]);
    });

    it("serves page, buckets, health, readiness and metrics", async () => {
      aws.next.push("hangs");
      const { ask, ready, output } = await serve();
      expect(await ask("/readyz")).to.include({ code: 503 });
      expect(await ask("/healthz")).to.include({ code: 200, body: "ok\n" });
      expect(await ask("/buckets")).to.include({ code: 503 });
      await until(ready);
      const { code, headers, body } = await ask("/buckets");
      expect(code).to.equal(200);
      expect(headers.get("content-type")).to.equal("application/json");
      expect(headers.get("cache-control")).to.equal("no-store");
      expect(JSON.parse(body)).to.have.all.keys("buckets", "listedAt", "identity");
      expect(JSON.parse(body).buckets[0]).to.deep.equal({
        name: "alpha",
        created: "2026-11-24T09:29:37.861Z",
      });
      const page = await ask("/");
      expect(page.headers.get("content-security-policy")).to.match(/^default-src 'none'/);
      expect(page.body)
        .to.match(/^<!doctype html>\n<html lang="en">/)
        .and.contain("<code>alpha</code>");
      const metrics = (await ask("/metrics")).body;
      for (const name of [
        "listings_total",
        "listing_duration_seconds_count",
        "buckets",
        "last_success_timestamp_seconds",
      ]) {
        expect(metrics, name).to.match(new RegExp(`^s3_lister_${name}(\\{[^}]*\\})? [0-9]`, "m"));
      }
      expect(metrics).to.match(/^s3_lister_listings_total\{result="error"\} /m);
      expect((await ask("/nothing")).code).to.equal(404);
      expect((await ask("/buckets", { method: "POST" })).code).to.equal(405);
      expect(output.stdout).to.equal(block("alpha", "beta", "gamma"));
    });

    it("has a page in which axe-core finds nothing, on a phone and on a desk, light and dark, whatever its state", async function () {
      if (chromium === undefined) this.skip();
      const browser = await Browser.start();
      try {
        const look = async (port: number | undefined, says: RegExp): Promise<void> => {
          for (const view of views) {
            await browser.open(`http://127.0.0.1:${port}/`, view);
            const shown = `${view.width} px, ${view.scheme}`;
            expect(await browser.evaluate("document.body.innerText"), shown).to.match(says);
            expect(await browser.faults(), shown).to.deep.equal([]);
          }
        };
        aws.buckets.push("a-bucket-with-a-name-as-long-as-s3-takes-it-which-is-63-characters");
        const { ready, output, ask } = await serve([], inPod("page"));
        await until(ready);
        await look(portOf(output.stderr), /Ready at /);
        aws.mood = "refuses";
        await until(async () => (await ask("/readyz")).code === 503);
        await look(
          portOf(output.stderr),
          /Not ready at [\s\S]*Last error[\s\S]*That was the last listing that succeeded/,
        );
        aws.mood = "hangs";
        const { output: begun } = await serve([], inPod("page"));
        await look(portOf(begun.stderr), /Not ready at [\s\S]*Not listed yet/);
      } finally {
        await browser.close();
      }
    });

    it("answers at once on a connection that is kept", async () => {
      const { ask, ready } = await serve();
      await until(ready);
      const times: number[] = [];
      for (let request = 0; request < 30; request++) {
        const since = performance.now();
        await ask("/buckets");
        times.push(performance.now() - since);
      }
      // An answer in two packets, of which the second waits for the client's delayed acknowledgement, takes 40 ms.
      const median = times.sort((a, b) => a - b)[15];
      expect(median).to.be.lessThan(25);
    });

    it("tries again, with pauses, when S3 throttles it", async () => {
      aws.next.push("throttles", "throttles");
      const since = performance.now();
      const { code, stdout } = await once();
      expect(code).to.equal(0);
      expect(stdout).to.equal(block("alpha", "beta", "gamma"));
      expect(aws.keys).to.have.length(3);
      expect(performance.now() - since).to.be.greaterThan(20);
    });

    it("gives up on a listing after a bounded number of attempts", async () => {
      aws.mood = "fails";
      const { code, stderr } = await once();
      expect(code).to.equal(1);
      expect(stderr).to.contain("s3-lister: InternalError: ");
      expect(aws.keys).to.have.length(3);
    });

    for (const [what, trouble, code] of [
      ["answers 500", (one: FakeAws) => one.turn("fails"), "InternalError"],
      ["hangs", (one: FakeAws) => one.turn("hangs"), "Timeout"],
      ["is away", (one: FakeAws) => one.stop(), "RequestError"],
    ] as const) {
      it(`turns unready while S3 ${what}, lives on, and comes back`, async () => {
        const { ask, ready, output, child } = await serve();
        await until(ready);
        await trouble(aws);
        await until(async () => !(await ready()));
        expect((await ask("/readyz")).body).to.match(
          /^the last (\d+ listings failed: |successful listing is )/,
        );
        expect((await ask("/healthz")).code).to.equal(200);
        // What was listed is still to be had.
        expect((await ask("/buckets")).code).to.equal(200);
        expect(output.stderr).to.contain(`"code":"${code}"`);
        aws.mood = "well";
        if (what === "is away") await aws.start();
        await until(ready);
        expect(child.exitCode).to.equal(null);
      });
    }

    it("turns unready at SIGTERM, serves on while it drains, and exits with 0", async () => {
      const { ask, ready, child, ended, output } = await serve(["--drain=1s"]);
      await until(ready);
      child.kill("SIGTERM");
      await until(async () => ((await ask("/readyz")).body === "stopping\n" ? true : undefined));
      expect((await ask("/buckets")).code).to.equal(200);
      expect(await ended).to.equal(0);
      expect(output.stderr).to.contain('"msg":"stopped"');
    });
  });
}
