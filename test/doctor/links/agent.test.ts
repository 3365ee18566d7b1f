import { expect } from "chai";
import type { Addon, Pod } from "../../../doctor/world.ts";
import { agentPod, associated, brokenOf, cause, findingOf, look, podOfAssociation } from "../captured.ts";

const cluster = (
  agents: Pod[],
  addon: Addon | undefined,
  labels: Record<string, string> = {},
  pod: Pod = podOfAssociation,
) => {
  const { eks, kubernetes, ...rest } = associated();
  return {
    ...rest,
    eks: { ...eks, addon: async () => addon },
    kubernetes: {
      ...kubernetes,
      nodeLabels: async () => labels,
      pods: async (namespace: string) => (namespace === "kube-system" ? agents : [pod]),
    },
  };
};
const active: Addon = { status: "ACTIVE", issues: [] };

describe("the doctor's link agent", () => {
  it("names a cluster without the agent, and has it added", async () => {
    const broken = brokenOf(await look(cluster([], undefined)));
    expect(broken).to.include({ cause: "agent-missing" });
    expect(broken.mend).to.deep.equal([
      "aws eks create-addon --region eu-central-1 --cluster-name dev --addon-name eks-pod-identity-agent",
    ]);
  });

  it("names an agent that runs on other nodes, or not at all", async () => {
    const elsewhere = brokenOf(await look(cluster([{ ...agentPod, node: "node-b" }], active)));
    expect(elsewhere).to.include({ cause: "agent-not-running" });
    expect(elsewhere.disagreement?.found.value).to.contain("on node-b, Running");
    const degraded = { status: "DEGRADED", issues: ["InsufficientNumberOfReplicas: none"] };
    const failing = brokenOf(await look(cluster([{ ...agentPod, phase: "Pending" }], degraded)));
    expect(failing.advice?.[0]).to.equal("InsufficientNumberOfReplicas: none");
  });

  it("takes an agent that no add-on installed, and EKS Auto Mode's nodes without any", async () => {
    expect((await look(cluster([agentPod], undefined))).state).to.equal("healthy");
    const auto = await look(cluster([], undefined, { "eks.amazonaws.com/compute-type": "auto" }));
    expect(auto.state).to.equal("healthy");
    expect(JSON.stringify(findingOf(auto, "agent"))).to.contain("Auto Mode");
  });

  it("names nodes on which EKS Pod Identity does not work", async () => {
    const fargate = { "eks.amazonaws.com/compute-type": "fargate" };
    expect(await cause(cluster([agentPod], active, fargate))).to.equal("agent-unsupported");
    expect(await cause(cluster([agentPod], active, {}, { ...podOfAssociation, windows: true }))).to.equal(
      "agent-unsupported",
    );
  });
});
