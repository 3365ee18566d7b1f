import { isObject } from "../properties";
import type { Provider } from "../resource-type";
import { type Aws, type AwsOptions, clients } from "./clients";
import type { Tags } from "./common";
import { ec2Types } from "./ec2";
import { ecrTypes } from "./ecr";
import { eksTypes } from "./eks";
import { awsFunctions } from "./functions";
import { iamTypes } from "./iam";
import { logsTypes } from "./logs";
import { s3Types } from "./s3";

const types = { ...iamTypes, ...eksTypes, ...ecrTypes, ...ec2Types, ...logsTypes, ...s3Types };

/** The part of the AWS provider that this project's programs use, on the AWS SDK. */
export function awsProvider(options: AwsOptions): Provider<Aws> {
  const byRegion = new Map<string, Omit<Aws, "defaultTags">>();
  return {
    name: "aws",
    version: "7.48.0",
    configure({ region: configured, defaultTags }) {
      const region = typeof configured === "string" && configured !== "" ? configured : options.region;
      const those = byRegion.get(region) ?? clients(options, region);
      byRegion.set(region, those);
      const tags = isObject(defaultTags) && isObject(defaultTags.tags) ? (defaultTags.tags as Tags) : {};
      return { ...those, defaultTags: tags };
    },
    resourceType: (type) => types[type],
    functions: awsFunctions,
  };
}
