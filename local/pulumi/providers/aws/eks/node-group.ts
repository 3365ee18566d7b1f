import * as sdk from "@aws-sdk/client-eks";
import type { NodeGroupArgs, NodeGroupState } from "@pulumi/aws/eks/nodeGroup.js";
import type { Unwrap } from "@pulumi/pulumi";
import { sameSet } from "../../../provider-host/index.ts";
import {
  type AwsContext,
  type AwsResourceType,
  cancellable,
  ignoreGone,
  orUndefined,
  waitUntil,
} from "../calls.ts";
import { type Named, nameProperty, refuseEmpty } from "../property-rules.ts";
import { tagOutputs, tagsProperty, tagsToSet, unlessEmpty } from "../resource-tags.ts";
import { partsOf } from "./composite-id.ts";
import { changeTags } from "./eks-tags.ts";
import { waitUntilActive } from "./health.ts";

/** What EKS takes for a group that names none, whatever its instance types. */
const defaultAmiType = "AL2023_x86_64_STANDARD";

/** EKS takes at most so many. Source: `instanceTypes`, CreateNodegroup, EKS API reference. */
const refuseManyTypes = (value: unknown): string | undefined =>
  Array.isArray(value) && value.length > 20
    ? `at most 20 instance types, there are ${value.length}`
    : undefined;

/** Whether an instance type is a Graviton: `a1`, or a `g` behind the generation, as in `t4g.medium` and `im4gn.large`. */
const isArm = (instanceType: string): boolean => /^(a1|[a-z]+\d+[a-z]*g[a-z]*)\./.test(instanceType);

/**
 * Refuses what EKS refuses when it makes the group, and MiniStack takes.
 *
 * @throws Error in EKS's words.
 */
function checkArchitectures(amiType: string, instanceTypes: readonly string[] = ["t3.medium"]): void {
  if (amiType === "CUSTOM") return;
  const arm = amiType.includes("ARM_64");
  const wrong = instanceTypes.filter((type) => isArm(type) !== arm);
  if (wrong.length > 0) {
    throw Object.assign(
      new Error(`[${wrong.join(", ")}] is not a valid instance type for requested amiType ${amiType}`),
      { name: "InvalidParameterException" },
    );
  }
}

export const nodeGroup: AwsResourceType<
  Named<Unwrap<NodeGroupArgs>, "nodeGroupName">,
  Unwrap<NodeGroupState>
> = {
  properties: {
    clusterName: { required: true, replace: true },
    nodeGroupName: nameProperty(63),
    nodeGroupNamePrefix: { replace: true },
    nodeRoleArn: { required: true, replace: true },
    subnetIds: { required: true, replace: true, equal: sameSet, refuse: refuseEmpty },
    scalingConfig: { required: true, members: { minSize: {}, maxSize: {}, desiredSize: {} } },
    updateConfig: { members: { maxUnavailable: {}, maxUnavailablePercentage: {} } },
    instanceTypes: { replace: true, default: ["t3.medium"], refuse: refuseManyTypes },
    capacityType: { replace: true, default: "ON_DEMAND" },
    amiType: { replace: true, default: defaultAmiType },
    diskSize: { replace: true },
    labels: {},
    launchTemplate: { members: { id: { replace: true }, name: { replace: true }, version: {} } },
    version: {},
    releaseVersion: {},
    tags: tagsProperty,
  },
  computed: ["arn", "status", "resources", "version", "releaseVersion"],

  async create(inputs, context) {
    const { clusterName, nodeGroupName } = inputs;
    checkArchitectures(inputs.amiType ?? defaultAmiType, inputs.instanceTypes);
    await context.config.eks.send(
      new sdk.CreateNodegroupCommand({
        clusterName,
        nodegroupName: nodeGroupName,
        nodeRole: inputs.nodeRoleArn,
        subnets: inputs.subnetIds,
        scalingConfig: inputs.scalingConfig,
        updateConfig: inputs.updateConfig as sdk.NodegroupUpdateConfig | undefined,
        instanceTypes: inputs.instanceTypes,
        capacityType: inputs.capacityType as sdk.CapacityTypes | undefined,
        amiType: inputs.amiType as sdk.AMITypes | undefined,
        diskSize: inputs.diskSize,
        labels: inputs.labels,
        launchTemplate: inputs.launchTemplate,
        version: inputs.version,
        releaseVersion: inputs.releaseVersion,
        tags: unlessEmpty(tagsToSet(inputs.tags, context)),
      }),
      cancellable(context),
    );
    await nodeGroupIsActive(clusterName, nodeGroupName, context);
    return `${clusterName}:${nodeGroupName}`;
  },

  async read(id, context, { inputs }) {
    const [clusterName, nodegroupName] = partsOf(id, ":");
    const live = await describeNodeGroup(clusterName, nodegroupName, context);
    if (live === undefined || live.status === "DELETING") return undefined;
    return {
      arn: live.nodegroupArn,
      clusterName,
      nodeGroupName: live.nodegroupName,
      nodeRoleArn: live.nodeRole,
      subnetIds: live.subnets,
      scalingConfig: live.scalingConfig && {
        minSize: live.scalingConfig.minSize ?? 0,
        maxSize: live.scalingConfig.maxSize ?? 0,
        desiredSize: live.scalingConfig.desiredSize ?? 0,
      },
      instanceTypes: live.instanceTypes,
      capacityType: live.capacityType,
      amiType: live.amiType,
      diskSize: live.diskSize,
      labels: live.labels ?? {},
      ...(live.launchTemplate && {
        launchTemplate: { ...live.launchTemplate, version: live.launchTemplate.version ?? "" },
      }),
      version: live.version,
      releaseVersion: live.releaseVersion,
      status: live.status,
      region: context.config.region,
      resources: [
        {
          autoscalingGroups: (live.resources?.autoScalingGroups ?? []).map(({ name }) => ({
            name: name ?? "",
          })),
          remoteAccessSecurityGroupId: live.resources?.remoteAccessSecurityGroup ?? "",
        },
      ],
      ...tagOutputs(live.tags, inputs.tags, context),
    };
  },

  async update(id, news, { changed, oldInputs, oldState }, context) {
    const { eks } = context.config;
    const [clusterName, nodegroupName] = partsOf(id, ":");
    if (["version", "releaseVersion", "launchTemplate"].some((key) => changed.has(key))) {
      await eks.send(
        new sdk.UpdateNodegroupVersionCommand({
          clusterName,
          nodegroupName,
          version: news.version,
          releaseVersion: news.releaseVersion,
          launchTemplate: news.launchTemplate,
        }),
        cancellable(context),
      );
      await nodeGroupIsActive(clusterName, nodegroupName, context);
    }
    if (["scalingConfig", "updateConfig", "labels"].some((key) => changed.has(key))) {
      const labels = news.labels ?? {};
      await eks.send(
        new sdk.UpdateNodegroupConfigCommand({
          clusterName,
          nodegroupName,
          scalingConfig: news.scalingConfig,
          updateConfig: news.updateConfig as sdk.NodegroupUpdateConfig | undefined,
          labels: {
            addOrUpdateLabels: labels,
            removeLabels: Object.keys(oldInputs.labels ?? {}).filter((key) => !(key in labels)),
          },
        }),
        cancellable(context),
      );
      await nodeGroupIsActive(clusterName, nodegroupName, context);
    }
    await changeTags(oldState.arn, oldState.tagsAll, news.tags, context);
  },

  async delete(id, _, context) {
    const [clusterName, nodegroupName] = partsOf(id, ":");
    const command = new sdk.DeleteNodegroupCommand({ clusterName, nodegroupName });
    await ignoreGone(context.config.eks.send(command, cancellable(context)));
    await waitUntil(`the node group ${nodegroupName} is gone`, context, 60 * 60, async () => {
      return (await describeNodeGroup(clusterName, nodegroupName, context)) === undefined;
    });
  },
};

const describeNodeGroup = async (clusterName: string, nodegroupName: string, context: AwsContext) =>
  (
    await orUndefined(
      context.config.eks.send(
        new sdk.DescribeNodegroupCommand({ clusterName, nodegroupName }),
        cancellable(context),
      ),
    )
  )?.nodegroup;

const nodeGroupIsActive = (clusterName: string, name: string, context: AwsContext): Promise<void> =>
  waitUntilActive(`the node group ${name}`, context, 60 * 60, () =>
    describeNodeGroup(clusterName, name, context),
  );
