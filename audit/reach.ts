import { type Access, accessOf, patternsMeet, within } from "../doctor/access.ts";
import { allows, matches, type Statement, statementsOf, texts } from "../iam/policy-reader.ts";
import { actionsTakingRole, type Danger, sensitiveActions } from "./sensitive-actions.ts";
import type { RoleDetail, Snapshot } from "./snapshot.ts";

/** What a role effectively may do: its policies within its boundary and its session's policy. */
export interface Reach {
  readonly services: readonly ServiceReach[];
  /** The sensitive actions that it may call, by name, somewhere at least. */
  readonly sensitive: readonly SensitiveReach[];
  /** Access to every action that is asked for, and to those that take a role. */
  readonly access: ReadonlyMap<string, Access>;
  /** Whether it may call every action on every resource, whatever the conditions. */
  readonly administrator: boolean;
  /** What an Allow of all but some actions leaves out, where that is all that bounds it. */
  readonly allBut?: string;
  /** Policies whose documents could not be read. */
  readonly unread: readonly string[];
}

export interface ServiceReach {
  /** As actions name it: `s3`; `*` for all. */
  readonly service: string;
  /** Actions as the policies name them: `GetObject`, `List*`, `*`. */
  readonly actions: readonly string[];
  /** Resources, where the policies name some; `*` where they name all. */
  readonly resources: readonly string[];
  /** Whether all of it hangs on conditions. */
  readonly conditional: boolean;
  /** Whether every action is allowed on every resource, whatever the conditions. */
  readonly whole: boolean;
}

export interface SensitiveReach extends Access {
  readonly action: string;
  readonly danger: Danger;
}

interface Grant {
  readonly service: string;
  readonly name: string;
  readonly resources: readonly string[];
  readonly conditional: boolean;
  readonly allBut?: string;
}

const asked = [...new Set([...sensitiveActions.keys(), ...Object.keys(actionsTakingRole)])];

/** Those of the actions that are asked for which a pattern covers. Policies share most of their patterns. */
const covered = new Map<string, readonly string[]>();
function askedOf(pattern: string): readonly string[] {
  const key = pattern.toLowerCase();
  const known = covered.get(key);
  if (known !== undefined) return known;
  const found = asked.filter((action) => matches(pattern, action, { ignoreCase: true }));
  covered.set(key, found);
  return found;
}

/** Reads what roles may do. Roles with the same policies are read once. */
export function reachReader({ documents }: Pick<Snapshot, "documents">) {
  const parsed = new Map<string, readonly Statement[]>();
  const statements = (document: string): readonly Statement[] => {
    const known = parsed.get(document) ?? statementsOf(document);
    parsed.set(document, known);
    return known;
  };
  const limits = new Map<string, Limit>();
  const limitOf = (document: string): Limit => {
    const known = limits.get(document) ?? limitBy(statements(document));
    limits.set(document, known);
    return known;
  };
  const known = new Map<string, Reach>();

  return (role: RoleDetail, sessionPolicy?: string): Reach => {
    const key = JSON.stringify([
      role.inline.map((one) => one.document),
      role.attached,
      role.boundaryArn,
      sessionPolicy,
    ]);
    const before = known.get(key);
    if (before !== undefined) return before;
    const managed = role.attached.map((arn) => ({ arn, document: documents[arn] }));
    const own = [
      ...role.inline.map(({ document }) => document),
      ...managed.flatMap(({ document }) => document ?? []),
    ];
    const boundary = role.boundaryArn === undefined ? undefined : documents[role.boundaryArn];
    const limiting = [boundary, sessionPolicy].filter((one) => one !== undefined);
    const unread = [
      ...managed.flatMap(({ arn, document }) => (document === undefined ? [arn] : [])),
      ...(role.boundaryArn !== undefined && boundary === undefined ? [role.boundaryArn] : []),
    ];
    const reach = read(own.flatMap(statements), limiting.map(limitOf), unread);
    known.set(key, reach);
    return reach;
  };
}

/** A boundary or session policy. */
interface Limit {
  readonly statements: readonly Statement[];
  /** What is left of a grant within it. */
  within(grant: Grant): Grant[];
}

function limitBy(statements: readonly Statement[]): Limit {
  const grants = statements.flatMap(grantsOf);
  const byService = Map.groupBy(grants, ({ service }) => service);
  const patterned = grants.filter(({ service }) => /[*?]/.test(service));
  return {
    statements,
    within(grant) {
      const candidates = /[*?]/.test(grant.service)
        ? grants
        : [...(byService.get(grant.service) ?? []), ...patterned];
      return candidates.flatMap((limit) => lesser(grant, limit) ?? []);
    },
  };
}

/** What two grants both allow; undefined where that is nothing. */
function lesser(one: Grant, other: Grant): Grant | undefined {
  const service = narrower(one.service, other.service);
  const name = narrower(one.name, other.name);
  if (service === undefined || name === undefined) return undefined;
  const resources = one.resources.flatMap((a) => other.resources.flatMap((b) => narrower(a, b) ?? []));
  if (resources.length === 0) return undefined;
  const allBut = one.allBut ?? other.allBut;
  return {
    service,
    name,
    resources: [...new Set(resources)],
    conditional: one.conditional || other.conditional,
    // Of "all but a few" within "all of a service" the few are hardly ever of that service.
    ...(allBut !== undefined && service === "*" && { allBut }),
  };
}

/** The narrower of two patterns; the first where neither holds the other and yet both meet. */
function narrower(one: string, other: string): string | undefined {
  const options = { ignoreCase: true };
  if (other === "*" || matches(other, one, options)) return one;
  if (one === "*" || matches(one, other, options)) return other;
  return /[*?]/.test(one) && /[*?]/.test(other) && patternsMeet(one.toLowerCase(), other.toLowerCase())
    ? one
    : undefined;
}

/** What a statement allows, an entry for each action as it names it. */
function grantsOf({ Effect, Action, NotAction, Resource, NotResource, Condition = {} }: Statement): Grant[] {
  if (Effect !== "Allow") return [];
  const rest = {
    resources: NotResource === undefined ? texts(Resource) : [`all but ${texts(NotResource).join(", ")}`],
    conditional: Object.keys(Condition).length > 0,
  };
  if (NotAction !== undefined)
    return [{ service: "*", name: "*", allBut: texts(NotAction).join(", "), ...rest }];
  return texts(Action).map((action) => {
    const [service = "*", name = "*"] = action.split(":");
    return { service: service.toLowerCase(), name, ...rest };
  });
}

function read(own: readonly Statement[], limits: readonly Limit[], unread: readonly string[]): Reach {
  const denied = own
    .concat(...limits.map(({ statements }) => statements))
    .filter(
      ({ Effect, Condition, Resource }) => Effect === "Deny" && !Condition && texts(Resource).includes("*"),
    );
  const allowed = own.flatMap(grantsOf);
  const grants = limits
    .reduce((left, limit) => left.flatMap((grant) => limit.within(grant)), allowed)
    .filter((grant) => !denied.some((deny) => allows(deny, `${grant.service}:${grant.name}`)));

  const candidates = new Set(
    grants.flatMap(({ service, name }) =>
      askedOf(service === "*" && name === "*" ? "*" : `${service}:${name}`),
    ),
  );
  const access = new Map<string, Access>();
  const wrapped = [{ Statement: own }];
  for (const action of candidates) {
    const found = limits.reduce(
      (left, { statements }) => within(left, accessOf([{ Statement: statements }], action, "*")),
      accessOf(wrapped, action, "*"),
    );
    if (found.kind !== "denied" && found.kind !== "not allowed") access.set(action, found);
  }
  const everything = grants.filter(
    ({ service, name, resources, conditional }) =>
      service === "*" && name === "*" && resources.includes("*") && !conditional,
  );
  const allBut = everything.find((grant) => grant.allBut !== undefined)?.allBut;
  const administrator = everything.some((grant) => grant.allBut === undefined);
  return {
    services: servicesOf(grants),
    sensitive: [...access]
      .flatMap(([action, found]) => {
        const danger = sensitiveActions.get(action);
        return danger === undefined ? [] : [{ action, danger, ...found }];
      })
      .sort((a, b) => (a.action < b.action ? -1 : 1)),
    access,
    administrator,
    ...(!administrator && allBut !== undefined && { allBut }),
    unread,
  };
}

function servicesOf(grants: readonly Grant[]): ServiceReach[] {
  return [...Map.groupBy(grants, ({ service }) => service)]
    .map(([service, some]) => {
      const actions = new Set(
        some.map(({ name, allBut }) => (allBut === undefined ? name : `all but ${allBut}`)),
      );
      const resources = new Set(some.flatMap((one) => one.resources));
      return {
        service,
        actions: actions.has("*") ? ["*"] : [...actions].sort(),
        resources: resources.has("*") ? ["*"] : [...resources].sort(),
        conditional: some.every(({ conditional }) => conditional),
        whole: some.some(
          ({ name, resources, conditional }) => name === "*" && resources.includes("*") && !conditional,
        ),
      };
    })
    .sort((a, b) => (a.service < b.service ? -1 : 1));
}
