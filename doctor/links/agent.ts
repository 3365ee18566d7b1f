import { disagreement, holds, type Link } from "../chain.ts";

const addonName = "eks-pod-identity-agent";

/**
 * The agent that gives credentials runs on the pod's node: as an add-on, installed otherwise, or as a part of EKS Auto
 * Mode. Source: "EKS Pod Identity considerations", EKS User Guide.
 */
export const agent: Link<"pod", never> = {
  id: "agent",
  title: "The Pod Identity agent runs on the pod's node",
  needs: ["pod"],
  gives: [],
  async examine({ pod }, { eks, kubernetes }, { cluster, region }) {
    const labels = pod.node === undefined ? undefined : await kubernetes.nodeLabels(pod.node);
    const compute = labels?.["eks.amazonaws.com/compute-type"];
    if (compute === "auto") return holds({}, `${pod.node} is EKS Auto Mode's, which has it built in`);
    if (compute === "fargate" || pod.windows) {
      return {
        state: "broken",
        cause: "agent-unsupported",
        what: `EKS Pod Identity works on Linux nodes on EC2 only, not ${pod.windows ? "in Windows pods" : "on Fargate"}.`,
        disagreement: disagreement("node", "Linux on EC2", "node of the pod", pod.node ?? "none yet"),
        mend: [],
        advice: ["Use IRSA for this ServiceAccount, or have the pod run on a Linux node on EC2."],
      };
    }
    const addon = await eks.addon(cluster, addonName);
    const agents = (await kubernetes.pods("kube-system")).filter(
      ({ labels }) => labels["app.kubernetes.io/name"] === addonName,
    );
    if (addon === undefined && agents.length === 0) {
      return {
        state: "broken",
        cause: "agent-missing",
        what: "The cluster has no EKS Pod Identity agent.",
        disagreement: disagreement("add-on", addonName, "agents in kube-system", "none"),
        mend: [`aws eks create-addon --region ${region} --cluster-name ${cluster} --addon-name ${addonName}`],
      };
    }
    const here = pod.node === undefined ? agents : agents.filter(({ node }) => node === pod.node);
    const running = here.find(({ phase }) => phase === "Running");
    const status = addon && `add-on ${addonName} is ${addon.status}`;
    if (running) return holds({}, `${running.name} on ${running.node}`, ...(status ? [status] : []));
    return {
      state: "broken",
      cause: "agent-not-running",
      what: `No EKS Pod Identity agent runs on the pod's node${status ? `; the ${status}` : ""}.`,
      disagreement: disagreement(
        "node of the pod",
        pod.node ?? "none yet",
        "agents",
        agents.map((one) => `${one.name} on ${one.node ?? "no node"}, ${one.phase}`).join("; ") || "none",
      ),
      mend: [],
      advice: [
        ...(addon?.issues ?? []),
        "The agent's DaemonSet must tolerate the node's taints, and the node must have room for it.",
      ],
      look: [`kubectl describe daemonset --namespace kube-system ${addonName}`],
    };
  },
};
