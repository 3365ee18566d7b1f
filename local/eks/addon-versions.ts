import { jsonReply } from "../aws/reply.ts";
import type { EksOptions, Routes } from "./api.ts";

/**
 * The newest version of each add-on that pulumi-eks and this project ask for, which MiniStack 1.5.33 does not serve. `%` is
 * the Kubernetes version.
 */
const newest: Readonly<Record<string, string>> = {
  coredns: "v1.12.4-eksbuild.1",
  "eks-pod-identity-agent": "v1.3.9-eksbuild.3",
  "kube-proxy": "v%.1-eksbuild.2",
  "vpc-cni": "v1.20.4-eksbuild.1",
};

/** DescribeAddonVersions: one version of each add-on, for one version of Kubernetes. */
export const addonVersionRoutes = ({ kubernetes }: EksOptions): Routes => ({
  "GET /addons/supported-versions": async ({ query, forward }) => {
    // MiniStack looks who asks before it says that it has no such call.
    const reply = await forward();
    if (reply.status === 403) return reply;
    const clusterVersion = query.get("kubernetesVersion") ?? kubernetes.version;
    const asked = query.get("addonName");
    return jsonReply({
      addons: Object.entries(newest)
        .filter(([addonName]) => asked === null || asked === addonName)
        .map(([addonName, version]) => ({
          addonName,
          type: "networking",
          owner: "aws",
          addonVersions: [
            {
              addonVersion: version.replace("%", clusterVersion),
              compatibilities: [{ clusterVersion, platformVersions: ["*"], defaultVersion: true }],
            },
          ],
        })),
    });
  },
});
