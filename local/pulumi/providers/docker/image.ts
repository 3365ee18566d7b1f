import type { ImageArgs } from "@pulumi/docker/image.js";
import type { Unwrap } from "@pulumi/pulumi";
import type Docker from "dockerode";
import {
  type Context,
  containsUnknown,
  type Difference,
  describe,
  differences,
  type Failure,
  isObject,
  type Properties,
  type Property,
  type ResourceType,
  unknown,
} from "../../provider-host/index.ts";
import { buildContext, contextArchive, contextDigest } from "./context.ts";
import { follow } from "./stream.ts";

/** What images are built with. */
export interface DockerConfig {
  readonly docker: Docker;
  /** Folder that relative paths start from: where the program runs. */
  readonly workDir: string;
}

type Inputs = Unwrap<ImageArgs> & { build?: { contextDigest?: string } };
type DockerContext = Context<DockerConfig>;

const properties: Readonly<Record<string, Property>> = {
  imageName: { required: true },
  build: {
    members: {
      // What it holds counts, not where it lies.
      context: { equal: () => true },
      dockerfile: { equal: () => true },
      contextDigest: {},
      args: {},
      platform: {},
      target: {},
      network: {},
      builderVersion: { equal: () => true },
      cacheFrom: {},
    },
  },
  // A registry's password changes with every run; that is no reason to build.
  registry: { members: { server: {}, username: { equal: () => true }, password: { equal: () => true } } },
  skipPush: { default: false },
  buildOnPreview: { equal: () => true },
};

/** `docker.Image`: built by dockerd's classic builder, pushed, and known by its digest. A preview never builds. */
export const image: ResourceType<DockerConfig, Inputs> = {
  async check(_, news, __, { config, type }) {
    const failures: Failure[] = [];
    const refuse = (property: string, reason: string) => failures.push({ property, reason });
    if (news.imageName === undefined) refuse("imageName", "missing required property 'imageName'");
    for (const [outer, given, known] of [
      ["", news, properties],
      ["build.", news.build, properties.build?.members],
    ] as const) {
      for (const key of Object.keys(isObject(given) ? given : {})) {
        if (known && !(key in known) && !key.startsWith("__")) {
          refuse(`${outer}${key}`, `the local stand-in for ${type} does not know '${outer}${key}'`);
        }
      }
    }
    if (failures.length > 0) return failures;
    const { context, dockerfile } = news.build ?? {};
    let digest = unknown;
    if (!containsUnknown([context, dockerfile])) {
      try {
        digest = contextDigest(buildContext(config.workDir, news.build));
      } catch (error) {
        return [{ property: "build", reason: describe(error) }];
      }
    }
    return { ...news, build: { ...news.build, contextDigest: digest } };
  },

  diff: (olds, news): Difference[] => differences(olds as Properties, news as Properties, properties),

  // Asked only where there is something to build.
  preview: (news) => ({ ...outputsOf(news), repoDigest: unknown }),

  async create(inputs, context) {
    await build(inputs, context);
    if (!inputs.skipPush) await push(inputs, context);
    return inputs.imageName;
  },

  async update(_, news, __, context) {
    await build(news, context);
    if (!news.skipPush) await push(news, context);
  },

  async read(_, { config }, { inputs, state }) {
    const imageName = inputs.imageName ?? String(state.imageName);
    const digest = inputs.skipPush
      ? await localDigest(config.docker, imageName)
      : await pushedDigest(config.docker, imageName, inputs.registry);
    if (digest === undefined) return undefined;
    return { ...outputsOf({ ...inputs, imageName }), repoDigest: digest };
  },

  inputs: (oldInputs) => oldInputs,

  // The registry's owner decides when images go; the real provider does not delete any either.
  async delete() {},
};

function outputsOf({ imageName, build, registry }: Inputs): Properties {
  return {
    imageName,
    baseImageName: imageName,
    registryServer: registry?.server ?? "",
    context: build?.context ?? ".",
    dockerfile: build?.dockerfile ?? "Dockerfile",
    platform: build?.platform,
    contextDigest: build?.contextDigest,
  };
}

async function build(inputs: Inputs, context: DockerContext): Promise<void> {
  const { docker, workDir } = context.config;
  const given = inputs.build;
  const { archive, dockerfile } = contextArchive(buildContext(workDir, given));
  // A file that goes while it is read ends the archive, not the request that it is piped into.
  const unreadable = new Promise<never>((_, reject) => archive.once("error", reject));
  const stream = await Promise.race([
    unreadable,
    docker.buildImage(archive, {
      t: inputs.imageName,
      dockerfile,
      buildargs: given?.args,
      platform: given?.platform,
      target: given?.target,
      networkmode: given?.network,
      cachefrom: given?.cacheFrom?.images ? JSON.stringify(given.cacheFrom.images) : undefined,
      abortSignal: context.signal,
    }),
  ]);
  await follow(stream, (line) => context.status(line)).catch((error: Error) => {
    throw new Error(`the image ${inputs.imageName} could not be built: ${error.message}`);
  });
}

type Registry = Inputs["registry"];

const authentication = (registry: Registry) =>
  registry?.username === undefined
    ? undefined
    : {
        username: registry.username,
        password: registry.password ?? "",
        serveraddress: registry.server ?? "",
      };

async function push(inputs: Inputs, context: DockerContext): Promise<void> {
  const { repository, tag } = parse(inputs.imageName);
  context.status(`Pushing ${inputs.imageName}`);
  const stream = await context.config.docker.getImage(repository).push({
    tag,
    authconfig: authentication(inputs.registry),
    abortSignal: context.signal,
  });
  await follow(stream, (line) => context.status(line)).catch((error: Error) => {
    throw new Error(`the image ${inputs.imageName} could not be pushed: ${error.message}`);
  });
}

/** `<repository>@sha256:...` of what the registry has under that name; undefined when it has nothing. */
async function pushedDigest(
  docker: Docker,
  imageName: string,
  registry: Registry,
): Promise<string | undefined> {
  try {
    const found = (await docker
      .getImage(imageName)
      .distribution(authentication(registry) ? { authconfig: authentication(registry) } : {})) as {
      Descriptor: { digest: string };
    };
    return `${parse(imageName).repository}@${found.Descriptor.digest}`;
  } catch (error) {
    if (/manifest unknown|not found|name unknown|404/i.test((error as Error).message)) return undefined;
    throw error;
  }
}

async function localDigest(docker: Docker, imageName: string): Promise<string | undefined> {
  try {
    return (await docker.getImage(imageName).inspect()).Id;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** An image's name without its tag, and the tag. A colon before the last slash belongs to the registry's port. */
function parse(imageName: string): { repository: string; tag: string } {
  const colon = imageName.lastIndexOf(":");
  if (colon <= imageName.lastIndexOf("/")) return { repository: imageName, tag: "latest" };
  return { repository: imageName.slice(0, colon), tag: imageName.slice(colon + 1) };
}
