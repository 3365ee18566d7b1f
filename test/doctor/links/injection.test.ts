import { expect } from "chai";
import type { Container, Pod } from "../../../doctor/world.ts";
import {
  associated,
  brokenOf,
  cause,
  container,
  findingOf,
  look,
  pod,
  podOfAssociation,
  roleArn,
  unseenOf,
  withContainers,
  withPod,
} from "../captured.ts";

const bare: Partial<Container> = { env: {} };

describe("the doctor's link injection", () => {
  it("judges each container, init containers too, and names them all", async () => {
    const finding = findingOf(await look(withContainers({ name: "init" }, { name: "app" })), "injection");
    expect(finding).to.deep.equal({
      state: "holds",
      evidence: ["init", "app"].map(
        (name) => `${name}: AWS_ROLE_ARN, ${container.env.AWS_WEB_IDENTITY_TOKEN_FILE}`,
      ),
    });
    const broken = brokenOf(await look(withContainers({ name: "init", ...bare }, { name: "app" })));
    expect(broken.what).to.contain("The container init has neither token nor role");
  });

  it("takes a container for given that goes on to a second role by a profile, with the variable empty", async () => {
    const env = { ...container.env, AWS_WEB_IDENTITY_TOKEN_FILE: "", AWS_PROFILE: "chained" };
    const diagnosis = await look(withContainers({ env }));
    expect(findingOf(diagnosis, "injection")).to.deep.equal({
      state: "holds",
      evidence: [`${container.name}: AWS_ROLE_ARN, the profile chained`],
    });
    expect(await cause(withContainers({ env: { ...env, AWS_PROFILE: "" } }))).to.equal("token-file");
  });

  it("names the container that skip-containers leaves out beside one that has its role", async () => {
    const change = withPod({
      annotations: { "eks.amazonaws.com/skip-containers": "app" },
      containers: [
        { ...container, ...bare },
        { ...container, name: "sidecar" },
      ],
    });
    const broken = brokenOf(await look(change));
    expect(broken).to.include({ cause: "pod-skipped" });
    expect(broken.what).to.contain("The container app");
    expect(broken.advice?.join()).to.contain("--container sidecar");
    expect((await look(change, { containers: ["sidecar"] })).state).to.equal("healthy");
  });

  it("takes the annotation's names as the webhook does: with white space they match nothing", async () => {
    const annotations = { "eks.amazonaws.com/skip-containers": "other, app" };
    expect(await cause(withPod({ annotations, containers: [{ ...container, ...bare }] }))).to.equal(
      "not-injected",
    );
  });

  it("names a second container with another role", async () => {
    const env = { ...container.env, AWS_ROLE_ARN: `${roleArn}-2` };
    const broken = brokenOf(await look(withContainers({}, { name: "other", env })));
    expect(broken).to.include({ cause: "pod-other-role" });
    expect(broken.disagreement?.found).to.deep.equal({
      name: "AWS_ROLE_ARN in other",
      value: `${roleArn}-2`,
    });
    expect(broken.evidence?.[0]).to.contain("app: AWS_ROLE_ARN");
  });

  describe("of a pod that was not given them", () => {
    const without = (change: Partial<Pod> = {}) =>
      withPod({ ...change, containers: [{ ...container, ...bare }] });
    const since = (annotated: Date) => async () => ({
      annotations: { "eks.amazonaws.com/role-arn": roleArn },
      annotated,
    });
    const later = since(new Date(pod.created.getTime() + 1000));

    it("tells the webhook away, the pod older, and else that it was not injected", async () => {
      const { kubernetes } = without();
      expect(await cause({ kubernetes: { ...kubernetes, podIdentityWebhook: async () => false } })).to.equal(
        "webhook-missing",
      );
      const older = brokenOf(await look({ kubernetes: { ...kubernetes, serviceAccount: later } }));
      expect(older).to.include({ cause: "pod-older" });
      expect(older.mend).to.deep.equal(["kubectl rollout restart --namespace team-a deployment/reader"]);
      expect(await cause({ kubernetes })).to.equal("not-injected");
    });

    it("says of a pod that somebody made that nothing makes it anew", async () => {
      const broken = brokenOf(await look(without({ owner: undefined })));
      expect(broken.mend).to.deep.equal([`kubectl delete pod --namespace team-a ${pod.name}`]);
      expect(broken.advice?.[0]).to.contain("Nothing makes this pod anew");
    });

    it("cannot tell of the next pod by one that has ended", async () => {
      const diagnosis = await look(without({ phase: "Succeeded" }));
      expect(diagnosis.state).to.equal("unseen");
      expect(unseenOf(diagnosis, "injection").takes).to.contain("A pod that runs");
    });
  });

  describe("of a container with keys of its own", () => {
    const from = (
      source: Container["envSources"][number],
      keys: readonly string[] | "absent" | undefined,
    ) => {
      const { kubernetes } = withContainers({ envSources: [source] });
      return { kubernetes: { ...kubernetes, keysOf: async () => keys } };
    };
    const all = { kind: "Secret", name: "aws", optional: false, prefix: "" } as const;
    const one = {
      kind: "Secret",
      name: "aws",
      optional: true,
      variable: "AWS_ACCESS_KEY_ID",
      key: "id",
    } as const;

    it("names those that stand in the pod, come by envFrom, or by one key", async () => {
      const env = { ...container.env, AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" };
      expect(await cause(withContainers({ env }))).to.equal("own-keys");
      const secret = brokenOf(await look(from(all, ["AWS_ACCESS_KEY_ID"])));
      expect(secret).to.include({ cause: "own-keys" });
      expect(secret.what).to.contain("from the Secret aws");
      expect(await cause(from({ ...all, prefix: "AWS_" }, ["ACCESS_KEY_ID"]))).to.equal("own-keys");
      expect(await cause(from(one, ["id"]))).to.equal("own-keys");
    });

    it("is healthy where an optional Secret is not there, has no such key, or the variable is empty", async () => {
      for (const change of [
        from(one, "absent"),
        from(one, ["other"]),
        from(all, ["DATABASE_URL"]),
        withContainers({ env: { ...container.env, AWS_ACCESS_KEY_ID: "" } }),
      ]) {
        expect((await look(change)).state).to.equal("healthy");
      }
    });

    it("says which Secret was not looked into, and still looks at the rest", async () => {
      const diagnosis = await look(from(all, undefined));
      expect(diagnosis.state).to.equal("unseen");
      expect(unseenOf(diagnosis, "injection").why).to.contain("Not looked into").and.to.contain("Secret aws");
      expect(findingOf(diagnosis, "sts").state).to.equal("holds");
    });
  });

  describe("with an association", () => {
    const [own] = podOfAssociation.containers;
    const withEnv = (env: Record<string, string>) => {
      const { kubernetes, ...rest } = associated();
      const pods = kubernetes?.pods;
      if (!own || !pods) throw new Error("The captured association has no pod.");
      return {
        ...rest,
        kubernetes: {
          ...kubernetes,
          pods: async (namespace: string) =>
            namespace === "kube-system"
              ? pods(namespace)
              : [{ ...podOfAssociation, containers: [{ ...own, env: { ...own.env, ...env } }] }],
        },
      };
    };

    it("names a web identity token that SDKs take first, and an address that is not there", async () => {
      expect(await cause(withEnv({ AWS_WEB_IDENTITY_TOKEN_FILE: "/token" }))).to.equal("web-identity-first");
      expect(await cause(withEnv({ AWS_CONTAINER_CREDENTIALS_FULL_URI: "" }))).to.equal("own-variables");
    });

    it("names a pod of before the association", async () => {
      const { kubernetes, eks, ...rest } = associated();
      const created = new Date(pod.created.getTime() + 1000);
      const broken = brokenOf(
        await look({
          ...rest,
          eks: { ...eks, association: async () => ({ id: "a-1", roleArn, sessionTags: true, created }) },
          kubernetes: {
            ...kubernetes,
            pods: async (namespace) => {
              const found = (await kubernetes?.pods?.(namespace)) ?? [];
              return namespace === "kube-system" ? found : [pod];
            },
          },
        }),
      );
      expect(broken).to.include({ cause: "pod-older" });
    });
  });
});
