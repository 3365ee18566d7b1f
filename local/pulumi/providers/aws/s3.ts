import * as sdk from "@aws-sdk/client-s3";
import type { BucketArgs, BucketState } from "@pulumi/aws/s3/bucket.js";
import type { Unwrap } from "@pulumi/pulumi";
import {
  type AwsContext,
  type AwsResourceType,
  type AwsTypes,
  cancellable,
  ignoreGone,
  orUndefined,
} from "./calls.ts";
import { type Named, nameProperty } from "./property-rules.ts";
import { type Tags, tagList, tagMap, tagOutputs, tagsProperty, tagsToSet } from "./resource-tags.ts";

/** Name and tags only: enough for something to list. */
const bucket: AwsResourceType<Named<Unwrap<BucketArgs>, "bucket">, Unwrap<BucketState>> = {
  properties: {
    bucket: nameProperty(63, { lowerCase: true }),
    bucketPrefix: { replace: true },
    forceDestroy: { default: false },
    tags: tagsProperty,
  },
  computed: ["arn", "region", "bucketDomainName", "bucketRegionalDomainName"],

  async create({ bucket: Bucket, tags }, context) {
    const { s3, region } = context.config;
    // us-east-1 is what no constraint means, and S3 refuses it as one.
    const LocationConstraint = region as sdk.BucketLocationConstraint;
    await s3.send(
      new sdk.CreateBucketCommand({
        Bucket,
        CreateBucketConfiguration: region === "us-east-1" ? undefined : { LocationConstraint },
      }),
      cancellable(context),
    );
    await setTags(Bucket, tagsToSet(tags, context), context);
    return Bucket;
  },

  async read(id, context, { inputs }) {
    const { s3, region } = context.config;
    if (!(await orUndefined(s3.send(new sdk.HeadBucketCommand({ Bucket: id }), cancellable(context))))) {
      return undefined;
    }
    const tagging = await s3.send(new sdk.GetBucketTaggingCommand({ Bucket: id })).catch((error: Error) => {
      if (error.name === "NoSuchTagSet") return { TagSet: [] };
      throw error;
    });
    return {
      arn: `arn:aws:s3:::${id}`,
      bucket: id,
      region,
      bucketRegion: region,
      bucketDomainName: `${id}.s3.amazonaws.com`,
      bucketRegionalDomainName: `${id}.s3.${region}.amazonaws.com`,
      ...tagOutputs(tagMap(tagging.TagSet), inputs.tags, context),
    };
  },

  async update(id, { tags }, { changed }, context) {
    if (changed.has("tags")) await setTags(id, tagsToSet(tags, context), context);
  },

  async delete(id, { forceDestroy }, context) {
    const { s3 } = context.config;
    if (forceDestroy) {
      const listed = await orUndefined(s3.send(new sdk.ListObjectsV2Command({ Bucket: id })));
      for (const { Key } of listed?.Contents ?? [])
        await s3.send(new sdk.DeleteObjectCommand({ Bucket: id, Key }));
    }
    await ignoreGone(s3.send(new sdk.DeleteBucketCommand({ Bucket: id }), cancellable(context)));
  },
};

async function setTags(Bucket: string, tags: Tags, { config: { s3 } }: AwsContext): Promise<void> {
  const TagSet = tagList(tags);
  if (TagSet.length > 0) await s3.send(new sdk.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
  else await s3.send(new sdk.DeleteBucketTaggingCommand({ Bucket }));
}

export const s3Types: AwsTypes = { "aws:s3/bucket:Bucket": bucket };
