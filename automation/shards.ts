import type { State, StateResource } from "./recovery.ts";

// Which of several stacks has which bindings. A namespace is always whole in one stack; it stays in the one whose state holds
// it, and one that none holds goes to the stack with the fewest bindings. So nothing moves when a binding is added or a stack,
// and what a run that was cut off has made is found where it was made.

/** A namespace whose bindings go from one stack to another. */
export interface Move {
  readonly namespace: string;
  readonly from: string;
  readonly to: string;
}

export interface Placement<Binding> {
  /** The bindings of each stack that is to have any, or may get some. */
  readonly shards: ReadonlyMap<string, readonly Binding[]>;
  readonly moves: readonly Move[];
  /** Moves that were cut off between the two states: both hold the namespace, and that of `from` is to forget it. */
  readonly unfinished: readonly Move[];
}

/**
 * @param targets Names of the stacks that are to have the bindings.
 * @param held Namespaces by the stack whose state holds them; also of stacks that are to give theirs away.
 */
export function place<Binding extends { readonly namespace: string }>(
  bindings: readonly Binding[],
  targets: readonly string[],
  held: ReadonlyMap<string, ReadonlySet<string>>,
): Placement<Binding> {
  const shards = new Map(targets.map((stack): [string, Binding[]] => [stack, []]));
  const unfinished: Move[] = [];
  const toPlace: { namespace: string; own: Binding[]; from: string | undefined }[] = [];
  for (const [namespace, own] of Map.groupBy(bindings, (one) => one.namespace)) {
    const holders = [...held].flatMap(([stack, namespaces]) => (namespaces.has(namespace) ? [stack] : []));
    const holder = holders.find((stack) => shards.has(stack)) ?? holders[0];
    for (const from of holders) {
      if (holder !== undefined && from !== holder) unfinished.push({ namespace, from, to: holder });
    }
    const shard = holder === undefined ? undefined : shards.get(holder);
    if (shard === undefined) toPlace.push({ namespace, own, from: holder });
    else shard.push(...own);
  }
  // The large ones first, so that the small ones even out what is left.
  toPlace.sort((a, b) => b.own.length - a.own.length || (a.namespace < b.namespace ? -1 : 1));
  const moves: Move[] = [];
  for (const { namespace, own, from } of toPlace) {
    const [to, shard] = [...shards].reduce((least, one) => (one[1].length < least[1].length ? one : least));
    shard.push(...own);
    if (from !== undefined) moves.push({ namespace, from, to });
  }
  return { shards, moves, unfinished };
}

const bindingType = "eks-irsa:index:IrsaServiceAccount";
const namespaceType = "kubernetes:core/v1:Namespace";

/** The namespace that a resource belongs to: by the names that the program gives a namespace, a binding and what is below it. */
function namespaceOf({ urn, type }: StateResource): string | undefined {
  const [types = "", name = ""] = urn.split("::").slice(2);
  // The lister's own binding has no dot in its name.
  if (types.split("$").includes(bindingType)) return /^([^.]+)\./.exec(name)?.[1];
  return type === namespaceType ? /^namespace-(.+)$/.exec(name)?.[1] : undefined;
}

/** The namespaces that a stack holds anything of, what is half made too. */
export function heldBy({ resources = [], pending_operations: pending = [] }: State): Set<string> {
  const all = [...resources, ...pending.map(({ resource }) => resource)];
  return new Set(all.flatMap((one) => namespaceOf(one) ?? []));
}

/**
 * URNs of what goes with namespaces into another stack. What is below a binding goes with it.
 *
 * @param made Namespaces that the bindings' stack makes: another one stays with the stack that does.
 */
export function urnsOf(
  { resources = [] }: State,
  namespaces: ReadonlySet<string>,
  made: ReadonlySet<string>,
): string[] {
  return resources.flatMap((one) => {
    const namespace = namespaceOf(one);
    if (namespace === undefined || !namespaces.has(namespace)) return [];
    const goes = one.type === bindingType || (one.type === namespaceType && made.has(namespace));
    return goes ? [one.urn] : [];
  });
}

/**
 * The state of `from` without what is of these namespaces and in the state of `to` as well, after a move that was cut off.
 *
 * @throws Error where `to` does not hold the same.
 */
export function forgetting(from: State, to: State, namespaces: ReadonlySet<string>): State {
  const here = new Map((to.resources ?? []).map((one) => [withoutStack(one.urn), one]));
  const kept = (from.resources ?? []).filter((one) => {
    const namespace = namespaceOf(one);
    if (namespace === undefined || !namespaces.has(namespace)) return true;
    const same = here.get(withoutStack(one.urn));
    if (same !== undefined && same.id !== one.id) {
      throw new Error(
        `Both ${one.urn} and ${same.urn} are there, as ${one.id} and ${same.id}: two stacks have bindings of the ` +
          `namespace ${namespace}. Delete those of one: what they have made is not the same.`,
      );
    }
    return same === undefined;
  });
  return { ...from, resources: kept };
}

/** A URN from its project on. */
const withoutStack = (urn: string): string => urn.split("::").slice(1).join("::");

/** How many stacks there are to be: those that there are, and as many more as the bindings want. */
export function stacksFor(
  bindings: readonly { readonly namespace: string }[],
  existing: number,
  perStack: number,
): number {
  const namespaces = new Set(bindings.map(({ namespace }) => namespace)).size;
  return Math.max(existing, Math.min(namespaces, Math.ceil(bindings.length / perStack)), 1);
}
