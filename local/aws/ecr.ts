import { AwsError, type Reply } from "./reply.ts";

/** A registry that speaks plain HTTP, as Docker allows on loopback. */
export interface Registry {
  /** `127.0.0.1:5000`. */
  host: string;
  /** Deletes all images of a repository that is no more: the registry would show them under the next of its name. */
  deleteImages(repository: string): Promise<void>;
  /** What `docker login` is given for the user `AWS`. MiniStack gives everybody the same. */
  password: string;
}

const rewritten = ["CreateRepository", "DescribeRepositories", "DeleteRepository", "GetAuthorizationToken"];

/** What ECR says, to a push and in its API, of a tag that exists in an IMMUTABLE repository. */
export const immutableTag = (repository: string, tag: string): string =>
  `The image tag '${tag}' already exists in the '${repository}' repository and cannot be overwritten because the tag is immutable.`;

/** Answers a call of ECR: with local's registry, which forgets what belonged to a deleted repository. */
export async function ecr(
  action: string,
  body: string,
  forward: () => Promise<Reply>,
  registry: Registry,
): Promise<Reply> {
  const reply = await forward();
  if (reply.body.includes("ImageTagAlreadyExistsException")) {
    const { repositoryName, imageTag } = JSON.parse(body) as { repositoryName: string; imageTag: string };
    throw new AwsError("ImageTagAlreadyExistsException", immutableTag(repositoryName, imageTag));
  }
  if (reply.status !== 200) return reply;
  if (action === "DeleteRepository") {
    const { repositoryName } = JSON.parse(body) as { repositoryName: string };
    await registry.deleteImages(repositoryName);
  }
  return rewritten.includes(action) ? withRegistry(reply, registry) : reply;
}

/** ECR's answer with local's registry in place of `<account>.dkr.ecr.<region>.amazonaws.com`, and a password for it. */
function withRegistry(reply: Reply, registry: Registry): Reply {
  const body = JSON.parse(reply.body, (key, value: unknown) => {
    if (typeof value !== "string") return value;
    if (key === "repositoryUri") return `${registry.host}/${value.slice(value.indexOf("/") + 1)}`;
    if (key === "proxyEndpoint") return `http://${registry.host}`;
    if (key === "authorizationToken") return Buffer.from(`AWS:${registry.password}`).toString("base64");
    return value;
  });
  return { ...reply, body: JSON.stringify(body) };
}
