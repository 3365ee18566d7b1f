import type { Reply } from "./reply";

/** A registry that speaks plain HTTP, as Docker allows on loopback. */
export interface Registry {
  /** `127.0.0.1:5000`. */
  host: string;
}

const rewritten = ["CreateRepository", "DescribeRepositories", "DeleteRepository", "GetAuthorizationToken"];

/** ECR's answer with local's registry in place of `<account>.dkr.ecr.<region>.amazonaws.com`. */
export function ecr(action: string, reply: Reply, registry: Registry): Reply {
  if (reply.status !== 200 || !rewritten.includes(action)) return reply;
  const body = JSON.parse(reply.body, (key, value: unknown) => {
    if (typeof value !== "string") return value;
    if (key === "repositoryUri") return `${registry.host}/${value.slice(value.indexOf("/") + 1)}`;
    if (key === "proxyEndpoint") return `http://${registry.host}`;
    return value;
  });
  return { ...reply, body: JSON.stringify(body) };
}
