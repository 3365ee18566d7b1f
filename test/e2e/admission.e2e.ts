import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { openStack } from "../../automation/stack.ts";
import { podSecurityContext } from "../../components/pod-security.ts";
import type { ConfigInput } from "../../config.ts";
import { listBuckets } from "../../iam/policies.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, region } from "../../local/run.ts";
import { running } from "../../local/state.ts";
import { command, localUp, until, works } from "./tools.ts";

// No pod without its identity, on the live parts: a pod identity webhook that is away for 0 to 30 s while a Deployment,
// Jobs and a DaemonSet make their pods. With the policy all of them get credentials, and nobody lends a hand; without it
// they never do. In rounds, since the node has room for so many pods.

const namespace = "admission";
/** `ADMISSION_PODS=1000` for the figure of docs/reliability.md. */
const allPods = Number(process.env.ADMISSION_PODS ?? 60);
/** Pods of a round: half of the Deployment, the rest of Jobs, one of the DaemonSet. The node has room for 110. */
const podsOfRound = allPods > 300 ? 100 : 30;
const rounds = Math.ceil(allPods / podsOfRound);
/** Seconds that the webhook is away after the workloads were made: each round another. */
const lags = [30, 0, 12, 5, 21];

/** How long controllers may take after the webhook is back: they have doubled their pauses all along. */
const patience = 240;

describe("admission: enforced", function () {
  this.timeout(`${10 + rounds * 6}m`);
  this.bail(true);

  let shell: NodeJS.ProcessEnv;
  let stack: Awaited<ReturnType<typeof openStack>>;
  let image: string;
  let webhookUrl: string;

  const kubectl = async (...args: string[]) =>
    (await works(command("kubectl", ["--namespace", namespace, ...args], { env: shell }))).stdout;
  const json = async (...args: string[]) => JSON.parse(await kubectl(...args, "-o", "json"));
  const apply = (...items: object[]) =>
    works(
      command(
        "sh",
        [
          "-c",
          `kubectl apply --namespace ${namespace} -f - <<'EOF'\n${JSON.stringify({ apiVersion: "v1", kind: "List", items })}\nEOF`,
        ],
        { env: shell },
      ),
    );
  const webhook = "mutatingwebhookconfiguration/pod-identity-webhook";
  const urlPath = "/webhooks/0/clientConfig/url";
  const setWebhook = (url: string) =>
    kubectl(
      "patch",
      webhook,
      "--type=json",
      "-p",
      JSON.stringify([{ op: "replace", path: urlPath, value: url }]),
    );
  /** Whether a pod that were made now would be given its role. */
  const injects = async () => {
    const overrides = { apiVersion: "v1", spec: template("open", "probe").spec };
    const pod = await json(
      ...["run", "probe", "--image", image, "--dry-run=server", "--overrides", JSON.stringify(overrides)],
    );
    return has(pod, "AWS_ROLE_ARN");
  };
  const awaitWebhook = (there: boolean) =>
    until(`the API server has heard of the webhook that is ${there ? "back" : "away"}`, 60, async () =>
      (await injects()) === there ? true : undefined,
    );
  /** A port on which nobody listens: the API server goes on without the webhook, as on EKS. */
  const away = async () => {
    await setWebhook("https://127.0.0.1:9/mutate");
    await awaitWebhook(false);
  };
  const back = async () => {
    await setWebhook(webhookUrl);
    await awaitWebhook(true);
  };

  const policies = [listBuckets];
  const config = (identity?: "pod-identity"): ConfigInput => ({
    app: "none",
    cluster: { name: "eks-irsa", existing: true },
    bindings: [
      { namespace, serviceAccount: "guarded", policies, admission: "enforced" },
      { namespace, serviceAccount: "open", policies },
      ...(identity
        ? [{ namespace, serviceAccount: "associated", policies, identity, admission: "enforced" } as const]
        : []),
    ],
  });
  const open = async (identity?: "pod-identity") => {
    const state = running();
    stack = await openStack({
      stack: "admission",
      region,
      config: config(identity),
      env: { ...awsEnvironment(state), ...engineEnvironment(state) },
    });
  };

  /** The lister under a ServiceAccount. It is ready once it has listed with the role's credentials, and so is done. */
  const template = (serviceAccountName: string, app: string, more: object = {}) => ({
    metadata: { labels: { app } },
    spec: {
      serviceAccountName,
      automountServiceAccountToken: false,
      securityContext: podSecurityContext,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "lister",
          image,
          args: ["--interval=60s"],
          env: [
            { name: "AWS_REGION", value: region },
            { name: "AWS_EC2_METADATA_DISABLED", value: "true" },
          ],
          readinessProbe: { httpGet: { path: "/readyz", port: 8080 }, periodSeconds: 2 },
        },
      ],
      ...more,
    },
  });
  const deployment = (serviceAccount: string, name: string, replicas: number) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: template(serviceAccount, name),
    },
  });
  const daemonSet = (serviceAccount: string, name: string) => ({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, template: template(serviceAccount, name) },
  });
  function job(serviceAccount: string, name: string, completions: number) {
    const { metadata, spec } = template(serviceAccount, name, { restartPolicy: "Never" });
    const [container] = spec.containers;
    const once = { ...container, args: ["--once"], readinessProbe: undefined };
    return {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name },
      spec: {
        completions,
        parallelism: completions,
        backoffLimit: 0,
        template: { metadata, spec: { ...spec, containers: [once] } },
      },
    };
  }

  interface PodLike {
    metadata: { name: string };
    spec: { containers: { env?: { name: string }[] }[] };
    status: { phase: string; conditions?: { type: string; status: string }[] };
  }
  const podsOf = async (...apps: string[]): Promise<PodLike[]> =>
    (await json("get", "pods", "-l", `app in (${apps.join(",")})`)).items;
  const has = ({ spec }: PodLike, variable: string) =>
    spec.containers.every(({ env = [] }) => env.some(({ name }) => name === variable));
  const isReady = ({ status }: PodLike) =>
    (status.conditions ?? []).some((one) => one.type === "Ready" && one.status === "True");
  const clear = async (...names: string[]) => {
    await kubectl("delete", "deployments,daemonsets,jobs", ...names, "--ignore-not-found");
    await until("the pods are gone", 120, async () =>
      (await podsOf(...names)).length === 0 ? true : undefined,
    );
  };

  before(async () => {
    shell = await localUp();
    process.env.PATH = shell.PATH; // the Automation API looks for the engine there
    const lister = JSON.parse(
      (
        await works(
          command(
            "kubectl",
            ["get", "deployments", "-A", "-l", "app.kubernetes.io/name=s3-lister", "-o", "json"],
            { env: shell },
          ),
        )
      ).stdout,
    );
    image = lister.items[0].spec.template.spec.containers[0].image;
    await works(command("kubectl", ["create", "namespace", namespace], { env: shell }));
    webhookUrl = (await json("get", webhook)).webhooks[0].clientConfig.url;
    await open();
    await stack.up();
  });
  after(async () => {
    if (webhookUrl !== undefined) await setWebhook(webhookUrl);
    await command("kubectl", ["delete", "namespace", namespace, "--ignore-not-found"], { env: shell });
    if (stack !== undefined) {
      await stack.destroy();
      await stack.remove();
    }
  });

  it("is a policy whose expressions the API server takes, without a warning", async () => {
    const status = await until("the policy was looked at", 60, async () => {
      const { metadata, status } = await json(
        ...["get", "validatingadmissionpolicy", `eks-irsa.${namespace}.guarded`],
      );
      return status?.observedGeneration === metadata.generation ? status : undefined;
    });
    expect(status.typeChecking?.expressionWarnings ?? []).to.deep.equal([]);
    const { items } = await json("get", "validatingadmissionpolicies");
    const names = items.map((one: { metadata: { name: string } }) => one.metadata.name);
    expect(names).to.not.include(`eks-irsa.${namespace}.open`);
  });

  it("without it, a pod that the webhook was away for starts, and never gets credentials", async () => {
    await away();
    await apply(deployment("open", "unguarded", 5), job("open", "unguarded-job", 5));
    const admitted = await until("the pods are there", 60, async () => {
      const pods = await podsOf("unguarded", "unguarded-job");
      return pods.length > 5 ? pods : undefined;
    });
    await back();
    expect(
      admitted.filter((pod) => has(pod, "AWS_ROLE_ARN")).map(({ metadata }) => metadata.name),
    ).to.deep.equal([]);
    await until("the Jobs have failed", 120, async () => {
      const { status } = await json("get", "job", "unguarded-job");
      return (status.conditions ?? []).some(({ type }: { type: string }) => type === "Failed")
        ? true
        : undefined;
    });
    const after = await podsOf("unguarded");
    expect(after.map(({ metadata }) => metadata.name)).to.have.members(
      admitted.map(({ metadata }) => metadata.name).filter((name) => !name.includes("job")),
    );
    expect(after.filter(isReady)).to.deep.equal([]);
    await clear("unguarded", "unguarded-job");
  });

  for (let round = 0; round < rounds; round++) {
    const lag = lags[round % lags.length] ?? 0;
    it(`with it all of ${podsOfRound} pods get credentials, whose webhook comes ${lag} s late (${round + 1} of ${rounds})`, async () => {
      const replicas = podsOfRound / 2;
      const completions = podsOfRound - replicas - 1;
      const names = [`web-${round}`, `batch-${round}`, `each-${round}`] as const;
      const [web, batch, each] = names;
      if (lag > 0) await away();
      await apply(
        deployment("guarded", web, replicas),
        job("guarded", batch, completions),
        daemonSet("guarded", each),
      );
      await sleep(lag * 1000);
      if (lag > 0) {
        expect(await podsOf(...names), "pods before the webhook was back").to.deep.equal([]);
        const events = await kubectl("get", "events", "-o", "jsonpath={.items[*].message}");
        expect(events).to.contain("The pod identity webhook has not given it AWS_ROLE_ARN");
        await back();
      }
      await until(`all of round ${round + 1} have credentials`, patience, async () => {
        const [deployment, job, daemonSet] = await Promise.all([
          json("get", "deployment", web),
          json("get", "job", batch),
          json("get", "daemonset", each),
        ]);
        const done =
          deployment.status.readyReplicas === replicas &&
          job.status.succeeded === completions &&
          daemonSet.status.numberReady === daemonSet.status.desiredNumberScheduled &&
          daemonSet.status.numberReady > 0;
        return done ? true : undefined;
      });
      const pods = await podsOf(...names);
      expect(pods.length).to.be.at.least(podsOfRound);
      expect(pods.filter((pod) => !has(pod, "AWS_WEB_IDENTITY_TOKEN_FILE"))).to.deep.equal([]);
      await clear(...names);
    });
  }

  it("has pods wait for an association that takes effect some seconds after it was made", async () => {
    // Its pods are asked for before there is a ServiceAccount, or anything else of it.
    await apply(deployment("associated", "early", 3));
    await open("pod-identity");
    await stack.up();
    const pods = await until("the pods are admitted", patience, async () => {
      const pods = await podsOf("early");
      return pods.length === 3 ? pods : undefined;
    });
    expect(pods.filter((pod) => !has(pod, "AWS_CONTAINER_CREDENTIALS_FULL_URI"))).to.deep.equal([]);
    await clear("early");
  });

  it("goes with its binding", async () => {
    await stack.destroy();
    const { items } = await json("get", "validatingadmissionpolicies,validatingadmissionpolicybindings");
    const names = items.map((one: { metadata: { name: string } }) => one.metadata.name);
    expect(names.filter((name: string) => name.startsWith(`eks-irsa.${namespace}.`))).to.deep.equal([]);
  });
});
