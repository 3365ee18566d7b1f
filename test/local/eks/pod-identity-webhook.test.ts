import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { V1Container, V1Pod, V1ServiceAccount } from "@kubernetes/client-node";
import { expect } from "chai";
import {
  type JsonPatchOperation,
  mutate,
  startWebhook,
  webhookConfiguration,
} from "../../../local/eks/pod-identity-webhook.ts";
import { createPki, type Pki } from "../../../local/kubernetes/pki.ts";

const role = "arn:aws:iam::111122223333:role/app";
const domain = "eks.amazonaws.com";
const irsaMount = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
const agentMount = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";

describe("the pod identity webhook", () => {
  let folder: string;
  let pki: Pki;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-webhook-"));
    pki = await createPki({ folder, apiServerNames: [], nodeAddress: "127.0.0.1", nodeName: "n" });
  });
  after(() => rmSync(folder, { recursive: true }));

  const settings = { region: "eu-west-1", extraEnv: {}, random: () => 0.5 };
  const account = (more: Record<string, string> = {}): V1ServiceAccount => ({
    metadata: { annotations: { [`${domain}/role-arn`]: role, ...annotations(more) } },
  });
  const annotations = (short: Record<string, string>) =>
    Object.fromEntries(Object.entries(short).map(([name, value]) => [`${domain}/${name}`, value]));
  const pod = (container: object = {}, more: Record<string, string> = {}, spec: object = {}): V1Pod => ({
    metadata: { annotations: annotations(more) },
    spec: { serviceAccountName: "app", containers: [{ name: "app", ...container }], ...spec },
  });
  const irsa = (of: V1Pod, serviceAccount: V1ServiceAccount | undefined = account()) =>
    mutate(of, { serviceAccount, associated: false }, settings);
  const podIdentity = (of: V1Pod, serviceAccount: V1ServiceAccount | undefined = { metadata: {} }) =>
    mutate(of, { serviceAccount, associated: true }, settings);

  const at = <T>(patch: JsonPatchOperation[], path: string) =>
    patch.find((one) => one.path === path)?.value as T | undefined;
  const containers = (patch: JsonPatchOperation[]) => at<V1Container[]>(patch, "/spec/containers") ?? [];
  const tokenOf = (patch: JsonPatchOperation[]) => {
    const [volume] = at<Volume[]>(patch, "/spec/volumes") ?? [at<Volume>(patch, "/spec/volumes/0")];
    return volume?.projected.sources[0]?.serviceAccountToken;
  };
  const envOf = (patch: JsonPatchOperation[], index = 0) =>
    Object.fromEntries((containers(patch)[index]?.env ?? []).map(({ name, value }) => [name, value]));
  const env = (...names: string[]) => ({ env: names.map((name) => ({ name, value: "own" })) });

  describe("for IRSA", () => {
    it("gives a pod the token, and the environment that SDKs look for", () => {
      const patch = irsa(pod());
      expect(tokenOf(patch)).to.deep.equal({
        path: "token",
        audience: "sts.amazonaws.com",
        expirationSeconds: 86_400,
      });
      expect(containers(patch)[0]?.env).to.deep.equal([
        { name: "AWS_STS_REGIONAL_ENDPOINTS", value: "regional" },
        { name: "AWS_DEFAULT_REGION", value: "eu-west-1" },
        { name: "AWS_REGION", value: "eu-west-1" },
        { name: "AWS_ROLE_ARN", value: role },
        { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: `${irsaMount}/token` },
      ]);
      expect(containers(patch)[0]?.volumeMounts).to.deep.equal([
        { name: "aws-iam-token", mountPath: irsaMount, readOnly: true },
      ]);
    });

    it("changes nothing without a role, or without the ServiceAccount", () => {
      expect(irsa(pod(), { metadata: {} })).to.deep.equal([]);
      expect(irsa(pod(), account({ "role-arn": "" }))).to.deep.equal([]);
      expect(mutate(pod(), { serviceAccount: undefined, associated: false }, settings)).to.deep.equal([]);
    });

    it("follows the annotations of ServiceAccount and pod, the pod's first", () => {
      const asked = account({
        audience: "vault",
        "token-expiration": "7200",
        "sts-regional-endpoints": "false",
      });
      const patch = irsa(pod(), asked);
      expect(tokenOf(patch)).to.deep.include({ audience: "vault", expirationSeconds: 7200 });
      expect(envOf(patch)).not.to.have.any.keys("AWS_STS_REGIONAL_ENDPOINTS");
      const seconds = (text: string) => tokenOf(irsa(pod({}, { "token-expiration": text }), asked));
      expect(seconds("3600")).to.deep.include({ expirationSeconds: 3600 });
      expect(seconds("soon"), "the pod's is no number").to.deep.include({ expirationSeconds: 7200 });
    });

    it("reads a number of seconds as Go does, and asks for no token shorter than Kubernetes gives", () => {
      const seconds = (text: string) => tokenOf(irsa(pod(), account({ "token-expiration": text })));
      for (const [text, expirationSeconds] of [
        ["60", 600],
        ["-5", 600],
        ["+7200", 7200],
        ["0900", 900],
        ...["soon", "", "1e4", "0x1000", " 900", "7200.0", "99999999999999999999"].map(
          (none) => [none, 86_400] as const,
        ),
      ] as const) {
        expect(seconds(text), `"${text}"`).to.deep.include({ expirationSeconds });
      }
    });

    it("reads sts-regional-endpoints as Go does; what is no boolean leaves the webhook's own default", () => {
      const regional = (text: string) =>
        "AWS_STS_REGIONAL_ENDPOINTS" in envOf(irsa(pod(), account({ "sts-regional-endpoints": text })));
      for (const text of ["true", "1", "T", "TRUE", "maybe", "yes", ""])
        expect(regional(text), text).to.equal(true);
      for (const text of ["false", "0", "f", "FALSE"]) expect(regional(text), text).to.equal(false);
    });

    it("puts its volume before the pod's own", () => {
      const patch = irsa(pod({}, {}, { volumes: [{ name: "data", emptyDir: {} }] }));
      expect(at<Volume>(patch, "/spec/volumes/0")?.name).to.equal("aws-iam-token");
    });

    it("mounts at the same place twice for nobody", () => {
      const mounted = { volumeMounts: [{ name: "aws-iam-token", mountPath: "/mine" }] };
      const patch = irsa(pod(mounted, {}, { volumes: [{ name: "aws-iam-token", emptyDir: {} }] }));
      expect(containers(patch)[0]?.volumeMounts).to.deep.equal(mounted.volumeMounts);
      expect(tokenOf(patch)).to.equal(undefined);
    });

    it("injects into init containers too", () => {
      const patch = irsa(pod({}, {}, { initContainers: [{ name: "init" }] }));
      const [init] = at<V1Container[]>(patch, "/spec/initContainers") ?? [];
      expect(init?.env?.map(({ name }) => name)).to.include("AWS_ROLE_ARN");
    });

    it("adds what this machine needs beside, and nothing that the container sets", () => {
      const extraEnv = {
        AWS_ENDPOINT_URL: "http://10.244.0.1:1",
        AWS_ENDPOINT_URL_STS: "http://10.244.0.1:1",
      };
      const of = (container: object) =>
        envOf(
          mutate(pod(container), { serviceAccount: account(), associated: false }, { ...settings, extraEnv }),
        );
      expect(of({})).to.include(extraEnv);
      expect(of(env("AWS_ENDPOINT_URL"))).to.include({
        AWS_ENDPOINT_URL: "own",
        AWS_ENDPOINT_URL_STS: extraEnv.AWS_ENDPOINT_URL_STS,
      });
    });
  });

  // Six kinds in which an earlier version differed from the real one, of 322 admissions side by side.
  describe("does as the real one where", () => {
    it("a container sets a region: neither of the two is injected", () => {
      expect(envOf(irsa(pod(env("AWS_REGION"))))).to.include({ AWS_REGION: "own" });
      expect(envOf(irsa(pod(env("AWS_REGION"))))).not.to.have.any.keys("AWS_DEFAULT_REGION");
      expect(envOf(irsa(pod(env("AWS_DEFAULT_REGION"))))).not.to.have.any.keys("AWS_REGION");
    });

    it("a container sets role or token: both are left alone, region and endpoints come", () => {
      for (const name of ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"]) {
        expect(envOf(irsa(pod(env(name)))), name).to.deep.equal({
          [name]: "own",
          AWS_STS_REGIONAL_ENDPOINTS: "regional",
          AWS_DEFAULT_REGION: "eu-west-1",
          AWS_REGION: "eu-west-1",
        });
      }
    });

    it("a container sets something of each: it is not even given the mount", () => {
      const complete = env("AWS_ROLE_ARN", "AWS_REGION", "AWS_STS_REGIONAL_ENDPOINTS");
      expect(containers(irsa(pod(complete)))).to.deep.equal([{ name: "app", ...complete }]);
    });

    it("a pod is for Windows: the variable has Windows' path, the mount stays", () => {
      for (const label of ["kubernetes.io/os", "beta.kubernetes.io/os"]) {
        const patch = irsa(pod({}, {}, { nodeSelector: { [label]: "windows" } }));
        expect(envOf(patch).AWS_WEB_IDENTITY_TOKEN_FILE, label).to.equal(
          "C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token",
        );
        expect(containers(patch)[0]?.volumeMounts?.[0]?.mountPath).to.equal(irsaMount);
      }
    });

    it("skip-containers is a record of CSV: white space belongs to a name", () => {
      const skips = (text: string, name = "app") =>
        envOf(irsa(pod({ name }, { "skip-containers": text }))).AWS_ROLE_ARN === undefined;
      for (const text of ["app", "b,app", '"app",b', "app,", "\n\napp", "app\r", "app\r\nb"])
        expect(skips(text), text).to.equal(true);
      for (const text of [" b , app ", "", "b\napp", 'ap"p,app', '"app', '"app"x'])
        expect(skips(text), text).to.equal(false);
      expect(skips('"a""b"', 'a"b')).to.equal(true);
    });

    it("a pod has no containers: the volume comes all the same", () => {
      const patch = irsa(pod({}, {}, { containers: [] }));
      expect(tokenOf(patch)).to.include({ audience: "sts.amazonaws.com" });
      expect(containers(patch)).to.deep.equal([]);
    });
  });

  describe("for EKS Pod Identity", () => {
    it("gives a pod the agent's address and a token for it, and marks it", () => {
      const patch = podIdentity(pod());
      expect(tokenOf(patch)).to.deep.equal({
        path: "eks-pod-identity-token",
        audience: "pods.eks.amazonaws.com",
        expirationSeconds: 82_800,
      });
      expect(envOf(patch)).to.deep.equal({
        AWS_STS_REGIONAL_ENDPOINTS: "regional",
        AWS_DEFAULT_REGION: "eu-west-1",
        AWS_REGION: "eu-west-1",
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: `${agentMount}/eks-pod-identity-token`,
      });
      expect(containers(patch)[0]?.volumeMounts).to.deep.equal([
        { name: "eks-pod-identity-token", readOnly: true, mountPath: agentMount },
      ]);
      expect(at(patch, "/metadata/labels")).to.deep.equal({ "eks.amazonaws.com/pod-identity": "enabled" });
      const labelled = { ...pod(), metadata: { labels: { app: "x" } } };
      expect(at(podIdentity(labelled), "/metadata/labels/eks.amazonaws.com~1pod-identity")).to.equal(
        "enabled",
      );
    });

    it("comes before IRSA where a ServiceAccount has both", () => {
      const patch = podIdentity(pod(), account({ audience: "vault", "token-expiration": "3600" }));
      expect(envOf(patch)).not.to.have.any.keys("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE");
      expect(tokenOf(patch)).to.include({ audience: "pods.eks.amazonaws.com", expirationSeconds: 3600 });
    });

    it("spreads the default lifetime, and no other, over 22 to 24 hours", () => {
      const seconds = (random: number) =>
        tokenOf(
          mutate(
            pod(),
            { serviceAccount: account(), associated: true },
            { ...settings, random: () => random },
          ),
        )?.expirationSeconds;
      expect([seconds(0), seconds(1 - Number.EPSILON)]).to.deep.equal([79_200, 86_400]);
    });

    it("leaves a container its own agent, and gives it a region", () => {
      const own = env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
      expect(envOf(podIdentity(pod(own)))).not.to.have.any.keys("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
      expect(envOf(podIdentity(pod(own)))).to.include({ AWS_REGION: "eu-west-1" });
      expect(envOf(podIdentity(pod(env("AWS_ROLE_ARN"))))).to.include.keys(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
      );
    });

    it("has Windows' path on Windows", () => {
      const patch = podIdentity(pod({}, {}, { nodeSelector: { "kubernetes.io/os": "windows" } }));
      expect(envOf(patch).AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE).to.match(
        /^C:\\var\\run\\secrets\\pods\.eks/,
      );
    });

    it("works without the ServiceAccount, but for the default of STS's endpoints", () => {
      const patch = mutate(pod(), { serviceAccount: undefined, associated: true }, settings);
      expect(envOf(patch)).to.include.keys("AWS_CONTAINER_CREDENTIALS_FULL_URI");
      expect(envOf(patch)).not.to.have.any.keys("AWS_STS_REGIONAL_ENDPOINTS");
    });
  });

  describe("as a server", () => {
    const review = (namespace: string) =>
      JSON.stringify({ request: { uid: "u-1", namespace, object: pod() } });
    const post = async (url: string, body: string) => {
      const asked = request(url, { method: "POST", ca: pki.ca.certificate });
      asked.end(body);
      const [response] = await once(asked, "response");
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      return { status: response.statusCode as number, text };
    };
    const serve = async (asked: string[], failing = false) =>
      startWebhook({
        ...settings,
        host: "127.0.0.1",
        port: 0,
        tls: pki.services,
        serviceAccount: async (namespace, name) => {
          if (failing) throw new Error("no API server");
          asked.push(`${namespace}/${name}`);
          return account();
        },
        associated: async (namespace) => namespace === "associated",
        log: () => undefined,
      });

    it("answers a review by the ServiceAccount and the associations of the pod's namespace", async () => {
      const asked: string[] = [];
      const webhook = await serve(asked);
      const patchFor = async (namespace: string) => {
        const { response } = JSON.parse((await post(webhook.url, review(namespace))).text);
        expect(response).to.include({ uid: "u-1", allowed: true, patchType: "JSONPatch" });
        return Buffer.from(response.patch, "base64").toString();
      };
      expect(await patchFor("team-a")).to.contain("AWS_ROLE_ARN");
      expect(await patchFor("associated")).to.contain("AWS_CONTAINER_CREDENTIALS_FULL_URI");
      expect(asked).to.deep.equal(["team-a/app", "associated/app"]);
      await webhook.close();
    });

    it("says what went wrong, and changes nothing", async () => {
      const webhook = await serve([], true);
      expect(await post(webhook.url, review("team-a"))).to.deep.equal({ status: 500, text: "no API server" });
      await webhook.close();
    });
  });

  it("is registered with its CA, or not at all, and not for pods that ask to be skipped", () => {
    const { certificate } = pki.ca;
    const [webhook] = webhookConfiguration("https://127.0.0.1:1/mutate", certificate).webhooks ?? [];
    expect(webhook?.clientConfig.caBundle).to.equal(Buffer.from(certificate).toString("base64"));
    expect(webhook?.objectSelector?.matchExpressions).to.deep.equal([
      { key: "eks.amazonaws.com/skip-pod-identity-webhook", operator: "DoesNotExist" },
    ]);
    expect(() => webhookConfiguration("https://127.0.0.1:1/mutate", "")).to.throw(/needs its CA/);
  });
});

interface Volume {
  name: string;
  projected: { sources: { serviceAccountToken: { audience: string; expirationSeconds: number } }[] };
}
