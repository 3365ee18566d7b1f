import * as sdk from "@aws-sdk/client-eks";
import type {
  PodIdentityAssociationArgs,
  PodIdentityAssociationState,
} from "@pulumi/aws/eks/podIdentityAssociation.js";
import type { Unwrap } from "@pulumi/pulumi";
import { sameJson } from "../../../provider-host/index.ts";
import {
  type AwsResourceType,
  cancellable,
  ignoreGone,
  orUndefined,
  tagOutputs,
  tagsProperty,
  tagsToSet,
  unlessEmpty,
} from "../common.ts";
import { changeTags } from "./common.ts";

/** What a pod gets by it, all of which can be changed. */
const effectOf = ({
  roleArn,
  targetRoleArn,
  disableSessionTags = false,
  policy,
}: Unwrap<PodIdentityAssociationArgs>) => ({ roleArn, targetRoleArn, disableSessionTags, policy });

export const podIdentityAssociation: AwsResourceType<
  Unwrap<PodIdentityAssociationArgs>,
  Unwrap<PodIdentityAssociationState>
> = {
  properties: {
    clusterName: { required: true, replace: true },
    namespace: { required: true, replace: true },
    serviceAccount: { required: true, replace: true },
    roleArn: { required: true },
    targetRoleArn: {},
    disableSessionTags: { default: false },
    policy: { equal: sameJson },
    tags: tagsProperty,
  },
  computed: ["associationArn", "associationId", "externalId"],
  volatile: ["externalId"],

  async create(inputs, context) {
    const { clusterName, namespace, serviceAccount } = inputs;
    const tags = unlessEmpty(tagsToSet(inputs.tags, context));
    const answer = await context.config.eks.send(
      new sdk.CreatePodIdentityAssociationCommand({
        clusterName,
        namespace,
        serviceAccount,
        ...effectOf(inputs),
        tags,
      }),
      cancellable(context),
    );
    return `${clusterName},${answer.association?.associationId}`;
  },

  async read(id, context, { inputs }) {
    const [clusterName, associationId] = id.split(",");
    const command = new sdk.DescribePodIdentityAssociationCommand({ clusterName, associationId });
    const live = (await orUndefined(context.config.eks.send(command, cancellable(context))))?.association;
    return (
      live && {
        associationArn: live.associationArn,
        associationId: live.associationId,
        clusterName: live.clusterName,
        namespace: live.namespace,
        serviceAccount: live.serviceAccount,
        roleArn: live.roleArn,
        targetRoleArn: live.targetRoleArn,
        disableSessionTags: live.disableSessionTags ?? false,
        policy: live.policy,
        externalId: live.externalId,
        ...tagOutputs(live.tags, inputs.tags, context),
      }
    );
  },

  async update(id, news, { changed, oldState }, context) {
    const [clusterName, associationId] = id.split(",");
    const effect = effectOf(news);
    if (Object.keys(effect).some((property) => changed.has(property))) {
      // As the real one sends it: what a program no longer says is not sent, and stays as it was.
      const command = new sdk.UpdatePodIdentityAssociationCommand({ clusterName, associationId, ...effect });
      await context.config.eks.send(command, cancellable(context));
    }
    await changeTags(oldState.associationArn, oldState.tagsAll, news.tags, context);
  },

  async delete(id, _, context) {
    const [clusterName, associationId] = id.split(",");
    const command = new sdk.DeletePodIdentityAssociationCommand({ clusterName, associationId });
    await ignoreGone(context.config.eks.send(command, cancellable(context)));
  },
};
