import { relative, resolve } from "node:path";
import { getAuthorizationToken } from "@pulumi/aws/ecr/getAuthorizationToken.js";
import { LifecyclePolicy } from "@pulumi/aws/ecr/lifecyclePolicy.js";
import { Repository } from "@pulumi/aws/ecr/repository.js";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { contextTag } from "./build-context.ts";
import { lookUp } from "./lookup.ts";

/** How an image is built, beyond its context: what a Docker user gives on the command line. */
export interface BuildSettings {
  /** Build arguments (`--build-arg`), such as another base image or a Go module proxy. Default none. */
  readonly args?: Readonly<Record<string, string>>;
  /** Platform of the nodes that run the image. Default `linux/amd64`. */
  readonly platform?: string;
  /** Network of the build steps (`--network`): `host` where the builder has no bridge. Default: the builder's own choice. */
  readonly network?: string;
}

export interface ImageArgs {
  /** Folder that holds the Dockerfile and what it copies. */
  readonly context: string;

  /**
   * Folder that the engine runs in. The state holds a context below it by its relative path, so that it is the same
   * whoever's machine it came from. Default: this process's.
   */
  readonly workDir?: string;

  /** Default: no arguments, `linux/amd64`. */
  readonly build?: BuildSettings;

  /**
   * Whether the repository may be deleted while it holds images. Default false: `destroy` then stops at a repository
   * that somebody may still pull from.
   */
  readonly forceDelete?: pulumi.Input<boolean>;

  /** How many images to keep; ECR expires older ones within 24 hours. Default 20. */
  readonly keep?: number;

  /**
   * KMS key that encrypts the images: its ARN, or `aws/ecr` for the key that AWS manages. Default AES-256 with keys of
   * S3. ECR cannot change this later: another value replaces the repository.
   */
  readonly kmsKey?: pulumi.Input<string>;

  /** Tags of the repository. Default none. */
  readonly tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * A container image, built here and pushed to an ECR repository of its own, which scans on push, is encrypted and expires
 * old images.
 *
 * Consumers run it by its digest ({@link reference}), which names these bytes and no others. Its tag only says to people
 * what it was built from, by a digest of the build's inputs. So the repository is `MUTABLE`: `docker.Image` builds and
 * pushes whenever an input differs from the last time, and ECR refuses a push of a tag that an `IMMUTABLE` repository
 * has, even of the same image. Going back to sources that were built before, another umask or a push whose state was
 * lost would all end there, with nothing to do about it but to delete an image that a pod may run.
 *
 * @throws Error at once when the context has no Dockerfile.
 */
export class Image extends pulumi.ComponentResource {
  readonly repository: Repository;
  readonly image: docker.Image;

  /** URL of the repository, without a tag. */
  readonly repositoryUrl: pulumi.Output<string>;
  /** What consumers run: `<repository>@sha256:<digest>`, which names these bytes and no others. */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, args: ImageArgs, opts?: pulumi.ComponentResourceOptions) {
    const build = { args: {}, platform: "linux/amd64", dockerfile: "Dockerfile", ...args.build };
    const context = fromFolder(args.workDir ?? process.cwd(), resolve(args.context));
    const tag = contextTag(args.context, build);
    super("eks-irsa:index:Image", name, {}, opts);
    const parent = { parent: this };

    this.repository = new Repository(
      `${name}-repository`,
      {
        imageTagMutability: "MUTABLE",
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfigurations: [encryption(args.kmsKey)],
        forceDelete: args.forceDelete ?? false,
        tags: args.tags,
      },
      parent,
    );

    new LifecyclePolicy(
      `${name}-lifecycle`,
      { repository: this.repository.name, policy: JSON.stringify(lifecyclePolicy(args.keep ?? 20)) },
      parent,
    );

    // Asked for once the repository is there, not earlier: the token is good for 12 hours, a queue may be longer.
    const token = this.repository.registryId.apply((registryId) =>
      lookUp(() => getAuthorizationToken({ registryId }, parent), {
        what: `the password of the ECR registry ${registryId}`,
        needs: "ecr:GetAuthorizationToken",
      }),
    );
    this.image = new docker.Image(
      `${name}-image`,
      {
        imageName: pulumi.interpolate`${this.repository.repositoryUrl}:${tag}`,
        build: {
          context,
          dockerfile: `${context}/${build.dockerfile}`,
          args: build.args,
          platform: build.platform,
          network: build.network,
        },
        registry: {
          server: this.repository.repositoryUrl,
          username: token.userName,
          password: pulumi.secret(token.password),
        },
      },
      parent,
    );

    this.repositoryUrl = this.repository.repositoryUrl;
    this.reference = this.image.repoDigest;
    this.registerOutputs({ repositoryUrl: this.repositoryUrl, reference: this.reference });
  }
}

/** A path as it is written from a folder: relative when it lies below. */
function fromFolder(folder: string, path: string): string {
  const fromThere = relative(folder, path);
  return fromThere.startsWith("..") ? path : fromThere || ".";
}

function encryption(kmsKey: pulumi.Input<string> | undefined) {
  if (kmsKey === undefined) return { encryptionType: "AES256" };
  if (kmsKey === "aws/ecr") return { encryptionType: "KMS" };
  return { encryptionType: "KMS", kmsKey };
}

/** Keeps the newest images. Source of the format: "Lifecycle policy template", ECR User Guide. */
function lifecyclePolicy(keep: number) {
  return {
    rules: [
      {
        rulePriority: 1,
        description: `Keep the ${keep} newest images`,
        selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: keep },
        action: { type: "expire" },
      },
    ],
  };
}
