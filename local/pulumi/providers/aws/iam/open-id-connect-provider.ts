import * as sdk from "@aws-sdk/client-iam";
import type {
  OpenIdConnectProviderArgs,
  OpenIdConnectProviderState,
} from "@pulumi/aws/iam/openIdConnectProvider.js";
import type { Unwrap } from "@pulumi/pulumi";
import { sameSet } from "../../../provider-host/index.ts";
import {
  type AwsResourceType,
  cancellable,
  createOnce,
  iamArn,
  ignoreGone,
  orUndefined,
  required,
} from "../calls.ts";
import { keptWhereNoneIsGiven } from "../property-rules.ts";
import { retag, tagList, tagMap, tagOutputs, tagsProperty, tagsToSet } from "../resource-tags.ts";

/** IAM gives an issuer's URL back without its scheme. */
const bare = (url: string | undefined): string | undefined => url?.replace(/^https:\/\//, "");

export const openIdConnectProvider: AwsResourceType<
  Unwrap<OpenIdConnectProviderArgs>,
  Unwrap<OpenIdConnectProviderState>
> = {
  properties: {
    url: { required: true, replace: true, equal: (a, b) => bare(a as string) === bare(b as string) },
    clientIdLists: { required: true, equal: sameSet },
    thumbprintLists: { equal: keptWhereNoneIsGiven },
    tags: tagsProperty,
  },
  computed: ["arn", "thumbprintLists"],

  async create(inputs, context) {
    const { iam } = context.config;
    const command = new sdk.CreateOpenIDConnectProviderCommand({
      Url: inputs.url.startsWith("https://") ? inputs.url : `https://${inputs.url}`,
      ClientIDList: inputs.clientIdLists,
      ThumbprintList: inputs.thumbprintLists,
      Tags: tagList(tagsToSet(inputs.tags, context)),
    });
    return createOnce(
      async () =>
        required((await iam.send(command, cancellable(context))).OpenIDConnectProviderArn, "provider's ARN"),
      async () => {
        const answer = await iamArn(`oidc-provider/${bare(inputs.url)}`, context);
        const live = await iam.send(
          new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: answer }),
        );
        return { made: live.CreateDate, answer };
      },
    );
  },

  async read(id, context, { inputs }) {
    const live = await orUndefined(
      context.config.iam.send(
        new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: id }),
        cancellable(context),
      ),
    );
    return (
      live && {
        arn: id,
        url: bare(live.Url),
        clientIdLists: live.ClientIDList ?? [],
        thumbprintLists: live.ThumbprintList ?? [],
        ...tagOutputs(tagMap(live.Tags), inputs.tags, context),
      }
    );
  },

  async update(id, news, { changed, oldState }, context) {
    const { iam } = context.config;
    const provider = { OpenIDConnectProviderArn: id };
    const [olds, wanted] = [oldState.clientIdLists ?? [], news.clientIdLists];
    for (const ClientID of wanted.filter((one) => !olds.includes(one))) {
      await iam.send(new sdk.AddClientIDToOpenIDConnectProviderCommand({ ...provider, ClientID }));
    }
    for (const ClientID of olds.filter((one) => !wanted.includes(one))) {
      await iam.send(new sdk.RemoveClientIDFromOpenIDConnectProviderCommand({ ...provider, ClientID }));
    }
    if (changed.has("thumbprintLists")) {
      const ThumbprintList = news.thumbprintLists ?? [];
      await iam.send(new sdk.UpdateOpenIDConnectProviderThumbprintCommand({ ...provider, ThumbprintList }));
    }
    await retag(oldState.tagsAll, news.tags, context, {
      untag: (TagKeys) => iam.send(new sdk.UntagOpenIDConnectProviderCommand({ ...provider, TagKeys })),
      tag: (tags) => iam.send(new sdk.TagOpenIDConnectProviderCommand({ ...provider, Tags: tagList(tags) })),
    });
  },

  async delete(id, _, context) {
    await ignoreGone(
      context.config.iam.send(
        new sdk.DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: id }),
        cancellable(context),
      ),
    );
  },
};
