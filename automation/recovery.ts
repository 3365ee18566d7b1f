import { withoutColours } from "./errors.ts";
import type { ServiceIds } from "./service-ids.ts";

// What to do with a stack whose engine was killed. It writes down what it is about to create, and once that is created,
// under which id. Killed in between, the one may be there that nobody knows: the next `up` would make a second, and
// `destroy` leave the first behind. Almost every id follows from the inputs that were written down; so the resource is
// put into the state under that id, and a refresh finds out whether it is really there. The ids of some the service is asked for.

/** A resource in a stack's state. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly id?: string;
  /** Waits to be deleted, as what was replaced does. */
  readonly delete?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** The state of a stack, as the engine exports it. The keys are the engine's own. */
export interface State {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly {
    readonly resource: StateResource;
    /** `creating`, `updating`, `deleting`, `reading` or `importing`. */
    readonly type: string;
  }[];
}

/** What becomes of the state of a stack whose engine was killed. */
export interface Recovery {
  /** With what may be there. A refresh of it takes out again what is not. */
  readonly state: State;
  /** URNs of what is looked for. */
  readonly lookedFor: readonly string[];
  /** What may be there, but cannot be found by what is known of it. */
  readonly lost: readonly StateResource[];
}

/**
 * @param asked what the services said of ids that do not follow from the inputs.
 * @returns undefined where no operation was cut off.
 */
export function recoveryOf(state: State, asked: ServiceIds = new Map()): Recovery | undefined {
  const pending = state.pending_operations ?? [];
  if (pending.length === 0) return undefined;
  const resources = [...(state.resources ?? [])];
  const lookedFor: string[] = [];
  const lost: StateResource[] = [];
  for (const { resource, type } of pending) {
    if (type !== "creating" || resource.custom !== true || !outlivesEngine(resource.type)) continue;
    const id = idOf(resource, resources) ?? asked.get(resource.urn);
    if (id === undefined) {
      // The service may have said that it has none.
      if (!asked.has(resource.urn)) lost.push(resource);
      continue;
    }
    const own = resources.filter(({ urn }) => urn === resource.urn);
    lookedFor.push(resource.urn);
    if (own.some((one) => one.id === id)) continue; // put there by a recovery that was cut off itself
    // Beside the one that it was to replace it cannot live under the same URN: it is deleted, and made again.
    const replacement = own.some((one) => one.delete !== true);
    resources.push({ ...resource, id, outputs: {}, ...(replacement ? { delete: true } : {}) });
  }
  return { state: { ...state, resources }, lookedFor, lost };
}

/** The state without the operations that were cut off, once it is known what came of them. */
export const withoutPending = (state: State): State => ({ ...state, pending_operations: [] });

/** Providers end with the engine. An image is built again, which changes nothing where it is there. */
const outlivesEngine = (type: string): boolean =>
  !type.startsWith("pulumi:") && type !== "docker:index/image:Image";

type Inputs = Readonly<Record<string, unknown>>;

/** Ids by type, as `pulumi import` takes them. Each type's page in the Pulumi registry tells them under "Import". */
const ids: Readonly<Record<string, (inputs: Inputs, known: readonly StateResource[]) => string | undefined>> =
  {
    "aws:cloudwatch/logGroup:LogGroup": ({ name }) => text(name),
    "aws:ec2/securityGroupRule:SecurityGroupRule": securityGroupRuleId,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": ({ repository }) => text(repository),
    "aws:ecr/repository:Repository": ({ name }) => text(name),
    "aws:eks/accessEntry:AccessEntry": ({ clusterName, principalArn }) =>
      joined(":", clusterName, principalArn),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": ({ clusterName, principalArn, policyArn }) =>
      joined("#", clusterName, principalArn, policyArn),
    "aws:eks/addon:Addon": ({ clusterName, addonName }) => joined(":", clusterName, addonName),
    "aws:eks/cluster:Cluster": ({ name }) => text(name),
    "aws:eks/nodeGroup:NodeGroup": ({ clusterName, nodeGroupName }) =>
      joined(":", clusterName, nodeGroupName),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": ({ url }, known) => {
      const account = accountOf(known);
      const issuer = text(url)?.replace(/^https:\/\//, "");
      return account && issuer && `${account}:oidc-provider/${issuer}`;
    },
    "aws:iam/policy:Policy": ({ path = "/", name }, known) => {
      const account = accountOf(known);
      return account && text(name) && `${account}:policy${path}${name}`;
    },
    "aws:iam/role:Role": ({ name }) => text(name),
    "aws:iam/rolePolicy:RolePolicy": ({ role, name }) => joined(":", role, name),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ({ role, policyArn }) =>
      joined("/", role, policyArn),
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": ({ roleName }) => text(roleName),
  };

/** The id that a resource has, if it is there; undefined where only the service knows it. */
function idOf({ type, inputs = {} }: StateResource, known: readonly StateResource[]): string | undefined {
  if (type.startsWith("kubernetes:")) {
    const { namespace, name } = (inputs.metadata ?? {}) as Inputs;
    return text(name) && [text(namespace), text(name)].filter(Boolean).join("/");
  }
  return ids[type]?.(inputs, known);
}

/** `<group>_ingress_tcp_443_443_<source>_…`: a rule has no name, and EC2 refuses to make one that says the same. */
function securityGroupRuleId(inputs: Inputs): string | undefined {
  const { securityGroupId, type, protocol, fromPort, toPort, sourceSecurityGroupId, self } = inputs;
  const blocks = [inputs.cidrBlocks, inputs.ipv6CidrBlocks, inputs.prefixListIds].flatMap(
    (list) => list ?? [],
  );
  const sources = [...(self === true ? ["self"] : []), ...blocks, sourceSecurityGroupId ?? []].flat();
  if (sources.length === 0) return undefined;
  return joined("_", securityGroupId, type, protocol, String(fromPort), String(toPort), ...sources);
}

/** `arn:<partition>:iam::<account>`, from any IAM resource in the state. */
function accountOf(known: readonly StateResource[]): string | undefined {
  for (const { outputs } of known) {
    const account = /^arn:[\w-]+:iam::\d{12}/.exec(text(outputs?.arn) ?? "")?.[0];
    if (account !== undefined) return account;
  }
  return undefined;
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

function joined(separator: string, ...parts: readonly unknown[]): string | undefined {
  const texts = parts.map(text);
  return texts.includes(undefined) ? undefined : texts.join(separator);
}

/** What a person is told, before anything is done. */
export function recoveryMessage({ lookedFor, lost }: Recovery): string {
  const names = lookedFor.map((urn) => urn.split("::").at(-1)).join(", ");
  const unknown = lost.map(({ urn, inputs }) => {
    const name = text(inputs?.name);
    return `${urn.split("::").slice(-2).join(" ")}${name === undefined ? "" : `, perhaps there as ${name}`}`;
  });
  return [
    "An earlier operation on this stack was cut off. The state is compared with what is really there first.",
    ...(names === "" ? [] : [`What it was creating is looked for: ${names}.`]),
    ...unknown.map(
      (one) =>
        `It cannot be told whether it has made ${withoutColours(one)}. Delete it by hand if it is there.`,
    ),
  ].join("\n");
}
