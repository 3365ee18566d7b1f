import { type Finding, holds, type Link, unseen } from "../chain.ts";

/**
 * SDKs that tell their version by the names of their files, and the first that knows web identity. Source: "Use IRSA with
 * the AWS SDK", EKS User Guide.
 */
const sdks = [
  {
    name: "botocore (Python)",
    pattern: /(?:^|\/)botocore-(\d+\.\d+\.\d+)(?:\.dist-info|[^/]*\.egg-info)/,
    first: "1.12.200",
  },
  {
    name: "AWS SDK for Java 1",
    pattern: /(?:^|\/)aws-java-sdk-core-(\d+\.\d+\.\d+)\.jar/,
    first: "1.11.704",
  },
  { name: "AWS SDK for Java 2", pattern: /(?:^|\/)sdk-core-(2\.\d+\.\d+)\.jar/, first: "2.10.11" },
  { name: "AWS SDK for Ruby", pattern: /(?:^|\/)aws-sdk-core-(3\.\d+\.\d+)(?:\.gem)?/, first: "3.58.0" },
] as const;

/** The SDK in the image knows web identity, where the names of its files tell. */
export const sdk: Link = {
  id: "sdk",
  title: "The image's SDK knows web identity",
  optional: true,
  async examine(seen, { images }): Promise<Finding> {
    const container = seen.pod?.containers.find(({ env }) => env.AWS_WEB_IDENTITY_TOKEN_FILE !== undefined);
    if (container === undefined) return unseen("There is no container to look into.");
    const any = new RegExp(sdks.map(({ pattern }) => pattern.source).join("|"));
    const files = await images.files(container.imageId ?? container.image, any);
    if (files === undefined)
      return unseen(`The image ${container.image} cannot be read from its registry with these credentials.`);
    const found = sdks.flatMap(({ name, pattern, first }) =>
      files.flatMap((file) => {
        const version = pattern.exec(file)?.[1];
        return version === undefined ? [] : [{ name, version, first, file }];
      }),
    );
    const old = found.find(({ version, first }) => compare(version, first) < 0);
    if (old) {
      return {
        state: "broken",
        cause: "sdk-too-old",
        what: `${old.name} in the image of ${container.name} is too old to know web identity tokens.`,
        disagreement: {
          wanted: { name: "first version that does", value: old.first },
          found: { name: `/${old.file}`, value: old.version },
        },
        mend: [`Build the image with ${old.name} ${old.first} or newer.`],
      };
    }
    const known = [...new Set(found.map(({ name, version }) => `${name} ${version}`))];
    return known.length > 0
      ? holds(...known)
      : unseen(
          "The image names no SDK by its files: a compiled program, or a language whose packages do not tell.",
        );
  },
};

const compare = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });
