import * as sdk from "@aws-sdk/client-eks";
import type {
  PodIdentityAssociationArgs,
  PodIdentityAssociationState,
} from "@pulumi/aws/eks/podIdentityAssociation.js";
import type { Unwrap } from "@pulumi/pulumi";
import { type AwsResourceType, cancellable, ignoreGone, orUndefined } from "../calls.ts";
import { tagOutputs, tagsProperty, tagsToSet, unlessEmpty } from "../resource-tags.ts";
import { partsOf } from "./composite-id.ts";
import { changeTags } from "./eks-tags.ts";

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
    disableSessionTags: {},
    policy: {},
    tags: tagsProperty,
  },
  computed: ["associationArn", "associationId", "externalId"],
  volatile: ["externalId"],

  async create(inputs, context) {
    const tags = unlessEmpty(tagsToSet(inputs.tags, context));
    const { clusterName } = inputs;
    const answer = await context.config.eks.send(
      new sdk.CreatePodIdentityAssociationCommand({ ...inputs, tags }),
      cancellable(context),
    );
    return `${clusterName},${answer.association?.associationId}`;
  },

  async read(id, context, { inputs }) {
    const [clusterName, associationId] = partsOf(id, ",");
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
        // EKS says false where nothing was said.
        disableSessionTags: live.disableSessionTags || inputs.disableSessionTags,
        policy: live.policy,
        externalId: live.externalId,
        ...tagOutputs(live.tags, inputs.tags, context),
      }
    );
  },

  async update(id, inputs, { changed, oldState }, context) {
    const [clusterName, associationId] = partsOf(id, ",");
    const { roleArn, targetRoleArn, disableSessionTags, policy, tags } = inputs;
    // What is left out stays as it is; an empty text takes it away.
    const change = {
      ...(changed.has("roleArn") && { roleArn }),
      ...(changed.has("targetRoleArn") && { targetRoleArn: targetRoleArn ?? "" }),
      ...(changed.has("disableSessionTags") && { disableSessionTags: disableSessionTags ?? false }),
      ...(changed.has("policy") && { policy: policy ?? "" }),
    };
    if (Object.keys(change).length > 0) {
      const command = new sdk.UpdatePodIdentityAssociationCommand({ clusterName, associationId, ...change });
      await context.config.eks.send(command, cancellable(context));
    }
    await changeTags(oldState.associationArn, oldState.tagsAll, tags, context);
  },

  async delete(id, _, context) {
    const [clusterName, associationId] = partsOf(id, ",");
    const command = new sdk.DeletePodIdentityAssociationCommand({ clusterName, associationId });
    await ignoreGone(context.config.eks.send(command, cancellable(context)));
  },
};
