import * as sdk from "@aws-sdk/client-eks";
import type { AddonArgs, AddonState } from "@pulumi/aws/eks/addon.js";
import type { Unwrap } from "@pulumi/pulumi";
import { sameJson } from "../../../provider-host/index.ts";
import {
  type AwsContext,
  type AwsResourceType,
  cancellable,
  ignoreGone,
  orUndefined,
  waitUntil,
} from "../calls.ts";
import { keptWhereNoneIsGiven } from "../property-rules.ts";
import { tagOutputs, tagsProperty, tagsToSet, unlessEmpty } from "../resource-tags.ts";
import { partsOf } from "./composite-id.ts";
import { changeTags } from "./eks-tags.ts";
import { waitUntilActive } from "./health.ts";

export const addon: AwsResourceType<Unwrap<AddonArgs>, Unwrap<AddonState>> = {
  properties: {
    clusterName: { required: true, replace: true },
    addonName: { required: true, replace: true },
    addonVersion: { equal: keptWhereNoneIsGiven },
    configurationValues: {
      equal: (olds, news) => keptWhereNoneIsGiven(olds, news) || sameJson(olds, news),
    },
    serviceAccountRoleArn: {},
    preserve: {},
    resolveConflictsOnCreate: {},
    resolveConflictsOnUpdate: {},
    tags: tagsProperty,
  },
  computed: ["arn", "addonVersion", "configurationValues", "createdAt", "modifiedAt"],
  volatile: ["modifiedAt"],

  async create(inputs, context) {
    const { clusterName, addonName } = inputs;
    await context.config.eks.send(
      new sdk.CreateAddonCommand({
        clusterName,
        addonName,
        addonVersion: inputs.addonVersion,
        configurationValues: inputs.configurationValues,
        serviceAccountRoleArn: inputs.serviceAccountRoleArn,
        resolveConflicts: inputs.resolveConflictsOnCreate as sdk.ResolveConflicts | undefined,
        tags: unlessEmpty(tagsToSet(inputs.tags, context)),
      }),
      cancellable(context),
    );
    await addonIsActive(clusterName, addonName, context);
    return `${clusterName}:${addonName}`;
  },

  async read(id, context, { inputs }) {
    const [clusterName, addonName] = partsOf(id, ":");
    const live = await describeAddon(clusterName, addonName, context);
    if (live === undefined || live.status === "DELETING") return undefined;
    return {
      arn: live.addonArn,
      clusterName,
      addonName,
      addonVersion: live.addonVersion,
      configurationValues: live.configurationValues,
      serviceAccountRoleArn: live.serviceAccountRoleArn,
      createdAt: live.createdAt?.toISOString(),
      modifiedAt: live.modifiedAt?.toISOString(),
      ...tagOutputs(live.tags, inputs.tags, context),
    };
  },

  async update(id, news, { changed, oldState }, context) {
    const [clusterName, addonName] = partsOf(id, ":");
    if (["addonVersion", "configurationValues", "serviceAccountRoleArn"].some((key) => changed.has(key))) {
      await context.config.eks.send(
        new sdk.UpdateAddonCommand({
          clusterName,
          addonName,
          addonVersion: news.addonVersion,
          configurationValues: news.configurationValues,
          serviceAccountRoleArn: news.serviceAccountRoleArn,
          resolveConflicts: news.resolveConflictsOnUpdate as sdk.ResolveConflicts | undefined,
        }),
        cancellable(context),
      );
      await addonIsActive(clusterName, addonName, context);
    }
    await changeTags(oldState.arn, oldState.tagsAll, news.tags, context);
  },

  async delete(id, state, context) {
    const [clusterName, addonName] = partsOf(id, ":");
    const command = new sdk.DeleteAddonCommand({ clusterName, addonName, preserve: state.preserve });
    await ignoreGone(context.config.eks.send(command, cancellable(context)));
    await waitUntil(`the add-on ${addonName} is gone`, context, 40 * 60, async () => {
      return (await describeAddon(clusterName, addonName, context)) === undefined;
    });
  },
};

const describeAddon = async (clusterName: string, addonName: string, context: AwsContext) =>
  (
    await orUndefined(
      context.config.eks.send(new sdk.DescribeAddonCommand({ clusterName, addonName }), cancellable(context)),
    )
  )?.addon;

const addonIsActive = (clusterName: string, addonName: string, context: AwsContext): Promise<void> =>
  waitUntilActive(`the add-on ${addonName}`, context, 20 * 60, () =>
    describeAddon(clusterName, addonName, context),
  );
