import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { V1Pod } from "@kubernetes/client-node";
import { expect } from "chai";
import { kubernetesWorld, toPod } from "../../doctor/kubernetes.ts";

const pod = (spec: object, metadata: object = {}, status: object = {}): V1Pod =>
  ({
    metadata: { name: "p", creationTimestamp: new Date("2026-11-24T10:00:00Z"), ...metadata },
    spec: { containers: [{ name: "app", image: "app:1" }], ...spec },
    status,
  }) as V1Pod;

describe("Kubernetes as the doctor sees it", () => {
  it("has init containers first, each with its own user or the pod's", () => {
    const { containers } = toPod(
      pod({
        securityContext: { runAsUser: 1000 },
        initContainers: [{ name: "init", image: "init:1", securityContext: { runAsUser: 0 } }],
      }),
    );
    expect(containers.map(({ name, user }) => `${name} ${user}`)).to.deep.equal(["init 0", "app 1000"]);
  });

  it("tells values that stand in the pod from those that come from elsewhere", () => {
    const env = [
      { name: "A", value: "a" },
      { name: "EMPTY" },
      { name: "KEY", valueFrom: { secretKeyRef: { name: "s", key: "k", optional: true } } },
      { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
    ];
    const envFrom = [{ prefix: "AWS_", configMapRef: { name: "c" } }];
    const [container] = toPod(
      pod({ containers: [{ name: "app", image: "app:1", env, envFrom }] }),
    ).containers;
    expect(container?.env).to.deep.equal({ A: "a", EMPTY: "", NODE: "(of the node)" });
    expect(container?.envSources).to.deep.equal([
      { kind: "Secret", name: "s", optional: true, variable: "KEY", key: "k" },
      { kind: "ConfigMap", name: "c", optional: false, prefix: "AWS_" },
    ]);
  });

  it("knows a Deployment behind its ReplicaSet, and a pod that nothing makes", () => {
    const ownerReferences = [{ kind: "ReplicaSet", name: "web-5d9c", controller: true }];
    const labels = { "pod-template-hash": "5d9c" };
    expect(toPod(pod({}, { ownerReferences, labels })).owner).to.deep.include({
      kind: "deployment",
      name: "web",
    });
    expect(toPod(pod({})).owner).to.equal(undefined);
  });

  it("knows a Windows pod by its operating system or its node selector", () => {
    for (const spec of [
      { os: { name: "windows" } },
      { nodeSelector: { "kubernetes.io/os": "windows" } },
      { nodeSelector: { "beta.kubernetes.io/os": "windows" } },
    ]) {
      expect(toPod(pod(spec)).windows).to.equal(true);
    }
    expect(toPod(pod({})).windows).to.equal(false);
  });

  describe("over its API", () => {
    let server: Server;
    let answers: Record<string, [code: number, body: object]>;
    const world = () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return kubernetesWorld(
        JSON.stringify({
          apiVersion: "v1",
          kind: "Config",
          clusters: [
            {
              name: "c",
              cluster: {
                server: url,
                "certificate-authority-data": "Q0E=",
                "insecure-skip-tls-verify": true,
              },
            },
          ],
          users: [{ name: "u", user: {} }],
          contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
          "current-context": "x",
        }),
      );
    };
    const status = (message: string): object => ({ kind: "Status", message });

    before((done) => {
      server = createServer((request, response) => {
        const [code, body] = answers[request.url ?? ""] ?? [404, status(`${request.url} not found`)];
        response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
      }).listen(0, "127.0.0.1", done);
    });
    after((done) => {
      server.close(done);
      server.closeAllConnections();
    });
    beforeEach(() => {
      answers = {};
    });

    it("gives the kubeconfig's CA", () => {
      expect(world().certificateAuthority).to.equal("Q0E=");
    });

    it("gives the names of a Secret's keys, and tells what is not there from what it may not see", async () => {
      const path = "/api/v1/namespaces/a/secrets/";
      answers[`${path}there`] = [200, { data: { AWS_ACCESS_KEY_ID: "QUtJQQ==" } }];
      answers[`${path}hidden`] = [403, status("forbidden")];
      const keys = (name: string) => world().keysOf("Secret", "a", name);
      expect(await keys("there")).to.deep.equal(["AWS_ACCESS_KEY_ID"]);
      expect(await keys("hidden")).to.equal(undefined);
      expect(await keys("gone")).to.equal("absent");
    });

    it("gives an entry of a ConfigMap, and tells one that is not there from one that it may not see", async () => {
      const path = "/api/v1/namespaces/a/configmaps/";
      answers[`${path}there`] = [200, { data: { config: "[default]" } }];
      answers[`${path}hidden`] = [403, status("forbidden")];
      const entry = (name: string, key = "config") => world().configMapEntry("a", name, key);
      expect(await entry("there")).to.deep.equal({ text: "[default]" });
      expect(await entry("there", "other")).to.deep.equal({});
      expect(await entry("gone")).to.deep.equal({});
      expect(await entry("hidden")).to.equal(undefined);
    });

    it("tells a namespace that is not there from one that it may not see", async () => {
      answers["/api/v1/namespaces/a"] = [200, { metadata: { name: "a" } }];
      answers["/api/v1/namespaces/b"] = [403, status("forbidden")];
      const there = await Promise.all(["a", "b", "c"].map((name) => world().hasNamespace(name)));
      expect(there).to.deep.equal([true, undefined, false]);
    });

    it("finds what makes pods, each under its ServiceAccount", async () => {
      const template = { spec: { serviceAccountName: "reader", containers: [] } };
      const list = (...items: object[]): [number, object] => [200, { items }];
      for (const kind of ["deployments", "statefulsets", "daemonsets"]) {
        answers[`/apis/apps/v1/namespaces/a/${kind}`] = list();
      }
      answers["/apis/apps/v1/namespaces/a/deployments"] = list({
        metadata: { name: "web" },
        spec: { template },
      });
      answers["/apis/batch/v1/namespaces/a/jobs"] = list();
      answers["/apis/batch/v1/namespaces/a/cronjobs"] = list({
        metadata: { name: "nightly" },
        spec: { jobTemplate: { spec: { template: { spec: { containers: [] } } } } },
      });
      expect(await world().workloads("a")).to.deep.equal([
        { kind: "deployment", name: "web", serviceAccount: "reader" },
        { kind: "cronjob", name: "nightly", serviceAccount: "default" },
      ]);
    });

    it("says in the API server's words what it refuses", async () => {
      answers["/api/v1/namespaces/a/pods"] = [403, status('pods is forbidden: User "x"')];
      const why = await world()
        .pods("a")
        .catch((error: Error) => error.message);
      expect(why).to.equal('Kubernetes: pods is forbidden: User "x"');
    });
  });
});
