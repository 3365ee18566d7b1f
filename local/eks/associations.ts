import { externalIdOf } from "../aws/podidentity.ts";
import { checkPolicyDocument } from "../aws/policy-check.ts";
import { AwsError, jsonReply, type Reply } from "../aws/reply.ts";
import { namesPodIdentity } from "../aws/trust-simulator.ts";
import type { EksOptions, EksRequest, Routes } from "./api.ts";
import { edit, isObject, type Json } from "./json.ts";

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
  return since !== undefined && hasTakenEffect(since, records.now?.() ?? new Date());
}

export const hasTakenEffect = (createdAt: Date, now: Date): boolean =>
  now.getTime() - createdAt.getTime() >= effectDelaySeconds * 1000;

const invalid = (message: string) => new AwsError("InvalidParameterException", message);

/** Characters that STS takes of a session policy. Source: AssumeRole, AWS STS API Reference. */
const sessionPolicyQuota = 2048;

/**
 * Pod Identity associations: what EKS refuses of them, and their tags, which MiniStack takes at their creation and changes no
 * more. What was changed is held in memory, for as long as MiniStack's own state is.
 */
export function associationRoutes(options: EksOptions): Routes {
  const changed = new Map<string, Tags>(); // by ARN

  const describe = (reply: Reply): Promise<Reply> =>
    edit(reply, "association", (association) => ({
      ...association,
      tags: changed.get(String(association.associationArn)) ?? association.tags,
      ...(association.targetRoleArn ? { externalId: externalIdOf(subjectOf(association)) } : {}),
    }));

  const subjectOf = ({ clusterName, namespace, serviceAccount }: Json) => ({
    region: options.region,
    accountId: options.accountId,
    cluster: String(clusterName),
    namespace: String(namespace),
    serviceAccount: String(serviceAccount),
  });

  /** @throws AwsError for what EKS refuses to make or to change an association to. */
  async function check({ roleArn, policy, disableSessionTags }: Json): Promise<void> {
    if (typeof roleArn === "string") {
      const role = await options.role(roleArn.slice(roleArn.lastIndexOf("/") + 1));
      if (role?.arn !== roleArn) throw invalid("Role provided in the request does not exist.");
      if (!(await namesPodIdentity(role))) throw invalid("Trust policy of the role provided is invalid.");
    }
    // An empty one takes away the one that is there.
    if (typeof policy !== "string" || policy === "") return;
    if (disableSessionTags !== true)
      throw invalid("disableSessionTags must be set to true when a policy is specified.");
    if (policy.length > sessionPolicyQuota)
      throw invalid(`The policy has ${policy.length} characters; at most ${sessionPolicyQuota} are allowed.`);
    try {
      checkPolicyDocument(policy, "permissions");
    } catch (error) {
      throw error instanceof AwsError ? invalid(`The policy is invalid: ${error.message}`) : error;
    }
  }

  /** Does what MiniStack refuses for this kind of resource; it has by then checked the caller. */
  const onTags =
    (answer: (tags: Tags, request: EksRequest, arn: string) => Reply) =>
    async (request: EksRequest): Promise<Reply> => {
      const reply = await request.forward();
      const { arn = "" } = request.parameters;
      const [, cluster, id] = /:podidentityassociation\/([^/]+)\/([^/]+)$/.exec(arn) ?? [];
      if (reply.status !== 400 || cluster === undefined || id === undefined) return reply;
      const created = (await options.association(cluster, id))?.tags;
      if (created === undefined)
        throw new AwsError("NotFoundException", `No resource found for ARN: ${arn}.`, 404);
      return answer(changed.get(arn) ?? created, request, arn);
    };

  return {
    "POST /clusters/{cluster}/pod-identity-associations": async ({ body, forward }) => {
      await check(body);
      return describe(await forward());
    },
    "GET /clusters/{cluster}/pod-identity-associations/{id}": async ({ forward }) =>
      describe(await forward()),
    "POST /clusters/{cluster}/pod-identity-associations/{id}": async ({ parameters, body, forward }) => {
      const before = await options.association(parameters.cluster ?? "", parameters.id ?? "");
      // The policy that is there already needs the tags turned off as well.
      if (before) await check({ ...before, ...body });
      return describe(await forward());
    },
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
