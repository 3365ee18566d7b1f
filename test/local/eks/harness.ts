import type { Reply } from "../../../local/aws/reply.ts";
import { jsonReply } from "../../../local/aws/reply.ts";
import { describeCall } from "../../../local/aws/request.ts";
import { type EksOptions, eks } from "../../../local/eks/api.ts";
import { issuer } from "../aws/tokens.ts";

export const kubernetes = {
  endpoint: "https://127.0.0.1:6443",
  certificateAuthority: "UEVN",
  issuer,
  version: "1.34",
};

/** MiniStack's answer to what it has no route for. */
export const noRoute = jsonReply({ __type: "InvalidRequestException", message: "No route for POST" }, 400);

/** MiniStack's cluster. */
export const cluster = (more: object = {}): Reply =>
  jsonReply({
    cluster: {
      name: "irsa",
      arn: "arn:irsa",
      status: "ACTIVE",
      version: "1.30",
      endpoint: "https://localhost:16443",
      certificateAuthority: { data: "" },
      identity: { oidc: { issuer: "http://localhost/oidc" } },
      resourcesVpcConfig: { subnetIds: ["a"], endpointPublicAccess: true },
      logging: { clusterLogging: [{ types: ["api", "audit"], enabled: true }] },
      ...more,
    },
  });

/** EKS's API with one cluster, before a MiniStack that answers what the test says. */
export function eksWith(options: Partial<EksOptions> = {}) {
  const log: string[] = [];
  const answer = eks({
    kubernetes,
    clusterNames: async () => ["irsa"],
    tags: async (arn) => ({ of: arn }),
    association: async () => undefined,
    role: async () => undefined,
    principalExists: async () => true,
    accountId: "000000000000",
    region: "eu-central-1",
    log: (line) => log.push(line),
    ...options,
  });
  const send = (upstream: Reply, method: string, path: string, body: unknown = {}): Promise<Reply> =>
    answer(describeCall(method, path, {}), JSON.stringify(body), async () => upstream);
  /** The named member of an answer. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API's JSON holds
  const get = async (upstream: Reply, member: string, ...call: [string, string, unknown?]): Promise<any> =>
    JSON.parse((await send(upstream, ...call)).body)[member];
  return { answer, send, get, log };
}
