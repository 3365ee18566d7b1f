import { isObject, type Provider } from "../../provider-host/index.ts";
import { type Aws, type AwsOptions, clients } from "./clients.ts";
import { logsTypes } from "./cloudwatch.ts";
import { ec2Types } from "./ec2/index.ts";
import { ecrTypes } from "./ecr.ts";
import { eksTypes } from "./eks/index.ts";
import { awsFunctions } from "./functions.ts";
import { iamTypes } from "./iam/index.ts";
import type { Tags } from "./resource-tags.ts";
import { s3Types } from "./s3.ts";

const types = { ...iamTypes, ...eksTypes, ...ecrTypes, ...ec2Types, ...logsTypes, ...s3Types };

/**
 * The part of the AWS provider that this project's programs use, on the AWS SDK.
 *
 * @param makeClients Makes the clients of a region. Default: those that call `options.endpoint`.
 */
export function awsProvider(options: AwsOptions, makeClients: typeof clients = clients): Provider<Aws> {
  const byRegion = new Map<string, Omit<Aws, "defaultTags">>();
  return {
    name: "aws",
    title: "the local stand-in for the aws provider",
    version: "7.48.0",
    configure({ region: configured, defaultTags }) {
      const region = typeof configured === "string" && configured !== "" ? configured : options.region;
      const those = byRegion.get(region) ?? makeClients(options, region);
      byRegion.set(region, those);
      const tags = isObject(defaultTags) && isObject(defaultTags.tags) ? (defaultTags.tags as Tags) : {};
      return { ...those, defaultTags: tags };
    },
    resourceType: (type) => types[type],
    functions: awsFunctions,
  };
}
