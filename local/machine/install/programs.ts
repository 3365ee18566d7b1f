import type { GoProgram } from "./go.ts";

/** Release of the Pulumi engine. The same stands in tools/engine/go.mod and, as the SDK's, in package.json. */
const engineVersion = "v3.259.0";

/** The Pulumi CLI, which is the engine. */
export const pulumiProgram: GoProgram = {
  name: "pulumi",
  module: "tools/engine",
  package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  define: [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${engineVersion}`],
};

/** Release of Kubernetes. The same stands in tools/kubernetes/go.mod. */
export const kubernetesVersion = "v1.34.4";

const [major, minor] = kubernetesVersion.slice(1).split(".") as [string, string];

/** Kubernetes: all its components in one binary. */
export const kubernetesProgram: GoProgram = {
  name: "kube",
  module: "tools/kubernetes",
  package: ".",
  define: [
    `k8s.io/component-base/version.gitVersion=${kubernetesVersion}`,
    `k8s.io/component-base/version.gitMajor=${major}`,
    `k8s.io/component-base/version.gitMinor=${minor}`,
  ],
  aliases: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"],
};

/** The first process of every pod. */
export const pauseProgram: GoProgram = { name: "pause", module: "tools/pause", package: "." };
