import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { V1Container, V1PodSpec } from "@kubernetes/client-node";
import { expect } from "chai";
import { tokenFolder } from "../../components/pod-additions.ts";
import type { Broken } from "../../doctor/chain.ts";
import { roleAnnotation } from "../../doctor/links/mend.ts";
import { stsAudience } from "../../iam/trust-policy.ts";
import { region } from "../../local/run.ts";
import { type LivePatient, withPatient, workload } from "./patient.ts";
import { command, until } from "./tools.ts";

// The pods of the chain of IRSA, alone and as a Deployment makes them: each cause is made on the live parts by breaking just
// that; the doctor has to name it, and what it says must mend it.

const { namespace, serviceAccount } = workload;

describe("the doctor, of pods", function () {
  this.timeout("5m");

  let patient: LivePatient;
  withPatient(import.meta.filename, this, (one) => {
    patient = one;
  });

  const env = (variables: Readonly<Record<string, string>>) =>
    Object.entries(variables).map(([name, value]) => ({ name, value }));
  const withEnv = (variables: Readonly<Record<string, string>>): Partial<V1PodSpec> => ({
    containers: [patient.container({ env: env(variables) })],
  });
  /** A token in the webhook's place, which leaves it as it is. */
  const withToken = (audience: string, defaultMode?: number): Partial<V1PodSpec> => {
    const serviceAccountToken = { path: "token", audience, expirationSeconds: 3600 };
    return {
      volumes: [{ name: "aws-iam-token", projected: { defaultMode, sources: [{ serviceAccountToken }] } }],
    };
  };
  /** Beside a first container: in one pod, no two listen on one port. */
  const beside = (name: string, more: Partial<V1Container> = {}): V1Container =>
    patient.container({ name, args: ["--interval=5s", "--listen=:8081"], ...more });
  /** A token that is only its owner's, and so root's: the kubelet gives it to a user where all containers run as that one. */
  const unreadable = (): Partial<V1PodSpec> => {
    const as = (user: number) => ({ securityContext: { runAsUser: user, runAsGroup: user } });
    return {
      securityContext: {},
      containers: [patient.container(as(65532)), beside("other", as(65531))],
      ...withToken(stsAudience, 0o400),
    };
  };

  describe("that nothing makes anew", () => {
    afterEach(async () => {
      await patient.remakePod();
      await patient.healthy();
    });

    /** Deletes it, and does what the doctor says beside: applies its manifest again. */
    const remade = async (finding: Broken): Promise<void> => {
      await patient.runMend(finding);
      await patient.apply(patient.pod());
    };

    it("a pod under another ServiceAccount", async () => {
      await patient.remakePod({ serviceAccountName: "default" });
      const finding = await patient.finds("pod-service-account");
      expect(finding.disagreement?.found.value).to.contain("patient under default");
    });

    it("the webhook away, and away when the pod was made", async () => {
      const webhook = "mutatingwebhookconfiguration pod-identity-webhook";
      const { metadata, ...rest } = JSON.parse(await patient.run(`kubectl get ${webhook} -o json`));
      await patient.run(`kubectl delete ${webhook}`);
      await patient.remakePod();
      try {
        await patient.finds("webhook-missing");
      } finally {
        await patient.apply({ ...rest, metadata: { name: metadata.name } });
      }
      await remade(await patient.finds("not-injected"));
      await patient.healthy();
    });

    it("a pod older than the annotation, and one with the role of before", async () => {
      await patient.run(
        `kubectl annotate serviceaccount -n ${namespace} ${serviceAccount} ${roleAnnotation}-`,
      );
      await patient.remakePod();
      const pod = JSON.parse(await patient.run(`kubectl get pod -n ${namespace} patient -o json`));
      // Kubernetes keeps whole seconds.
      const laterSecond = Date.parse(pod.metadata.creationTimestamp) + 1000;
      await until("a second after the pod's", 5, async () => Date.now() >= laterSecond || undefined);
      // Of a field that was written otherwise, this API server does not keep the time.
      await patient.applyServerSide(patient.serviceAccount({ [roleAnnotation]: patient.roleArn }));
      await patient.runMend(await patient.finds("pod-older"));
      await patient.annotate(`${patient.roleArn}-before`);
      await patient.apply(patient.pod());
      await patient.annotate(patient.roleArn);
      const before = await patient.finds("pod-other-role");
      expect(before.advice?.join()).to.contain("Where its manifest sets AWS_ROLE_ARN");
      await remade(before);
      await patient.healthy();
    });

    it("a pod that is left alone, one with keys of its own, one that looks elsewhere for its token", async () => {
      await patient.remakePod({}, { annotations: { "eks.amazonaws.com/skip-containers": "app" } });
      await patient.finds("pod-skipped");
      const keys = { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" };
      await patient.remakePod(withEnv(keys));
      await patient.finds("own-keys");
      const metadata = { name: "keys", namespace };
      await patient.apply({ apiVersion: "v1", kind: "Secret", metadata, stringData: keys });
      const envFrom = [{ secretRef: { name: metadata.name } }];
      await patient.remakePod({ containers: [patient.container({ envFrom })] });
      expect((await patient.finds("own-keys")).what).to.contain("from the Secret keys");
      await patient.remakePod(
        withEnv({ AWS_WEB_IDENTITY_TOKEN_FILE: "/elsewhere", AWS_ROLE_ARN: patient.roleArn }),
      );
      await patient.finds("token-file");
    });

    it("one container of two that is left alone", async () => {
      await patient.remakePod(
        { containers: [patient.container(), beside("sidecar")] },
        { annotations: { "eks.amazonaws.com/skip-containers": "app" } },
      );
      expect((await patient.finds("pod-skipped")).what).to.contain("The container app");
      await patient.healthy({ containers: ["sidecar"] });
    });

    it("a token that the container's user cannot read", async () => {
      await patient.remakePod(unreadable());
      const finding = await patient.finds("token-unreadable");
      expect(finding.advice?.[0]).to.contain("fsGroup: 65532");
      // What the pod itself says to it: the doctor's rule is the kubelet's.
      const log = await until("the pod's own word", 60, async () => {
        const words = ["logs", "-n", namespace, "patient", "-c", "app"];
        const { stdout } = await command("kubectl", words, { env: patient.shell });
        return stdout.includes("permission denied") ? stdout : undefined;
      });
      expect(log).to.contain("cannot read the web identity token");
    });

    it("a token for another audience", async () => {
      const audience = "https://kubernetes.default.svc";
      await patient.remakePod(withToken(audience));
      const finding = await patient.finds("token-audience");
      expect(finding.disagreement?.found.value).to.equal(audience);
    });

    it("an SDK that is too old to know web identity", async () => {
      const old = `${patient.image.replace(/@.*$/, "")}:old-sdk`;
      const layer = join(patient.folder, "image");
      const sdk = "usr/lib/python3/dist-packages/botocore-1.12.100.dist-info";
      mkdirSync(join(layer, sdk), { recursive: true });
      writeFileSync(join(layer, sdk, "METADATA"), "Name: botocore\n");
      await patient.run(`tar -C ${layer} -c . | docker import - ${old} && docker push ${old}`);
      await patient.remakePod({ containers: [{ name: "app", image: old, command: ["/none"] }] });
      const finding = await patient.finds("sdk-too-old");
      expect(finding.disagreement).to.deep.equal({
        wanted: { name: "first version that does", value: "1.12.200" },
        found: { name: `/${sdk}`, value: "1.12.100" },
      });
    });
  });

  describe("of a Deployment", () => {
    after(async () => {
      await patient.undeploy();
    });

    const rolledAndHealthy = async (finding: Broken): Promise<void> => {
      await patient.runMend(finding);
      await patient.rolledOut();
      await patient.healthy();
    };

    it("whose template sets a part of what the webhook gives, or all of it for another role", async () => {
      await patient.deploy(withEnv({ AWS_ROLE_ARN: patient.roleArn }));
      await rolledAndHealthy(await patient.finds("own-variables"));
      const AWS_WEB_IDENTITY_TOKEN_FILE = `${tokenFolder}/token`;
      await patient.deploy(withEnv({ AWS_ROLE_ARN: `${patient.roleArn}-2`, AWS_WEB_IDENTITY_TOKEN_FILE }));
      await rolledAndHealthy(await patient.finds("pod-other-role"));
    });

    it("of before its ServiceAccount had the role: a restart, also where the template has nothing to take out", async () => {
      await patient.annotate(`${patient.roleArn}-before`);
      await patient.deploy();
      await patient.run(`kubectl rollout restart -n ${namespace} deployment/patient`);
      await patient.rolledOut();
      await patient.annotate(patient.roleArn);
      await rolledAndHealthy(await patient.finds("pod-other-role"));
    });

    it("under another ServiceAccount", async () => {
      // Without a role the webhook gives no region either, and the lister ends without one.
      await patient.deploy({ serviceAccountName: "default", ...withEnv({ AWS_REGION: region }) });
      await rolledAndHealthy(await patient.finds("pod-service-account"));
    });

    it("with a second user who cannot read the token", async () => {
      await patient.deploy(unreadable());
      await rolledAndHealthy(await patient.finds("token-unreadable"));
    });
  });
});
