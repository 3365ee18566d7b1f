import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { project } from "../paths.ts";
import type { GoProgram } from "./go.ts";
import type { Plugin } from "./pulumi.ts";

// What is built here, each in the version that its module below tools/ pins.

/** The version of a module that a `go.mod` of this project pins. */
function pinned(module: string, path: string): string {
  const text = readFileSync(join(project, module, "go.mod"), "utf8");
  const version = new RegExp(`^\\s*(?:require )?${path.replaceAll(".", "\\.")} (v\\S+)`, "m").exec(text)?.[1];
  if (version === undefined) throw new Error(`${module}/go.mod does not name ${path}.`);
  return version;
}

/** Release of the Pulumi engine. */
export const engineVersion = pinned("tools/engine", "github.com/pulumi/pulumi/pkg/v3");

/** The Pulumi CLI, which is the engine. */
export const pulumiProgram: GoProgram = {
  name: "pulumi",
  module: "tools/engine",
  package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  define: [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${engineVersion}`],
  versions: [{ name: "pulumi", args: ["version"], prints: engineVersion }],
};

/**
 * Runs programs in YAML; a release of Pulumi has it beside the CLI. In the module of the provider: the SDK of both is older
 * than the engine's, and does not build with it.
 */
export const yamlProgram: GoProgram = {
  name: "pulumi-language-yaml",
  module: "tools/kubernetes",
  package: "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
  define: [
    `github.com/pulumi/pulumi-yaml/pkg/version.Version=${pinned("tools/kubernetes", "github.com/pulumi/pulumi-yaml")}`,
  ],
};

/** Release of Kubernetes. */
export const kubernetesVersion = pinned("tools/kubernetes", "k8s.io/kubernetes");

const [major, minor] = kubernetesVersion.slice(1).split(".") as [string, string];

const components = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"] as const;

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
  aliases: [...components, "kubectl"],
  versions: [
    ...components.map((name) => ({ name, args: ["--version"], prints: `Kubernetes ${kubernetesVersion}` })),
    { name: "kubectl", args: ["version", "--client"], prints: `Client Version: ${kubernetesVersion}` },
  ],
};

/** Pulumi's Kubernetes provider, in the version of the npm package: the engine asks for the plugin of that version. */
export const kubernetesProvider: Plugin = {
  name: "kubernetes",
  version: createRequire(import.meta.url)("@pulumi/kubernetes/package.json").version,
};

const providerModule = "github.com/pulumi/pulumi-kubernetes/provider/v4";

/**
 * Pulumi's Kubernetes provider, for machines where its release cannot be had: the same packages under its own name, so that
 * it costs one more link. Not in the components' binary, where each of them would initialise its packages too, 50 MB a
 * process; and in a folder of its own, since the engine warns of plugins on the search path.
 */
export const kubernetesProviderProgram: GoProgram = {
  name: "provider/pulumi-resource-kubernetes",
  module: "tools/kubernetes",
  package: ".",
  tags: ["provider"],
  define: [`${providerModule}/pkg/version.Version=${kubernetesProvider.version}`],
  embed: {
    folder: "embed",
    module: providerModule,
    files: [
      "cmd/pulumi-resource-kubernetes/schema.json",
      "cmd/pulumi-resource-kubernetes/terraform-mapping.json",
    ],
  },
};

/** The first process of every pod. */
export const pauseProgram: GoProgram = { name: "pause", module: "tools/pause", package: "." };
