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
    tags: tagsProperty,
  },
  computed: ["associationArn", "associationId"],

  async create(inputs, context) {
    const { clusterName, namespace, serviceAccount, roleArn } = inputs;
    const tags = unlessEmpty(tagsToSet(inputs.tags, context));
    const answer = await context.config.eks.send(
      new sdk.CreatePodIdentityAssociationCommand({ clusterName, namespace, serviceAccount, roleArn, tags }),
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
        ...tagOutputs(live.tags, inputs.tags, context),
      }
    );
  },

  async update(id, { roleArn, tags }, { changed, oldState }, context) {
    const [clusterName, associationId] = partsOf(id, ",");
    if (changed.has("roleArn")) {
      const command = new sdk.UpdatePodIdentityAssociationCommand({ clusterName, associationId, roleArn });
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
