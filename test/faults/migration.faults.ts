import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { openStack, type ProgramStack } from "../../automation/index.ts";
import type { IdentityArgs } from "../../components/irsa-identity.ts";
import { tokenFolder } from "../../components/pod-additions.ts";
import { listBuckets } from "../../iam/policies.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, region } from "../../local/run.ts";
import { failureOf } from "../failure.ts";
import { type Calls, callsSince, changesSince, endOfLog } from "./call-log.ts";
import { CallingPods } from "./calling-pods.ts";
import { engine, random } from "./engine-process.ts";
import { Live } from "./live.ts";
import { count, Tally } from "./tally.ts";

// From IRSA to EKS Pod Identity and back by the steps of docs/migrating.md, while pods of every binding call AWS each second:
// none is refused, whichever step its credentials expire in, and whenever the engine is killed.

const namespace = "migration";
const isShort = process.env.FAULTS === "short";
/** How long credentials live. The agent, which gives none that live less than 15 s, fetches new ones sooner. */
const sessionSeconds = count(30, 5);
const leastExpiries = 3;

/** `MIGRATION_BINDINGS=20` for another number than these. A node of Kubernetes has 110 pods. */
const bindingsOf = (usual: number): number => Number(process.env.MIGRATION_BINDINGS ?? usual);

const migrating = (mechanism: "irsa" | "pod-identity") => ({ mechanism, migrating: true }) as const;

interface Journey {
  readonly title: string;
  readonly bindings: number;
  /** Whether the engine is killed in each `up`. */
  readonly killed: boolean;
}

const journeys: readonly Journey[] = [
  ...(isShort ? [] : [{ title: "undisturbed", bindings: bindingsOf(100), killed: false }]),
  { title: "whose engine is killed in each step", bindings: bindingsOf(count(20, 4)), killed: true },
];

for (const { title, bindings, killed } of journeys) {
  describe(`a migration of ${bindings} bindings, ${title}`, function () {
    this.timeout("40m");
    this.bail(true);

    const tally = new Tally("migrations");
    const names = Array.from({ length: bindings }, (_, index) => `app${index}`);
    const scratch = mkdtempSync(join(tmpdir(), "eks-irsa-migration-"));
    let live: Live;
    let pods: CallingPods;
    let roles: Record<string, string>;

    const open = (identity: IdentityArgs): Promise<ProgramStack> =>
      openStack({
        stack: "migration",
        region,
        config: {
          app: "none",
          cluster: { name: "eks-irsa", existing: true },
          bindings: names.map((serviceAccount) => ({
            namespace,
            serviceAccount,
            identity,
            policies: [listBuckets],
          })),
        },
        env: { ...awsEnvironment(live.state), ...engineEnvironment(live.state) },
      });

    /** Kills the engine once AWS has carried out some of the step's changes. */
    async function upKilled(stack: ProgramStack, phase: string): Promise<void> {
      const after = 1 + Math.floor((random(phase) * bindings) / 2);
      const begun = endOfLog();
      let ended = false;
      const failing = failureOf(stack.up()).finally(() => {
        ended = true;
      });
      while (!ended && changesSince(begun) < after) await sleep(5);
      const pid = engine("up");
      if (pid !== undefined) process.kill(pid, "SIGKILL");
      await failing;
      console.log(`      ${phase}: killed after ${changesSince(begun)} of ${bindings} changes`);
      expect(pid, "the engine had ended before it was killed").to.be.a("number");
      await stack.cancel();
    }

    /** One step: where the engine is to be killed, it is run again. */
    async function up(identity: IdentityArgs, phase: string): Promise<void> {
      const since = performance.now();
      if (killed) await upKilled(await open(identity), phase);
      const { outputs } = await (await open(identity)).up();
      roles = outputs.bindings?.value as typeof roles;
      console.log(`      ${phase}: up took ${((performance.now() - since) / 1000).toFixed(0)} s`);
    }

    /** Goes one way, and tells what the pods met with all along. */
    async function travel(way: string, steps: () => Promise<void>): Promise<void> {
      const since = endOfLog();
      const began = performance.now();
      await steps();
      await pods.expectNoFailure();
      const calls = callsSince(since, namespace);
      report(way, calls, (performance.now() - began) / 1000);
      tally.note(`${way}: calls of ${bindings} bindings' pods`, true, calls.listings);
      if (calls.refusals.length > 0)
        tally.note(`${way}: calls of ${bindings} bindings' pods`, false, calls.refusals.length);
      expect(calls.refusals).to.deep.equal([]);
      // Each was given some when a pod of it started, once a rollout, and the rest when those expired.
      const least = Math.min(...names.map((name) => calls.sessions.get(name) ?? 0));
      expect(least).to.be.at.least(leastExpiries + rollouts);
    }

    /** The most rollouts of a way. */
    const rollouts = 2;

    function report(way: string, { listings, refusals, sessions }: Calls, seconds: number): void {
      const all = [...sessions.values()].sort((a, b) => a - b);
      console.log(
        `      ${way}: ${seconds.toFixed(0)} s, ${listings} calls (${(listings / seconds).toFixed(0)} a second), ` +
          `${refusals.length} refused; each binding was given credentials ${all[0]} to ${all.at(-1)} times`,
      );
    }

    before(async () => {
      live = await Live.up();
      await live.kubectl("create", "namespace", namespace);
      await live.shortenSessions(sessionSeconds);
      pods = new CallingPods({ live, namespace, names, scratch, image: await listerImage() });
      roles = (await (await open("irsa")).up()).outputs.bindings?.value as typeof roles;
      const since = performance.now();
      await pods.apply();
      console.log(`      ${bindings} pods started in ${((performance.now() - since) / 1000).toFixed(0)} s`);
    });
    after(async () => {
      await live.kubectl("delete", "namespace", namespace);
      await live.shortenSessions();
      const stack = await open("irsa");
      await stack.destroy();
      await stack.remove();
      rmSync(scratch, { recursive: true });
      tally.print();
    });

    const listerImage = () =>
      live.kubectl(
        ...["get", "deployments", "-A", "-l", "app.kubernetes.io/name=s3-lister"],
        ...["-o", "jsonpath={.items[0].spec.template.spec.containers[0].image}"],
      );

    it("goes to EKS Pod Identity, and no pod is refused", () =>
      travel("there", async () => {
        await up(migrating("irsa"), "1 to 2");
        await pods.untilRenewed();
        await up(migrating("pod-identity"), "2 to 3");
        await pods.untilRenewed();
        await pods.expectNoFailure();
        await pods.restartUntilAllHave("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        await pods.untilRenewed();
        await up("pod-identity", "3 to 4");
        await pods.untilRenewed();
      }));

    it("goes back to IRSA, and no pod is refused", () =>
      travel("back", async () => {
        await up(migrating("pod-identity"), "4 to 3");
        await pods.untilRenewed();
        await pods.expectNoFailure();
        // As the component's `podAdditions` have it in the next step.
        await pods.apply((name) => webIdentity(roles[`${namespace}/${name}`] ?? ""));
        await up(migrating("irsa"), "3 to 2");
        await pods.untilRenewed();
        await pods.expectNoFailure();
        await pods.apply();
        await up("irsa", "2 to 1");
        await pods.untilRenewed();
      }));
  });
}

/** What a workload's template holds on its way back. */
const webIdentity = (roleArn: string) => ({
  env: [
    { name: "AWS_ROLE_ARN", value: roleArn },
    { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: `${tokenFolder}/token` },
  ],
  volumeMounts: [{ name: "aws-iam-token", mountPath: tokenFolder, readOnly: true }],
  volumes: [
    {
      name: "aws-iam-token",
      projected: {
        sources: [
          {
            serviceAccountToken: { audience: "sts.amazonaws.com", expirationSeconds: 86_400, path: "token" },
          },
        ],
      },
    },
  ],
});
