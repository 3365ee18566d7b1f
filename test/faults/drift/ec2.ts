import {
  CreateLaunchTemplateVersionCommand,
  DeleteLaunchTemplateCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  ModifyLaunchTemplateCommand,
} from "@aws-sdk/client-ec2";
import { type Drift, type Target, there } from "./target.ts";

const launchTemplate = async ({ live }: Target) =>
  (await live.ec2().send(new DescribeLaunchTemplatesCommand({}))).LaunchTemplates?.find(
    ({ LaunchTemplateName }) => LaunchTemplateName?.startsWith("cluster-nodes-"),
  );

async function hopLimit(target: Target) {
  const { LaunchTemplateId } = (await launchTemplate(target)) ?? {};
  const { LaunchTemplateVersions } = await target.live
    .ec2()
    .send(new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions: ["$Default"] }));
  return LaunchTemplateVersions?.[0]?.LaunchTemplateData?.MetadataOptions?.HttpPutResponseHopLimit;
}

export const attributes: readonly Drift[] = [
  {
    what: "nodes: more hops to their credentials",
    resource: "cluster-nodes",
    property: "metadataOptions.httpPutResponseHopLimit",
    read: hopLimit,
    change: async (target) => {
      const { LaunchTemplateId } = (await launchTemplate(target)) ?? {};
      const { LaunchTemplateVersion } = await target.live.ec2().send(
        new CreateLaunchTemplateVersionCommand({
          LaunchTemplateId,
          LaunchTemplateData: {
            MetadataOptions: {
              HttpEndpoint: "enabled",
              HttpTokens: "required",
              HttpPutResponseHopLimit: 2,
            },
          },
        }),
      );
      const DefaultVersion = String(LaunchTemplateVersion?.VersionNumber);
      await target.live.ec2().send(new ModifyLaunchTemplateCommand({ LaunchTemplateId, DefaultVersion }));
    },
  },
];

export const deletions: readonly Drift[] = [
  {
    what: "launch template deleted",
    resource: "cluster-nodes",
    read: async (target) => there(await launchTemplate(target)),
    change: async (target) => {
      const { LaunchTemplateId } = (await launchTemplate(target)) ?? {};
      await target.live.ec2().send(new DeleteLaunchTemplateCommand({ LaunchTemplateId }));
    },
  },
];
