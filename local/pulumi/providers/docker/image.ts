import { isDeepStrictEqual } from "node:util";
import type { ImageArgs } from "@pulumi/docker/image.js";
import type { Unwrap } from "@pulumi/pulumi";
import type Docker from "dockerode";
import {
  type Context,
  containsUnknown,
  type Difference,
  describe,
  type Failure,
  isObject,
  type Properties,
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

/** The inputs that the stand-in knows. */
const known = {
  "": ["imageName", "build", "registry", "skipPush", "buildOnPreview"],
  build: [
    "context",
    "dockerfile",
    "contextDigest",
    "args",
    "platform",
    "target",
    "network",
    "builderVersion",
    "cacheFrom",
  ],
  registry: ["server", "username", "password"],
};

/**
 * `docker.Image`: built by dockerd, pushed, and known by the digest that the registry gave. A preview never builds.
 *
 * As the real one it is never replaced, and looks at nothing: an input that differs from the last time is built and
 * pushed, whether the registry has it or not, and an image that was deleted there is not missed.
 */
export const image: ResourceType<DockerConfig, Inputs> = {
  async check(_, news, __, { config, provider, type }) {
    const failures: Failure[] = [];
    if (news.imageName === undefined) {
      failures.push({ property: "imageName", reason: "missing required property 'imageName'" });
    }
    for (const [outer, keys] of Object.entries(known)) {
      const given = outer === "" ? news : (news as Properties)[outer];
      for (const key of Object.keys(isObject(given) ? given : {})) {
        const property = outer === "" ? key : `${outer}.${key}`;
        if (keys.includes(key) || key.startsWith("__")) continue;
        failures.push({ property, reason: `${provider} knows no input '${property}' of ${type}` });
      }
    }
    if (failures.length > 0) return failures;
    const build = { context: ".", ...news.build };
    const dockerfile = build.dockerfile ?? `${build.context}/Dockerfile`;
    let digest = unknown;
    if (!containsUnknown([build.context, dockerfile])) {
      try {
        digest = contextDigest(buildContext(config.workDir, { ...build, dockerfile }));
      } catch (error) {
        return [{ property: "build", reason: describe(error) }];
      }
    }
    return {
      ...news,
      buildOnPreview: news.buildOnPreview ?? false,
      build: { platform: hostPlatform, ...build, dockerfile, contextDigest: digest },
    };
  },

  diff: (olds, news) =>
    Object.keys({ ...olds, ...news })
      .filter((key) => !key.startsWith("__"))
      .flatMap((key): Difference[] => {
        const [left, right] = [(olds as Properties)[key], (news as Properties)[key]];
        // A registry's password changes with every run; that is no reason to build.
        const same =
          key === "registry" && isObject(left) && isObject(right)
            ? left.server === right.server
            : isDeepStrictEqual(left, right);
        const kind = left === undefined ? "add" : right === undefined ? "delete" : "update";
        return same ? [] : [{ path: [key], kind, replace: false }];
      }),

  // Asked only where there is something to build.
  preview: (news) => ({ ...outputsOf(news), repoDigest: unknown }),

  create: async (inputs, context) => ({ id: inputs.imageName, state: await buildAndPush(inputs, context) }),

  update: (_, news, __, context) => buildAndPush(news, context),

  read: async (_, __, { state }) => state,

  inputs: (oldInputs) => oldInputs,

  // The registry's owner decides when images go; the real provider does not delete any either.
  async delete() {},
};

const hostPlatform = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;

async function buildAndPush(inputs: Inputs, context: DockerContext): Promise<Properties> {
  await build(inputs, context);
  const repoDigest = inputs.skipPush
    ? (await context.config.docker.getImage(inputs.imageName).inspect()).Id
    : await push(inputs, context);
  return { ...outputsOf(inputs), repoDigest };
}

function outputsOf({ imageName, build, registry }: Inputs): Properties {
  return {
    imageName,
    baseImageName: imageName,
    registryServer: registry?.server ?? "",
    context: build?.context,
    dockerfile: build?.dockerfile,
    platform: build?.platform,
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

/** @returns `<repository>@sha256:...`, as the registry told it. */
async function push(inputs: Inputs, context: DockerContext): Promise<string> {
  const { repository, tag } = parse(inputs.imageName);
  context.status(`Pushing ${inputs.imageName}`);
  const stream = await context.config.docker.getImage(repository).push({
    tag,
    authconfig: authentication(inputs.registry),
    abortSignal: context.signal,
  });
  const { Digest } = await follow(stream, (line) => context.status(line)).catch((error: Error) => {
    throw new Error(`the image ${inputs.imageName} could not be pushed: ${error.message}`);
  });
  if (typeof Digest !== "string") throw new Error(`the registry told no digest of ${inputs.imageName}`);
  return `${repository}@${Digest}`;
}

/** An image's name without its tag, and the tag. A colon before the last slash belongs to the registry's port. */
function parse(imageName: string): { repository: string; tag: string } {
  const colon = imageName.lastIndexOf(":");
  if (colon <= imageName.lastIndexOf("/")) return { repository: imageName, tag: "latest" };
  return { repository: imageName.slice(0, colon), tag: imageName.slice(colon + 1) };
}
