import {
  CreatePodIdentityAssociationCommand,
  DeleteAddonCommand,
  DeletePodIdentityAssociationCommand,
  EKSClient,
  ResourceNotFoundException,
  UpdatePodIdentityAssociationCommand,
} from "@aws-sdk/client-eks";
import { expect } from "chai";
import { awsConfig, podAdditions } from "../../components/pod-additions.ts";
import { listBuckets } from "../../iam/policies.ts";
import type { TrustPolicy, TrustStatement } from "../../iam/policy-document.ts";
import { podIdentityTrustPolicy } from "../../iam/trust-policy.ts";
import { region } from "../../local/run.ts";
import { type LivePatient, withPatient, workload } from "./patient.ts";
import { until } from "./tools.ts";

// The chains beside IRSA's own: EKS Pod Identity, and those that go on to a second role. Each cause is made on the live parts
// by breaking just that; the doctor has to name it, and what it says must mend it.

const { cluster, namespace, serviceAccount } = workload;

describe("the doctor, of other chains", function () {
  this.timeout("5m");

  let patient: LivePatient;
  withPatient(import.meta.filename, this, (one) => {
    patient = one;
  });

  /** A trust policy for all of the account, under these conditions. */
  const trustingTheAccount = (more: Partial<TrustStatement> = {}): TrustPolicy => ({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: patient.accountRoot }, ...more },
    ],
  });

  it("a chain of EKS Pod Identity, to the agent, which is no pod on local", async () => {
    const eks = new EKSClient({ region });
    const [statement] = podIdentityTrustPolicy([{ namespace, serviceAccount }]).Statement;
    const trustBoth = (more: Partial<TrustStatement> = {}) =>
      patient.trust({
        ...patient.trustPolicy,
        Statement: [...patient.trustPolicy.Statement, { ...(statement as TrustStatement), ...more }],
      });
    const healthyByPodIdentity = async () => {
      expect((await patient.healthy()).chain).to.equal("pod-identity");
    };
    // EKS takes no association with a role whose trust is broken already.
    await trustBoth();
    const { association } = await eks.send(
      new CreatePodIdentityAssociationCommand({
        clusterName: cluster,
        namespace,
        serviceAccount,
        roleArn: patient.roleArn,
      }),
    );
    const which = { clusterName: cluster, associationId: association?.associationId };
    try {
      // The pod of before has its web identity, which SDKs take first, for the same role: so workloads move over.
      expect((await patient.healthy()).chain).to.equal("irsa");
      await until("the webhook knows the association", 60, async () => {
        await patient.remakePod();
        return (await patient.look()).chain === "pod-identity" || undefined;
      });
      await trustBoth({ Action: "sts:AssumeRole" });
      await patient.runMend(await patient.finds("trust-tag-session"));
      // Without its tags a session is told from no other, and the role asks for them.
      await eks.send(new UpdatePodIdentityAssociationCommand({ ...which, disableSessionTags: true }));
      await patient.runMend(await patient.finds("trust-condition"));
      expect((await patient.look()).chain).to.equal("pod-identity");
      await patient.runMend(await patient.finds("agent-missing"));
      // The add-on is EKS's to run, and nobody does here: a pod stands for it, which is no more than seen.
      await patient.finds("agent-not-running");
      const labels = { "app.kubernetes.io/name": "eks-pod-identity-agent" };
      await patient.apply({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "agent", namespace: "kube-system", labels },
        spec: { terminationGracePeriodSeconds: 0, containers: [patient.container({ name: "agent" })] },
      });
      await patient.run("kubectl wait -n kube-system pod/agent --for=jsonpath={.status.phase}=Running");
      await healthyByPodIdentity();
      const env = [
        { name: "AWS_ROLE_ARN", value: `${patient.roleArn}-other` },
        { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: "/elsewhere" },
      ];
      await patient.deploy({ containers: [patient.container({ env })] });
      const first = await patient.finds("web-identity-first");
      expect(first.what).to.contain("which SDKs take before the agent's");
      await patient.runMend(first);
      await patient.rolledOut();
      await healthyByPodIdentity();
    } finally {
      await patient.run("kubectl delete -n kube-system pod/agent --ignore-not-found");
      await patient.undeploy();
      await eks
        .send(new DeleteAddonCommand({ clusterName: cluster, addonName: "eks-pod-identity-agent" }))
        .catch((error) => {
          if (!(error instanceof ResourceNotFoundException)) throw error;
        });
      await eks.send(new DeletePodIdentityAssociationCommand(which));
      await patient.trust(patient.trustPolicy);
    }
    await until("the webhook knows that the association is gone", 60, async () => {
      await patient.remakePod();
      return (await patient.look()).state === "healthy" || undefined;
    });
  });

  it("what a pod is told to go on to, by an AWS profile: both hops", async () => {
    const name = "patient-chained";
    // MiniStack does not know the pod's role by its session, since it has a path: so it is the account that is trusted.
    const asking = trustingTheAccount({ Condition: { StringEquals: { "sts:ExternalId": "reports" } } });
    const target = await patient.createRole(name, asking);
    await patient.putPolicy("list", listBuckets.document, name);
    await patient.putPolicy("next", {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: target }],
    });
    const { roleArn } = patient;
    const configured = async (externalId?: string) => {
      const config = awsConfig({ roleArn, target, externalId });
      const metadata = { name: config.name, namespace };
      await patient.apply({ apiVersion: "v1", kind: "ConfigMap", metadata, data: config.data });
      const { env, volumeMounts, volumes } = podAdditions({ roleArn, configMap: config.name }) ?? {};
      // These are values, which types that Pulumi's outputs fit into do not tell.
      const containers = [patient.container({ env, volumeMounts } as object)];
      await patient.remakePod({ containers, volumes } as object);
    };
    try {
      await configured("reports");
      const { links } = await patient.healthy();
      const ids = links.map(({ id }) => id);
      expect(ids).to.include.members(["profile", "target-role", "target-trust", "target-sts", "permissions"]);
      expect(JSON.stringify(links)).to.contain(`assumed-role/${name}/`);
      await configured();
      await patient.finds("trust-condition");
    } finally {
      await patient.remakePod();
      await patient.deletePolicy("next");
      await patient.deleteRole(name);
    }
    await patient.healthy();
  });

  it("a role that the workload goes on to assume, which its own policies have to allow", async () => {
    const name = "patient-next";
    const assumeRole = await patient.createRole(name, trustingTheAccount());
    try {
      await patient.runMend(await patient.finds("may-not-assume", { assumeRole }));
      await patient.mended(await patient.finds("not-allowed", { assumeRole }), { assumeRole });
    } finally {
      await patient.deleteRole(name);
    }
    await patient.deletePolicy("sts-AssumeRole");
    await patient.healthy();
  });
});
