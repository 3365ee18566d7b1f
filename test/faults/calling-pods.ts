import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import { expect } from "chai";
import type { PodAdditions } from "../../components/pod-additions.ts";
import { podSecurityContext } from "../../components/pod-security.ts";
import { region } from "../../local/run.ts";
import { until } from "../e2e/tools.ts";
import { callsSince, endOfLog } from "./call-log.ts";
import type { Live } from "./live.ts";

/** What a template must have beside what the webhook gives, with values that are known. */
export type Additions = { [Key in keyof PodAdditions]: object[] };

export interface CallingPodsOptions {
  readonly live: Live;
  readonly namespace: string;
  /** ServiceAccounts: each has a Deployment of the same name. */
  readonly names: readonly string[];
  /** The lister's, which the node has already. */
  readonly image: string;
  /** A folder for manifests. */
  readonly scratch: string;
}

/** How long a rollout may take, in seconds. */
const patience = 600;
/** Deployments that are rolled out at once: each has a pod more then, and a node has room for 110. */
const atOnce = 10;

/**
 * The lister under many ServiceAccounts, one pod each, that calls AWS every second from the moment it starts. Not the stack's:
 * whoever migrates has workloads of others before him.
 */
export class CallingPods {
  readonly #options: CallingPodsOptions;

  constructor(options: CallingPodsOptions) {
    this.#options = options;
  }

  /** Applies the templates, as they are to be now, and waits until the pods are as they say. */
  async apply(additionsOf: (name: string) => Additions | undefined = () => undefined): Promise<void> {
    const { live, names, scratch, namespace } = this.#options;
    const file = join(scratch, "workloads.json");
    await this.#rollOut(names, async (some) => {
      const items = some.map((name) => this.#deployment(name, additionsOf(name)));
      writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
      await live.kubectl("apply", "--namespace", namespace, "-f", file);
    });
  }

  /** As `kubectl rollout restart` does, until each pod has a variable: some may be made before the webhook knows. */
  async restartUntilAllHave(variable: string): Promise<void> {
    const { live, namespace } = this.#options;
    for (;;) {
      const without = (await this.#pods()).filter((pod) => !has(pod, variable)).map(deploymentOf);
      if (without.length === 0) return;
      await this.#rollOut(without, (some) =>
        live.kubectl(
          ...["rollout", "restart", "--namespace", namespace],
          ...some.map((name) => `deployment/${name}`),
        ),
      );
    }
  }

  /** Waits until each has been given credentials anew so many times, since those that it had expired. */
  async untilRenewed(times = 1): Promise<void> {
    const { namespace, names } = this.#options;
    const since = endOfLog();
    await until("new credentials for all", 180, async () => {
      const { sessions } = callsSince(since, namespace);
      return names.every((name) => (sessions.get(name) ?? 0) >= times) || undefined;
    });
  }

  /** What the pods that run count of themselves: none has failed a listing, none was started again. */
  async expectNoFailure(): Promise<void> {
    const pods = await this.#pods();
    const told = await Promise.all(
      pods.map(async ({ metadata, status }) => {
        const metrics = await (await fetch(`http://${status?.podIP}:8080/metrics`)).text();
        const count = (result: string) =>
          Number(
            new RegExp(`^s3_lister_listings_total\\{result="${result}"\\} (\\d+)`, "m").exec(metrics)?.[1],
          );
        const restarts = status?.containerStatuses?.[0]?.restartCount;
        return { name: metadata?.name, failed: count("error"), called: count("success") > 0, restarts };
      }),
    );
    expect(told).to.have.length(this.#options.names.length);
    expect(told.filter((one) => one.failed !== 0 || !one.called || one.restarts !== 0)).to.deep.equal([]);
  }

  async #pods(): Promise<V1Pod[]> {
    const { live, namespace } = this.#options;
    return (await live.core().listNamespacedPod({ namespace })).items;
  }

  /** Changes some Deployments after the others, until each one's pod is of its template, and no other is left. */
  async #rollOut(
    names: readonly string[],
    change: (some: readonly string[]) => Promise<unknown>,
  ): Promise<void> {
    const { live, namespace } = this.#options;
    for (let from = 0; from < names.length; from += atOnce) {
      const some = names.slice(from, from + atOnce);
      await change(some);
      await until(`${some} are rolled out`, patience, async () => {
        const { items } = await live.apps().listNamespacedDeployment({ namespace });
        const done = items.filter((one) => some.includes(one.metadata?.name ?? "") && isRolledOut(one));
        const pods = (await this.#pods()).filter((pod) => some.includes(deploymentOf(pod)));
        return (done.length === some.length && pods.length === some.length) || undefined;
      });
    }
  }

  #deployment(name: string, additions?: Additions): object {
    return {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: {
        selector: { matchLabels: { app: name } },
        // A pod more, and none less: who calls, calls on.
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        progressDeadlineSeconds: patience,
        template: {
          metadata: { labels: { app: name } },
          spec: {
            serviceAccountName: name,
            automountServiceAccountToken: false,
            securityContext: podSecurityContext,
            terminationGracePeriodSeconds: 5,
            volumes: additions?.volumes,
            containers: [
              {
                name: "lister",
                image: this.#options.image,
                args: ["--interval=1s"],
                env: [
                  { name: "AWS_REGION", value: region },
                  { name: "AWS_EC2_METADATA_DISABLED", value: "true" },
                  ...(additions?.env ?? []),
                ],
                volumeMounts: additions?.volumeMounts,
                readinessProbe: { httpGet: { path: "/readyz", port: 8080 }, periodSeconds: 2 },
              },
            ],
          },
        },
      },
    };
  }
}

const isRolledOut = ({ metadata, status }: V1Deployment): boolean =>
  status?.observedGeneration === metadata?.generation &&
  status?.replicas === 1 &&
  status.updatedReplicas === 1 &&
  status.availableReplicas === 1;

const has = ({ spec }: V1Pod, variable: string): boolean =>
  spec?.containers.every(({ env = [] }) => env.some(({ name }) => name === variable)) ?? false;

const deploymentOf = ({ metadata }: V1Pod): string => metadata?.labels?.app ?? "";
