import { type AutoNameRequest, wasDefaulted, withAutoNames } from "./autoname.ts";
import { type Difference, differences, liveInputs, sameValue } from "./diff.ts";
import { describe, initializationFailed } from "./grpc-errors.ts";
import { containsUnknown, isAbsent, isObject, type Properties, unknown } from "./properties.ts";
import { type Context, type Failure, InitializationError, type ResourceType } from "./resource-type.ts";

// What the engine asks of a resource type, derived from its plain functions. No gRPC here.

/** Inputs with names and defaults filled in, or what is wrong with them. */
export async function check<C>(
  type: ResourceType<C>,
  olds: Properties,
  news: Properties,
  request: AutoNameRequest,
  context: Context<C>,
): Promise<Properties | Failure[]> {
  if (type.check) return type.check(olds, news, request, context);
  const properties = type.properties ?? {};
  const failures: Failure[] = [];
  for (const [key, value] of Object.entries(news)) {
    if (!(key in properties) && !key.startsWith("__") && !isAbsent(value)) {
      failures.push({
        property: key,
        reason: `${context.provider} knows no input '${key}' of ${context.type}`,
      });
    }
  }
  failures.push(...refusals(properties, news));
  if (failures.length > 0) return failures;
  try {
    return withAutoNames(properties, olds, news, request);
  } catch (error) {
    return [{ property: "name", reason: describe(error) }];
  }
}

/** What is missing, and what the provider refuses before it asks the service; members included. */
function refusals(
  properties: NonNullable<ResourceType<unknown>["properties"]>,
  values: Properties,
): Failure[] {
  return Object.entries(properties).flatMap(([key, { required, refuse, members }]) => {
    const value = values[key];
    if (value === undefined) {
      return required ? [{ property: key, reason: `missing required property '${key}'` }] : [];
    }
    const reason = containsUnknown(value) ? undefined : refuse?.(value);
    const inside = members && isObject(value) ? refusals(members, value) : [];
    return [
      ...(reason === undefined ? [] : [{ property: key, reason }]),
      ...inside.map((one) => ({ ...one, property: `${key}.${one.property}` })),
    ];
  });
}

export interface Diff {
  readonly differences: readonly Difference[];
  readonly deleteBeforeReplace: boolean;
}

/** What a change of inputs means for a resource. */
export function diff<C>(type: ResourceType<C>, olds: Properties, news: Properties): Diff {
  const found = (type.diff?.(olds, news) ?? differences(olds, news, type.properties)).map((one) =>
    type.update ? one : { ...one, replace: true },
  );
  const replaced = found.some(({ replace }) => replace);
  // Two resources cannot have one name: where the name is the person's and stays, the old one has to go first.
  const nameStays =
    type.nameStays?.(olds, news) ??
    Object.entries(type.properties ?? {}).some(
      ([key, property]) =>
        property.autoName && !wasDefaulted(news, key) && sameValue(property, olds[key], news[key]),
    );
  return {
    differences: found,
    deleteBeforeReplace: replaced && (type.deleteBeforeReplace === true || nameStays),
  };
}

const withoutOurs = (inputs: Properties): Properties =>
  Object.fromEntries(Object.entries(inputs).filter(([key]) => !key.startsWith("__")));

/** The outputs that a preview can tell. Touches nothing. */
export function preview<C>(type: ResourceType<C>, news: Properties, oldState?: Properties): Properties {
  if (type.preview) return type.preview(news, oldState);
  const outputs = { ...oldState, ...withoutOurs(news) };
  const fromService = oldState === undefined ? type.computed : type.volatile;
  for (const key of fromService ?? []) if (!(key in news)) outputs[key] = unknown;
  return outputs;
}

/** Makes a resource and reads it back. */
export async function create<C>(
  type: ResourceType<C>,
  inputs: Properties,
  context: Context<C>,
): Promise<{ id: string; state: Properties }> {
  const given = withoutOurs(inputs);
  try {
    const made = await type.create(given, context);
    if (typeof made !== "string") return { id: made.id, state: merged(type, given, made.state) };
    return { id: made, state: await stateOf(type, made, given, {}, context) };
  } catch (error) {
    throw await explained("creating", error, type, inputs, {}, context);
  }
}

/** Changes a resource and reads it back. */
export async function update<C>(
  type: ResourceType<C>,
  id: string,
  oldInputs: Properties,
  oldState: Properties,
  news: Properties,
  context: Context<C>,
): Promise<Properties> {
  const given = withoutOurs(news);
  const changed = new Set(diff(type, oldInputs, news).differences.map(({ path }) => String(path[0])));
  try {
    const told = await type.update?.(
      id,
      given,
      { oldInputs: withoutOurs(oldInputs), oldState, changed },
      context,
    );
    return told ? merged(type, given, told) : await stateOf(type, id, given, oldState, context);
  } catch (error) {
    throw await explained("updating", error, type, news, oldState, context);
  }
}

export async function remove<C>(
  type: ResourceType<C>,
  id: string,
  state: Properties,
  context: Context<C>,
): Promise<void> {
  try {
    await type.delete(id, state, context);
  } catch (error) {
    throw new Error(`deleting ${context.urn}: ${describe(error)}`);
  }
}

/** The live outputs and the inputs that lead to them; undefined when the resource is gone. */
export async function read<C>(
  type: ResourceType<C>,
  id: string,
  oldInputs: Properties,
  oldState: Properties,
  context: Context<C>,
): Promise<{ inputs: Properties; state: Properties } | undefined> {
  try {
    const live = await type.read(id, context, { inputs: withoutOurs(oldInputs), state: oldState });
    if (live === undefined) return undefined;
    const inputs = type.inputs
      ? await type.inputs(oldInputs, oldState, live, context)
      : liveInputs(type.properties ?? {}, oldInputs, oldState, live);
    return { inputs, state: merged(type, withoutOurs(inputs), live) };
  } catch (error) {
    throw new Error(`reading ${context.urn}: ${describe(error)}`);
  }
}

/** Outputs after an operation: what the service says, and what it does not say but was given. */
async function stateOf<C>(
  type: ResourceType<C>,
  id: string,
  inputs: Properties,
  oldState: Properties,
  context: Context<C>,
): Promise<Properties> {
  const live = await type.read(id, context, { inputs, state: oldState });
  if (live === undefined) throw new Error(`${id} is not there, though it was made just now`);
  return merged(type, inputs, live);
}

const merged = <C>(type: ResourceType<C>, inputs: Properties, live: Properties): Properties =>
  type.properties ? { ...inputs, ...live } : live;

async function explained<C>(
  doing: string,
  error: unknown,
  type: ResourceType<C>,
  inputs: Properties,
  oldState: Properties,
  context: Context<C>,
): Promise<Error> {
  const message = `${doing} ${context.urn}: ${describe(error)}`;
  if (!(error instanceof InitializationError)) return new Error(message);
  const state = await stateOf(type, error.id, withoutOurs(inputs), oldState, context).catch(() => undefined);
  return state === undefined ? new Error(message) : initializationFailed(error, message, state, inputs);
}
