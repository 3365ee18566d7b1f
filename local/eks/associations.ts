import { AwsError, jsonReply, type Reply } from "../aws/reply.ts";
import type { EksOptions, EksRequest, Routes } from "./api.ts";
import { edit, isObject } from "./json.ts";

type Tags = Readonly<Record<string, string>>;

/**
 * How long after it is made an association has no effect yet, in seconds. EKS calls them eventually consistent, with
 * delays of several seconds (EKS User Guide, "Learn how EKS Pod Identity works").
 */
export const effectDelaySeconds = 5;

export interface AssociationRecords {
  /** When the association for a ServiceAccount was made; undefined when there is none. */
  createdAt(namespace: string, serviceAccount: string): Promise<Date | undefined>;
  /** Default: the machine's clock. */
  now?(): Date;
}

/** Whether an association is for a ServiceAccount, and has taken effect: what the pod identity webhook asks. */
export async function isAssociated(
  namespace: string,
  serviceAccount: string,
  records: AssociationRecords,
): Promise<boolean> {
  const since = await records.createdAt(namespace, serviceAccount);
  const now = records.now?.() ?? new Date();
  return since !== undefined && now.getTime() - since.getTime() >= effectDelaySeconds * 1000;
}

/**
 * Tags of Pod Identity associations, which MiniStack takes at their creation and changes no more. What was changed is
 * held in memory, for as long as MiniStack's own state is.
 */
export function associationRoutes(options: EksOptions): Routes {
  const changed = new Map<string, Tags>(); // by ARN

  const describe = (reply: Reply): Promise<Reply> =>
    edit(reply, "association", (association) => ({
      ...association,
      tags: changed.get(String(association.associationArn)) ?? association.tags,
    }));

  /** Does what MiniStack refuses for this kind of resource; it has by then checked the caller. */
  const onTags =
    (answer: (tags: Tags, request: EksRequest, arn: string) => Reply) =>
    async (request: EksRequest): Promise<Reply> => {
      const reply = await request.forward();
      const { arn = "" } = request.parameters;
      const [, cluster, id] = /:podidentityassociation\/([^/]+)\/([^/]+)$/.exec(arn) ?? [];
      if (reply.status !== 400 || cluster === undefined || id === undefined) return reply;
      const created = await options.associationTags(cluster, id);
      if (created === undefined)
        throw new AwsError("NotFoundException", `No resource found for ARN: ${arn}.`, 404);
      return answer(changed.get(arn) ?? created, request, arn);
    };

  return {
    "GET /clusters/{cluster}/pod-identity-associations/{id}": async ({ forward }) =>
      describe(await forward()),
    "POST /clusters/{cluster}/pod-identity-associations/{id}": async ({ forward }) =>
      describe(await forward()),
    "DELETE /clusters/{cluster}/pod-identity-associations/{id}": async ({ forward }) =>
      describe(await forward()),
    "GET /tags/{arn+}": onTags((tags) => jsonReply({ tags })),
    "POST /tags/{arn+}": onTags((tags, { body }, arn) => {
      changed.set(arn, { ...tags, ...(isObject(body.tags) ? (body.tags as Tags) : {}) });
      return jsonReply({});
    }),
    "DELETE /tags/{arn+}": onTags((tags, { query }, arn) => {
      const removed = query.getAll("tagKeys");
      changed.set(arn, Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.includes(key))));
      return jsonReply({});
    }),
  };
}
