import { randomUUID } from "node:crypto";
import * as sdk from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type { LaunchTemplateArgs, LaunchTemplateState } from "@pulumi/aws/ec2/launchTemplate.js";
import type { Unwrap } from "@pulumi/pulumi";
import { type AwsResourceType, cancellable, ignoreGone, orUndefined, required } from "../calls.ts";
import { nameProperty } from "../property-rules.ts";
import { retag, tagList, tagMap, tagOutputs, tagsProperty } from "../resource-tags.ts";
import { ec2Tags, ec2TagsOf, tagSpecifications } from "./ec2-tags.ts";

type Inputs = Unwrap<LaunchTemplateArgs>;

/** What makes a new version of the template when it changes. */
const versioned = ["description", "metadataOptions", "instanceType", "imageId", "tagSpecifications"];

/** What the nodes of a cluster need of a launch template. */
export const launchTemplate: AwsResourceType<Inputs, Unwrap<LaunchTemplateState>> = {
  properties: {
    name: nameProperty(128),
    namePrefix: { replace: true },
    description: {},
    metadataOptions: {
      members: {
        httpEndpoint: {},
        httpTokens: {},
        httpPutResponseHopLimit: {},
        instanceMetadataTags: {},
        httpProtocolIpv6: {},
      },
    },
    instanceType: {},
    imageId: {},
    // Of what is made by the template; `tags` are the template's own.
    tagSpecifications: {},
    // How the last version became the default one cannot be read back.
    updateDefaultVersion: {},
    tags: tagsProperty,
  },
  computed: ["arn", "latestVersion", "defaultVersion"],
  volatile: ["latestVersion", "defaultVersion"],

  async create(inputs, context) {
    const answer = await context.config.ec2.send(
      new sdk.CreateLaunchTemplateCommand({
        ClientToken: randomUUID(), // so that a request which comes again makes no second one
        LaunchTemplateName: inputs.name,
        VersionDescription: inputs.description,
        LaunchTemplateData: data(inputs),
        TagSpecifications: tagSpecifications("launch-template", inputs.tags, context),
      }),
      cancellable(context),
    );
    return required(answer.LaunchTemplate?.LaunchTemplateId, "launch template's id");
  },

  async read(id, context, { inputs }) {
    const { ec2, sts, region } = context.config;
    const command = new sdk.DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [id] });
    const live = (await orUndefined(ec2.send(command, cancellable(context))))?.LaunchTemplates?.[0];
    if (live === undefined) return undefined;
    const { LaunchTemplateVersions } = await ec2.send(
      new sdk.DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: id, Versions: ["$Latest"] }),
      cancellable(context),
    );
    const version = LaunchTemplateVersions?.[0];
    const metadata = version?.LaunchTemplateData?.MetadataOptions;
    const { Account } = await sts.send(new GetCallerIdentityCommand({}));
    return {
      arn: `arn:aws:ec2:${region}:${Account}:launch-template/${id}`,
      name: live.LaunchTemplateName,
      latestVersion: Number(live.LatestVersionNumber),
      defaultVersion: Number(live.DefaultVersionNumber),
      description: version?.VersionDescription,
      metadataOptions: metadata && {
        httpEndpoint: metadata.HttpEndpoint ?? "",
        httpTokens: metadata.HttpTokens ?? "",
        httpPutResponseHopLimit: metadata.HttpPutResponseHopLimit ?? 0,
        instanceMetadataTags: metadata.InstanceMetadataTags ?? "",
        httpProtocolIpv6: metadata.HttpProtocolIpv6 ?? "",
      },
      instanceType: version?.LaunchTemplateData?.InstanceType,
      imageId: version?.LaunchTemplateData?.ImageId,
      tagSpecifications: version?.LaunchTemplateData?.TagSpecifications?.map(({ ResourceType, Tags }) => ({
        resourceType: ResourceType,
        tags: tagMap(Tags),
      })),
      region,
      ...tagOutputs(await ec2TagsOf(id, context), inputs.tags, context),
    };
  },

  async update(id, news, { changed, oldState }, context) {
    const { ec2 } = context.config;
    if (versioned.some((key) => changed.has(key))) {
      const { LaunchTemplateVersion } = await ec2.send(
        new sdk.CreateLaunchTemplateVersionCommand({
          ClientToken: randomUUID(),
          LaunchTemplateId: id,
          VersionDescription: news.description,
          LaunchTemplateData: data(news),
        }),
        cancellable(context),
      );
      if (news.updateDefaultVersion) {
        const DefaultVersion = String(LaunchTemplateVersion?.VersionNumber);
        await ec2.send(new sdk.ModifyLaunchTemplateCommand({ LaunchTemplateId: id, DefaultVersion }));
      }
    }
    await retag(oldState.tagsAll, news.tags, context, ec2Tags(id, context));
  },

  async delete(id, _, context) {
    const command = new sdk.DeleteLaunchTemplateCommand({ LaunchTemplateId: id });
    await ignoreGone(context.config.ec2.send(command, cancellable(context)));
  },
};

function data({
  metadataOptions,
  instanceType,
  imageId,
  tagSpecifications,
}: Inputs): sdk.RequestLaunchTemplateData {
  return {
    InstanceType: instanceType as sdk._InstanceType | undefined,
    ImageId: imageId,
    TagSpecifications: tagSpecifications?.map(({ resourceType, tags }) => ({
      ResourceType: resourceType as sdk.ResourceType | undefined,
      Tags: tagList(tags ?? {}),
    })),
    MetadataOptions: metadataOptions && {
      HttpEndpoint: metadataOptions.httpEndpoint as sdk.LaunchTemplateInstanceMetadataEndpointState,
      HttpTokens: metadataOptions.httpTokens as sdk.LaunchTemplateHttpTokensState,
      HttpPutResponseHopLimit: metadataOptions.httpPutResponseHopLimit,
      InstanceMetadataTags:
        metadataOptions.instanceMetadataTags as sdk.LaunchTemplateInstanceMetadataTagsState,
    },
  };
}
