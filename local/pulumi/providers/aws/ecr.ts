import * as sdk from "@aws-sdk/client-ecr";
import type { LifecyclePolicyArgs, LifecyclePolicyState } from "@pulumi/aws/ecr/lifecyclePolicy.js";
import type { RepositoryArgs, RepositoryState } from "@pulumi/aws/ecr/repository.js";
import type { Unwrap } from "@pulumi/pulumi";
import { sameJson } from "../../provider-host/index.ts";
import {
  type AwsContext,
  type AwsResourceType,
  type AwsTypes,
  cancellable,
  createOnce,
  ignoreGone,
  orUndefined,
} from "./calls.ts";
import { type Named, nameProperty } from "./property-rules.ts";
import { retag, tagList, tagMap, tagOutputs, tagsProperty, tagsToSet } from "./resource-tags.ts";

type Encryption = { encryptionType?: string; kmsKey?: string }[];

/** ECR fills in the key when the person names none, and AES256 when nothing is said. */
function sameEncryption(left: unknown, right: unknown): boolean {
  const [one, other] = [left, right].map((value) => (value as Encryption | undefined)?.[0] ?? {});
  const [type, otherType] = [one?.encryptionType ?? "AES256", other?.encryptionType ?? "AES256"];
  return type === otherType && (!one?.kmsKey || !other?.kmsKey || one.kmsKey === other.kmsKey);
}

const repository: AwsResourceType<Named<Unwrap<RepositoryArgs>>, Unwrap<RepositoryState>> = {
  properties: {
    name: nameProperty(256, { lowerCase: true }),
    imageTagMutability: { default: "MUTABLE" },
    imageScanningConfiguration: { members: { scanOnPush: { default: false } } },
    encryptionConfigurations: { replace: true, equal: sameEncryption },
    forceDelete: { default: false },
    tags: tagsProperty,
  },
  computed: ["arn", "registryId", "repositoryUrl"],

  async create(inputs, context) {
    const encryption = inputs.encryptionConfigurations?.[0];
    const { ecr } = context.config;
    const { name } = inputs;
    const command = new sdk.CreateRepositoryCommand({
      repositoryName: name,
      imageTagMutability: inputs.imageTagMutability as sdk.ImageTagMutability | undefined,
      imageScanningConfiguration: inputs.imageScanningConfiguration,
      encryptionConfiguration: encryption && {
        encryptionType: (encryption.encryptionType ?? "AES256") as sdk.EncryptionType,
        kmsKey: encryption.kmsKey,
      },
      tags: tagList(tagsToSet(inputs.tags, context)),
    });
    return createOnce(
      async () => {
        await ecr.send(command, cancellable(context));
        return name;
      },
      async () => {
        const { repositories } = await ecr.send(
          new sdk.DescribeRepositoriesCommand({ repositoryNames: [name] }),
        );
        return { made: repositories?.[0]?.createdAt, answer: name };
      },
    );
  },

  async read(id, context, { inputs }) {
    const { ecr, region } = context.config;
    const command = new sdk.DescribeRepositoriesCommand({ repositoryNames: [id] });
    const live = (await orUndefined(ecr.send(command, cancellable(context))))?.repositories?.[0];
    if (live === undefined) return undefined;
    const { tags } = await ecr.send(
      new sdk.ListTagsForResourceCommand({ resourceArn: live.repositoryArn }),
      cancellable(context),
    );
    return {
      arn: live.repositoryArn,
      name: live.repositoryName,
      registryId: live.registryId,
      repositoryUrl: live.repositoryUri,
      imageTagMutability: live.imageTagMutability,
      imageScanningConfiguration: { scanOnPush: live.imageScanningConfiguration?.scanOnPush ?? false },
      encryptionConfigurations: live.encryptionConfiguration && [
        {
          encryptionType: live.encryptionConfiguration.encryptionType ?? "AES256",
          kmsKey: live.encryptionConfiguration.kmsKey ?? "",
        },
      ],
      region,
      ...tagOutputs(tagMap(tags), inputs.tags, context),
    };
  },

  async update(id, news, { changed, oldState }, context) {
    const { ecr } = context.config;
    const repositoryName = id;
    if (changed.has("imageTagMutability")) {
      const imageTagMutability = (news.imageTagMutability ?? "MUTABLE") as sdk.ImageTagMutability;
      await ecr.send(new sdk.PutImageTagMutabilityCommand({ repositoryName, imageTagMutability }));
    }
    if (changed.has("imageScanningConfiguration")) {
      const scanOnPush = news.imageScanningConfiguration?.scanOnPush ?? false;
      const imageScanningConfiguration = { scanOnPush };
      await ecr.send(
        new sdk.PutImageScanningConfigurationCommand({ repositoryName, imageScanningConfiguration }),
      );
    }
    const resourceArn = oldState.arn;
    await retag(oldState.tagsAll, news.tags, context, {
      untag: (tagKeys) => ecr.send(new sdk.UntagResourceCommand({ resourceArn, tagKeys })),
      tag: (tags) => ecr.send(new sdk.TagResourceCommand({ resourceArn, tags: tagList(tags) })),
    });
  },

  async delete(id, { forceDelete }, context) {
    const command = new sdk.DeleteRepositoryCommand({ repositoryName: id, force: forceDelete ?? false });
    await ignoreGone(context.config.ecr.send(command, cancellable(context)));
  },
};

const lifecyclePolicy: AwsResourceType<Unwrap<LifecyclePolicyArgs>, Unwrap<LifecyclePolicyState>> = {
  properties: {
    repository: { required: true, replace: true },
    policy: { required: true, equal: sameJson },
  },
  computed: ["registryId"],

  async create({ repository, policy }, context) {
    await putLifecyclePolicy(repository, policy, context);
    return repository;
  },

  async read(id, context) {
    const command = new sdk.GetLifecyclePolicyCommand({ repositoryName: id });
    const live = await orUndefined(context.config.ecr.send(command, cancellable(context)));
    return (
      live && {
        repository: live.repositoryName,
        registryId: live.registryId,
        policy: live.lifecyclePolicyText,
        region: context.config.region,
      }
    );
  },

  async update(id, { policy }, __, context) {
    await putLifecyclePolicy(id, policy, context);
  },

  async delete(id, _, context) {
    const command = new sdk.DeleteLifecyclePolicyCommand({ repositoryName: id });
    await ignoreGone(context.config.ecr.send(command, cancellable(context)));
  },
};

const putLifecyclePolicy = (repositoryName: string, policy: unknown, context: AwsContext) =>
  context.config.ecr.send(
    new sdk.PutLifecyclePolicyCommand({
      repositoryName,
      lifecyclePolicyText: typeof policy === "string" ? policy : JSON.stringify(policy),
    }),
    cancellable(context),
  );

export const ecrTypes: AwsTypes = {
  "aws:ecr/repository:Repository": repository,
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": lifecyclePolicy,
};
