import * as sdk from "@aws-sdk/client-eks";
import type { AccessEntryArgs, AccessEntryState } from "@pulumi/aws/eks/accessEntry.js";
import type {
  AccessPolicyAssociationArgs,
  AccessPolicyAssociationState,
} from "@pulumi/aws/eks/accessPolicyAssociation.js";
import type { Unwrap } from "@pulumi/pulumi";
import { sameSet } from "../../../provider-host/index.ts";
import { type AwsResourceType, cancellable, ignoreGone, orUndefined } from "../calls.ts";
import { tagOutputs, tagsProperty, tagsToSet } from "../resource-tags.ts";
import { partsOf } from "./composite-id.ts";
import { changeTags } from "./eks-tags.ts";

/** Lets an IAM principal into a cluster. Its id is `<cluster>:<ARN>`. */
export const accessEntry: AwsResourceType<Unwrap<AccessEntryArgs>, Unwrap<AccessEntryState>> = {
  properties: {
    clusterName: { required: true, replace: true },
    principalArn: { required: true, replace: true },
    kubernetesGroups: { equal: sameSet },
    type: { replace: true, default: "STANDARD" },
    userName: {},
    tags: tagsProperty,
  },
  computed: ["accessEntryArn", "createdAt", "modifiedAt", "userName", "kubernetesGroups"],
  volatile: ["modifiedAt"],

  async create(inputs, context) {
    const { clusterName, principalArn } = inputs;
    await context.config.eks.send(
      new sdk.CreateAccessEntryCommand({
        clusterName,
        principalArn,
        kubernetesGroups: inputs.kubernetesGroups,
        type: inputs.type,
        username: inputs.userName,
        tags: tagsToSet(inputs.tags, context),
      }),
      cancellable(context),
    );
    return `${clusterName}:${principalArn}`;
  },

  async read(id, context, { inputs }) {
    const [clusterName, principalArn] = partsOf(id, ":");
    const command = new sdk.DescribeAccessEntryCommand({ clusterName, principalArn });
    const live = (await orUndefined(context.config.eks.send(command, cancellable(context))))?.accessEntry;
    return (
      live && {
        accessEntryArn: live.accessEntryArn,
        clusterName,
        principalArn,
        kubernetesGroups: live.kubernetesGroups ?? [],
        type: live.type,
        userName: live.username,
        createdAt: live.createdAt?.toISOString(),
        modifiedAt: live.modifiedAt?.toISOString(),
        ...tagOutputs(live.tags, inputs.tags, context),
      }
    );
  },

  async update(id, news, { changed, oldState }, context) {
    const [clusterName, principalArn] = partsOf(id, ":");
    if (changed.has("kubernetesGroups") || changed.has("userName")) {
      const { kubernetesGroups = [], userName: username } = news;
      const command = new sdk.UpdateAccessEntryCommand({
        clusterName,
        principalArn,
        kubernetesGroups,
        username,
      });
      await context.config.eks.send(command, cancellable(context));
    }
    await changeTags(oldState.accessEntryArn, oldState.tagsAll, news.tags, context);
  },

  async delete(id, _, context) {
    const [clusterName, principalArn] = partsOf(id, ":");
    const command = new sdk.DeleteAccessEntryCommand({ clusterName, principalArn });
    await ignoreGone(context.config.eks.send(command, cancellable(context)));
  },
};

/** What an access entry may do. Its id is `<cluster>#<principal's ARN>#<policy's ARN>`. */
export const accessPolicyAssociation: AwsResourceType<
  Unwrap<AccessPolicyAssociationArgs>,
  Unwrap<AccessPolicyAssociationState>
> = {
  properties: {
    clusterName: { required: true, replace: true },
    principalArn: { required: true, replace: true },
    policyArn: { required: true, replace: true },
    accessScope: {
      required: true,
      members: { type: { replace: true }, namespaces: { replace: true, equal: sameSet } },
    },
  },
  computed: ["associatedAt", "modifiedAt"],

  async create({ clusterName, principalArn, policyArn, accessScope }, context) {
    await context.config.eks.send(
      new sdk.AssociateAccessPolicyCommand({
        clusterName,
        principalArn,
        policyArn,
        accessScope: accessScope as sdk.AccessScope,
      }),
      cancellable(context),
    );
    return `${clusterName}#${principalArn}#${policyArn}`;
  },

  async read(id, context) {
    const [clusterName, principalArn, policyArn] = id.split("#");
    const command = new sdk.ListAssociatedAccessPoliciesCommand({ clusterName, principalArn });
    const answer = await orUndefined(context.config.eks.send(command, cancellable(context)));
    const live = answer?.associatedAccessPolicies?.find((one) => one.policyArn === policyArn);
    return (
      live && {
        clusterName,
        principalArn,
        policyArn,
        accessScope: {
          type: live.accessScope?.type as string,
          namespaces: live.accessScope?.namespaces ?? [],
        },
        associatedAt: live.associatedAt?.toISOString(),
        modifiedAt: live.modifiedAt?.toISOString(),
      }
    );
  },

  async delete(id, _, context) {
    const [clusterName, principalArn, policyArn] = id.split("#");
    const command = new sdk.DisassociateAccessPolicyCommand({ clusterName, principalArn, policyArn });
    await ignoreGone(context.config.eks.send(command, cancellable(context)));
  },
};
