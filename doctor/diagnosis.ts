import { askedOnce } from "./asked-once.ts";
import {
  Chain,
  type Facts,
  type Identity,
  type LinkReport,
  type Patient,
  type Target,
  Walk,
} from "./chain.ts";
import { agent } from "./links/agent.ts";
import { injection, podIdentityInjection } from "./links/injection.ts";
import { issuer, oidcProvider } from "./links/issuer.ts";
import { cluster } from "./links/kubeconfig-cluster.ts";
import { permissions, targetPermissions } from "./links/permissions.ts";
import { pod } from "./links/pod.ts";
import { isTold, podProfile } from "./links/pod-profile.ts";
import { annotatedRole, associatedRole, session } from "./links/pod-role.ts";
import { readable } from "./links/readable.ts";
import { containerCredentialsSdk, webIdentitySdk } from "./links/sdk.ts";
import { serviceAccount } from "./links/service-account.ts";
import { mayAssume, targetRole, targetSts, targetTrust } from "./links/target-role.ts";
import { podIdentityToken, sts, token } from "./links/token.ts";
import { podIdentityTrust, trust } from "./links/trust.ts";
import type { World } from "./world.ts";

// The chains, and which of them a ServiceAccount has: the first two links tell, and its pods where they leave it open. Each is
// walked in two parts: the way to the pod's role, and, once its pods told where they go on to, what acts in the end.

const head = Chain.from().link(cluster).link(serviceAccount);
type Known = "cluster" | "apiIssuer" | "identity" | "since" | "passedOver" | "sessionPolicy";

const irsa = Chain.from<Known | "roleArn" | "audience">()
  .link(issuer)
  .link(annotatedRole)
  .link(oidcProvider)
  .link(trust)
  .link(session)
  .link(pod)
  .link(injection)
  .link(readable)
  .link(token)
  .link(sts);

const podIdentity = Chain.from<Known | "association">()
  .link(associatedRole)
  .link(podIdentityTrust)
  .link(pod)
  .link(agent)
  .link(podIdentityInjection)
  .link(readable)
  .link(podIdentityToken);

const ways = { irsa, "pod-identity": podIdentity } as const;

/** What acts: the pod's own role, or the one that it goes on to. */
const ends = {
  irsa: {
    own: irsa.given<"nextRole">().link(permissions).link(webIdentitySdk),
    next: irsa
      .given<"target" | "nextRole">()
      .link(targetRole)
      .link(mayAssume)
      .link(targetTrust)
      .link(targetSts)
      .link(targetPermissions)
      .link(webIdentitySdk),
  },
  "pod-identity": {
    own: podIdentity.given<"nextRole">().link(permissions).link(containerCredentialsSdk),
    next: podIdentity
      .given<"target" | "nextRole">()
      .link(targetRole)
      .link(mayAssume)
      .link(targetTrust)
      .link(targetPermissions)
      .link(containerCredentialsSdk),
  },
} as const;

export interface Diagnosis {
  readonly patient: Patient;
  readonly chain: Identity["kind"];
  /** `healthy`: every link was looked at, and holds. `broken` at one link. `unseen`: something could not be told. */
  readonly state: "healthy" | "broken" | "unseen";
  readonly links: readonly LinkReport[];
}

/** Walks a ServiceAccount's chain to its first broken link. */
export async function diagnose(
  world: World,
  patient: Patient,
  onLink: (report: LinkReport) => void = () => {},
): Promise<Diagnosis> {
  const walk = new Walk(askedOnce(world), patient, onLink);
  await walk.along(head.links);
  const podFirst = walk.proved.passedOver !== undefined;
  if (podFirst) {
    await walk.along(Chain.from<"identity">().link(pod).links);
    Object.assign(walk.proved, webIdentityOf(walk.proved));
  }
  const { identity } = walk.proved;
  const kind = identity?.kind ?? "irsa"; // of a ServiceAccount without a role IRSA's links are shown, unreached
  Object.assign(walk.proved, factsOf(identity));
  const way = ways[kind].links;
  await walk.along(way.filter(({ id }) => id !== pod.id || !podFirst));

  const asked = targetOf(identity, patient);
  const { containers = [] } = walk.proved;
  // What the person says, or the association, needs no look at what the pod is told.
  if (asked === undefined && containers.some(isTold)) {
    await walk.along(Chain.from<"pod" | "sources" | "identity">().link(podProfile).links);
  } else Object.assign(walk.proved, { nextRole: undefined });
  const target = asked ?? walk.proved.nextRole;
  Object.assign(walk.proved, target && { target });
  const end = ends[kind][target ? "next" : "own"].links.slice(way.length);
  // Without an action nothing was asked of what the role may do.
  await walk.along(end.filter(({ id }) => id !== permissions.id || patient.actions.length > 0));
  walk.end();
  const states = walk.reports.map(({ finding }) => finding.state);
  return {
    patient,
    chain: kind,
    state: states.includes("broken") ? "broken" : states.includes("unseen") ? "unseen" : "healthy",
    links: walk.reports,
  };
}

/**
 * What the pods of a ServiceAccount with both took: a web identity, which SDKs take before the agent's, if it is for the
 * association's role. So it is while workloads move over. Source: docs/migrating.md.
 */
function webIdentityOf({ identity, passedOver, containers }: Partial<Facts>): Partial<Facts> {
  if (identity?.kind !== "pod-identity" || passedOver === undefined || !containers?.length) return {};
  const { roleArn } = identity.association;
  const took = containers.every(
    ({ env }) => env.AWS_WEB_IDENTITY_TOKEN_FILE !== undefined && env.AWS_ROLE_ARN === roleArn,
  );
  return took ? { identity: { ...passedOver.identity, roleArn }, since: passedOver.since } : {};
}

/** What a way to a role gives to the links after the first two. */
function factsOf(identity: Identity | undefined): Partial<Facts> {
  switch (identity?.kind) {
    case undefined:
      return {};
    case "irsa":
      return { roleArn: identity.roleArn, audience: identity.audience, sessionPolicy: undefined };
    case "pod-identity":
      return { association: identity.association, sessionPolicy: identity.association.sessionPolicy };
  }
}

/** The role to be assumed next: what the association says, or the person. */
function targetOf(identity: Identity | undefined, { assumeRole, externalId }: Patient): Target | undefined {
  const association = identity?.kind === "pod-identity" ? identity.association : undefined;
  if (association?.targetRoleArn !== undefined) {
    const { targetRoleArn: arn, externalId, sessionTags } = association;
    return { arn, sessionTags, ...(externalId !== undefined && { externalId }) };
  }
  return assumeRole === undefined
    ? undefined
    : { arn: assumeRole, sessionTags: false, ...(externalId !== undefined && { externalId }) };
}
