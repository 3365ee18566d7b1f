import type { Reply } from "./reply.ts";

/** A registry that speaks plain HTTP, as Docker allows on loopback. */
export interface Registry {
  /** `127.0.0.1:5000`. */
  host: string;
  /** What `docker login` is given for the user `AWS`. MiniStack gives everybody the same. */
  password: string;
}

const rewritten = ["CreateRepository", "DescribeRepositories", "DeleteRepository", "GetAuthorizationToken"];

/** ECR's answer with local's registry in place of `<account>.dkr.ecr.<region>.amazonaws.com`, and a password for it. */
export function ecr(action: string, reply: Reply, registry: Registry): Reply {
  if (reply.status !== 200 || !rewritten.includes(action)) return reply;
  const body = JSON.parse(reply.body, (key, value: unknown) => {
    if (typeof value !== "string") return value;
    if (key === "repositoryUri") return `${registry.host}/${value.slice(value.indexOf("/") + 1)}`;
    if (key === "proxyEndpoint") return `http://${registry.host}`;
    if (key === "authorizationToken") return Buffer.from(`AWS:${registry.password}`).toString("base64");
    return value;
  });
  return { ...reply, body: JSON.stringify(body) };
}
