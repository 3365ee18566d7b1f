import { Addon } from "@pulumi/aws/eks/addon.js";
import { getAddonVersionOutput } from "@pulumi/aws/eks/getAddonVersion.js";
import * as pulumi from "@pulumi/pulumi";

export interface VpcCniAddonArgs {
  readonly clusterName: pulumi.Input<string>;
  readonly clusterVersion: pulumi.Input<string>;
  readonly tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** What the real component sets where nothing is said, with the keys in the order in which it writes them. */
const configurationValues = JSON.stringify({
  env: {
    AWS_VPC_ENI_MTU: "9001",
    AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "false",
    AWS_VPC_K8S_CNI_EXTERNALSNAT: "false",
    AWS_VPC_K8S_CNI_LOGLEVEL: "DEBUG",
    AWS_VPC_K8S_CNI_LOG_FILE: "/host/var/log/aws-routed-eni/ipamd.log",
    AWS_VPC_K8S_CNI_VETHPREFIX: "eni",
    AWS_VPC_K8S_PLUGIN_LOG_FILE: "/var/log/aws-routed-eni/plugin.log",
    AWS_VPC_K8S_PLUGIN_LOG_LEVEL: "DEBUG",
    ENABLE_POD_ENI: "false",
    WARM_ENI_TARGET: "1",
  },
  init: { env: { DISABLE_TCP_EARLY_DEMUX: "false" } },
});

/** The VPC CNI as an add-on of EKS. */
export class VpcCniAddon extends pulumi.ComponentResource {
  readonly addon: Addon;

  constructor(name: string, args: VpcCniAddonArgs, opts: pulumi.ComponentResourceOptions) {
    super("eks:index:VpcCniAddon", name, {}, opts);
    const newest = getAddonVersionOutput(
      { addonName: "vpc-cni", kubernetesVersion: args.clusterVersion, mostRecent: true },
      { parent: this },
    );
    this.addon = new Addon(
      name,
      {
        clusterName: args.clusterName,
        addonName: "vpc-cni",
        addonVersion: newest.version,
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
        preserve: true,
        configurationValues,
        tags: args.tags,
      },
      { parent: this },
    );
    this.registerOutputs({ addon: this.addon });
  }
}
