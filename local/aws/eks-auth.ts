import type { ReadExchange } from "./exchange.ts";
import {
  type Assumption,
  notAssumable,
  type PodIdentity,
  type PodIdentityEnvironment,
  verifyPodIdentity,
} from "./podidentity.ts";
import { AwsError, jsonReply, type Reply } from "./reply.ts";
import { routeOf } from "./route.ts";

/** Temporary credentials, and whose they are. */
export interface RoleSession {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: Date;
  /** `arn:aws:sts::…:assumed-role/…`. */
  arn: string;
  /** The role's id, a colon, the session's name. */
  assumedRoleId: string;
}

export interface EksAuthOptions {
  podIdentity: PodIdentityEnvironment;
  /**
   * Has MiniStack assume a role: as its root, whose trust it does not look at, or as the session of another role.
   *
   * @throws an error named `AccessDenied` where that session may not.
   */
  assumeRole(assumption: Assumption, as?: RoleSession): Promise<RoleSession>;
  log(line: string): void;
}

const route = routeOf("/clusters/{cluster}/assume-role-for-pod-identity");

/**
 * EKS Auth, whose one action is AssumeRoleForPodIdentity: swaps a pod's token for credentials of the role that the pod's
 * ServiceAccount is associated with. Whether the caller may ask is left open, for which AWS has an action in the policy of
 * the nodes' role: it is the token that the answer goes by.
 *
 * @param forward to MiniStack, which does not have the service, and says so once it has checked the caller's signature.
 */
export async function eksAuth(
  { call, body }: Pick<ReadExchange, "call" | "body">,
  forward: () => Promise<Reply>,
  options: EksAuthOptions,
): Promise<Reply> {
  const asked = call.method === "POST" ? route(call.path) : undefined;
  if (asked === undefined)
    throw new AwsError("UnknownOperationException", "EKS Auth has no such operation.", 404);
  const reply = await forward();
  if (!/unsupported service/i.test(reply.body)) return reply;

  const { cluster = "" } = asked;
  let identity: PodIdentity;
  let session: RoleSession;
  try {
    identity = await verifyPodIdentity(
      cluster,
      String((JSON.parse(body) as { token: string }).token),
      options.podIdentity,
    );
    session = await assume(identity, options);
  } catch (error) {
    if (error instanceof AwsError)
      options.log(`AssumeRoleForPodIdentity ${cluster}: ${error.code}, ${error.message}`);
    throw error;
  }
  const { pod, association } = identity;
  options.log(
    `AssumeRoleForPodIdentity ${session.arn}: credentials for the pod ${pod.namespace}/${pod.name}`,
  );
  return jsonReply({
    subject: { namespace: pod.namespace, serviceAccount: pod.serviceAccount },
    audience: "pods.eks.amazonaws.com",
    podIdentityAssociation: { associationArn: association.arn, associationId: association.id },
    assumedRoleUser: { arn: session.arn, assumeRoleId: session.assumedRoleId },
    credentials: {
      accessKeyId: session.accessKeyId,
      secretAccessKey: session.secretAccessKey,
      sessionToken: session.sessionToken,
      expiration: session.expiration.getTime() / 1000,
    },
  });
}

async function assume(
  { hops: [first, second] }: PodIdentity,
  { assumeRole }: EksAuthOptions,
): Promise<RoleSession> {
  const session = await assumeRole(first);
  if (second === undefined) return session;
  return assumeRole(second, session).catch((error: Error) => {
    throw error.name === "AccessDenied" ? notAssumable() : error;
  });
}
