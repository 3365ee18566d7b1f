import { type Broken, disagreement, holds, type Link, type Target, unseen } from "../chain.ts";
import type { Container, ImageFile, Wanted, World } from "../world.ts";

/** What an SDK has to know: to take a web identity token to STS, or to ask the agent of EKS Pod Identity. */
type Mechanism = "web identity" | "container credentials";

interface Sdk {
  readonly name: string;
  /** Files that tell of it: by their name, which holds the version, or by a text in them that does. */
  readonly file: RegExp;
  readonly text?: RegExp;
  /** Whether the text is looked for in executables only. */
  readonly executable?: boolean;
  /** The first version that knows each mechanism. */
  readonly first: Readonly<Record<Mechanism, string>>;
  /** Whether it takes the pod's token before a profile of the AWS configuration, which then leads nowhere. */
  readonly profileLast?: true;
  /** A part that comes by itself and is needed for web identity. */
  readonly part?: { readonly file: RegExp; readonly add: string };
}

/** The first versions are by "Use IRSA with the AWS SDK" and "Use pod identity with the AWS SDK", EKS User Guide. */
const sdks: readonly Sdk[] = [
  {
    name: "botocore (Python)",
    file: /(?:^|\/)botocore-(\d+\.\d+\.\d+)(?:\.dist-info|[^/]*\.egg-info)/,
    first: { "web identity": "1.12.200", "container credentials": "1.34.41" },
  },
  {
    name: "AWS SDK for Java 1",
    file: /(?:^|\/)aws-java-sdk-core-(\d+\.\d+\.\d+)\.jar/,
    first: { "web identity": "1.11.704", "container credentials": "1.12.746" },
    profileLast: true,
    part: { file: /(?:^|\/)aws-java-sdk-(?:sts|bundle)-[\d.]+\.jar/, add: "com.amazonaws:aws-java-sdk-sts" },
  },
  {
    name: "AWS SDK for Java 2",
    file: /(?:^|\/)sdk-core-(2\.\d+\.\d+)\.jar/,
    first: { "web identity": "2.10.11", "container credentials": "2.21.30" },
    profileLast: true,
    part: { file: /(?:^|\/)(?:sts|bundle)-2\.[\d.]+\.jar/, add: "software.amazon.awssdk:sts" },
  },
  {
    name: "AWS SDK for Ruby",
    file: /(?:^|\/)aws-sdk-core-(3\.\d+\.\d+)(?:\.gem)?/,
    first: { "web identity": "3.58.0", "container credentials": "3.188.0" },
  },
  {
    name: "AWS SDK for JavaScript 2",
    file: /(?:^|\/)node_modules\/aws-sdk\/package\.json$/,
    text: /"version":\s*"(2\.\d+\.\d+)"/,
    first: { "web identity": "2.525.0", "container credentials": "2.1550.0" },
  },
  {
    name: "AWS SDK for JavaScript 3",
    file: /(?:^|\/)node_modules\/@aws-sdk\/credential-provider-node\/package\.json$/,
    text: /"version":\s*"(3\.\d+\.\d+)"/,
    first: { "web identity": "3.27.0", "container credentials": "3.458.0" },
  },
  {
    // Go writes the modules that a program is made of into it. The second is that of the release of 2023-11-14.
    name: "config of AWS SDK for Go 2",
    file: /./,
    text: /\tgithub\.com\/aws\/aws-sdk-go-v2\/config\tv(\d+\.\d+\.\d+)/,
    executable: true,
    first: { "web identity": "0.0.0", "container credentials": "1.25.0" },
  },
  {
    name: "AWS SDK for Go 1",
    file: /./,
    text: /\tgithub\.com\/aws\/aws-sdk-go\tv(\d+\.\d+\.\d+)/,
    executable: true,
    first: { "web identity": "1.23.13", "container credentials": "1.47.11" },
  },
];

const parts = sdks.flatMap(({ part }) => part ?? []);
const goModules = new RegExp(
  sdks.flatMap(({ executable, text }) => (executable && text ? text.source : [])).join("|"),
);

/** What of a file tells of an SDK. */
export const wanted: Wanted = (path, executable) => {
  const named = sdks.find((one) => !one.executable && one.file.test(path));
  if (named) return named.text ?? "name";
  if (parts.some(({ file }) => file.test(path))) return "name";
  return executable ? goModules : undefined;
};

/** The SDK in a container's image knows where its credentials come from, where the image tells. */
const sdkLink = (mechanism: Mechanism): Link<"sources" | "nextRole", never> => ({
  id: "sdk",
  title: `The image's SDK knows ${mechanism}`,
  needs: ["sources", "nextRole"],
  gives: [],
  async examine({ sources, nextRole }, { images }) {
    const evidence: string[] = [];
    const silent: string[] = [];
    const open: string[] = [];
    for (const { container } of sources) {
      const judged = await judge(container, mechanism, images, nextRole);
      if ("state" in judged) return { ...judged, evidence };
      evidence.push(...judged.evidence);
      silent.push(...judged.silent);
      open.push(...judged.open);
    }
    if (open.length > 0 || evidence.length === 0) {
      return unseen(
        [...open, ...silent].join(" "),
        "To know what the program is built with; an image that the registry gives to these credentials.",
      );
    }
    // Beside a container that calls AWS, one without an SDK is taken for one that does not.
    return holds({}, ...evidence, ...silent);
  },
});

/** IRSA: the SDK takes the token to STS. */
export const webIdentitySdk = sdkLink("web identity");
/** EKS Pod Identity: the SDK asks the agent. */
export const containerCredentialsSdk = sdkLink("container credentials");

interface Judgement {
  readonly evidence: readonly string[];
  /** That the image names no SDK. */
  readonly silent: readonly string[];
  /** What cannot be told of it. */
  readonly open: readonly string[];
}

async function judge(
  { name, image, imageId }: Container,
  mechanism: Mechanism,
  images: World["images"],
  nextRole: Target | undefined,
): Promise<Broken | Judgement> {
  const files = await images.files(imageId ?? image, wanted);
  const nothing: Judgement = { evidence: [], silent: [], open: [] };
  if (files === undefined)
    return { ...nothing, open: [`${name}: ${image} cannot be read from its registry.`] };
  const evidence: string[] = [];
  const open: string[] = [];
  for (const sdk of sdks) {
    const found = versionsOf(sdk, files);
    const first = sdk.first[mechanism];
    const old = found.filter(({ version }) => compare(version, first) < 0);
    const [oldest] = old;
    if (oldest && old.length === found.length) {
      return {
        state: "broken",
        cause: "sdk-too-old",
        what: `${sdk.name} in the image of ${name} is too old to know ${mechanism}.`,
        disagreement: disagreement("first version that does", first, `/${oldest.path}`, oldest.version),
        mend: [],
        advice: [`Build the image with ${sdk.name} ${first} or newer.`],
      };
    }
    if (oldest) {
      open.push(
        `${name}: ${sdk.name} is there as ${found.map(({ version }) => version).join(" and ")}, from ${first} it would do; which one the program takes, the image does not tell.`,
      );
      continue;
    }
    const [newest] = found;
    if (newest === undefined) continue;
    const { part } = sdk;
    if (mechanism === "web identity" && part && !files.some(({ path }) => part.file.test(path))) {
      return {
        state: "broken",
        cause: "sdk-without-sts",
        what: `${sdk.name} in the image of ${name} is there without its module for STS, and so cannot take the token there.`,
        disagreement: disagreement("module", part.add, `/${newest.path}`, "without it"),
        mend: [],
        advice: [
          `Add ${part.add} to the program's dependencies, of the version of the others: ${newest.version}.`,
        ],
      };
    }
    if (nextRole !== undefined && sdk.profileLast && mechanism === "web identity") {
      open.push(
        `${name}: ${sdk.name} takes the pod's token before a profile, and does not get to ${nextRole.arn} by that, but where the program asks for its ProfileCredentialsProvider.`,
      );
      continue;
    }
    evidence.push(
      `${name}: ${[...new Set(found.map(({ version }) => `${sdk.name} ${version}`))].join(", ")}`,
    );
  }
  if (evidence.length > 0 || open.length > 0) return { evidence, silent: [], open };
  return { ...nothing, silent: [`${name}: the image names no AWS SDK.`] };
}

function versionsOf(sdk: Sdk, files: readonly ImageFile[]): { version: string; path: string }[] {
  return files.flatMap(({ path, texts }) => {
    if (!sdk.file.test(path)) return [];
    const { text } = sdk;
    const versions = text
      ? texts.flatMap((one) => text.exec(one)?.[1] ?? [])
      : [sdk.file.exec(path)?.[1]].filter((one) => one !== undefined);
    return versions.map((version) => ({ version, path }));
  });
}

const compare = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });
