import {
  DeleteLifecyclePolicyCommand,
  DeleteRepositoryCommand,
  DescribeRepositoriesCommand,
  GetLifecyclePolicyCommand,
  ListTagsForResourceCommand,
  PutImageScanningConfigurationCommand,
  PutImageTagMutabilityCommand,
  PutLifecyclePolicyCommand,
  TagResourceCommand,
} from "@aws-sdk/client-ecr";
import { absent, type Drift, lastPart, type Target, tagsOf, there } from "./target.ts";

const repositoryName = (target: Target) => lastPart(target.output("repositoryUrl"));

async function theRepository(target: Target) {
  const found = await target.live
    .ecr()
    .send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName(target)] }))
    .catch(absent);
  return found?.repositories?.[0];
}

async function lifecycle(target: Target) {
  const found = await target.live
    .ecr()
    .send(new GetLifecyclePolicyCommand({ repositoryName: repositoryName(target) }))
    .catch(absent);
  return found && JSON.parse(found.lifecyclePolicyText ?? "");
}

export const attributes: readonly Drift[] = [
  {
    what: "ECR: scan on push",
    resource: "s3-lister-repository",
    property: "imageScanningConfiguration.scanOnPush",
    read: async (target) => (await theRepository(target))?.imageScanningConfiguration?.scanOnPush,
    change: (target) =>
      target.live.ecr().send(
        new PutImageScanningConfigurationCommand({
          repositoryName: repositoryName(target),
          imageScanningConfiguration: { scanOnPush: false },
        }),
      ),
  },
  {
    what: "ECR: tag mutability",
    resource: "s3-lister-repository",
    property: "imageTagMutability",
    read: async (target) => (await theRepository(target))?.imageTagMutability,
    change: (target) =>
      target.live.ecr().send(
        new PutImageTagMutabilityCommand({
          repositoryName: repositoryName(target),
          imageTagMutability: "IMMUTABLE",
        }),
      ),
  },
  {
    what: "ECR: tag",
    resource: "s3-lister-repository",
    property: "tags.environment",
    read: async (target) => {
      const resourceArn = (await theRepository(target))?.repositoryArn;
      return tagsOf((await target.live.ecr().send(new ListTagsForResourceCommand({ resourceArn }))).tags);
    },
    change: async (target) =>
      target.live.ecr().send(
        new TagResourceCommand({
          resourceArn: (await theRepository(target))?.repositoryArn,
          tags: [{ Key: "environment", Value: "prod" }],
        }),
      ),
  },
  {
    what: "ECR: lifecycle policy's content",
    resource: "s3-lister-lifecycle",
    property: "policy",
    read: lifecycle,
    change: async (target) => {
      const lifecyclePolicyText = JSON.stringify(await lifecycle(target)).replace(
        '"countNumber":20',
        '"countNumber":1',
      );
      await target.live
        .ecr()
        .send(new PutLifecyclePolicyCommand({ repositoryName: repositoryName(target), lifecyclePolicyText }));
    },
  },
];

export const deletions: readonly Drift[] = [
  {
    what: "ECR: lifecycle policy deleted",
    resource: "s3-lister-lifecycle",
    read: lifecycle,
    change: (target) =>
      target.live.ecr().send(new DeleteLifecyclePolicyCommand({ repositoryName: repositoryName(target) })),
  },
];

export const deletionsWithContent: readonly Drift[] = [
  {
    what: "ECR repository deleted, with its images",
    resource: "s3-lister-repository",
    read: async (target) => there(await theRepository(target)),
    change: (target) =>
      target.live
        .ecr()
        .send(new DeleteRepositoryCommand({ repositoryName: repositoryName(target), force: true })),
  },
];
