import type { ReadExchange } from "./exchange.ts";
import type { Member, Model, Operation, Shape } from "./models.ts";
import { type PathParameters, routeOf } from "./route.ts";

/** A call, in the words of its service's model. */
export interface ModelledCall {
  operation: Operation;
  /** What it holds: in the Query protocols all scalars are strings. Undefined where its body cannot be read. */
  input: unknown;
}

export type ReadRequest = Pick<ReadExchange, "action" | "parameters" | "body" | "call"> & {
  incoming: { headers: ReadExchange["incoming"]["headers"] };
};

/** Reads a request by its service's model; undefined for an operation that the model does not have, or cannot tell. */
export function readCall(model: Model, request: ReadRequest): ModelledCall | undefined {
  switch (model.protocol) {
    case "query":
    case "ec2":
      return named(model, request.action, (shape) =>
        structure(model, shape, "", new Query(request.parameters, model.protocol === "ec2")),
      );
    case "json":
      return named(model, request.action, () => parsed(request.body === "" ? "{}" : request.body));
    case "rest-json":
      return byPath(model, request);
    default:
      return undefined; // S3's, whose bodies are streamed
  }
}

function named(model: Model, action: string, read: (shape: Shape) => unknown): ModelledCall | undefined {
  const operation = model.operations.find(({ name }) => name === action);
  const shape = operation?.input === undefined ? undefined : model.shapes[operation.input];
  return operation && { operation, input: shape ? read(shape) : {} };
}

function byPath(model: Model, { call, body, incoming }: ReadRequest): ModelledCall | undefined {
  for (const operation of model.operations) {
    const path = operation.method === call.method ? routeOf(operation.path)(call.path) : undefined;
    if (path === undefined) continue;
    const members = Object.entries(model.shapes[operation.input ?? ""]?.members ?? {});
    const inBody = body === "" ? {} : parsed(body);
    if (typeof inBody !== "object" || inBody === null) return { operation, input: undefined };
    const input = members.map(([name, member]) => {
      const value = fromRequest(model, name, member, path, call.query, incoming.headers);
      return [name, member.location ? value : (inBody as PathParameters)[member.locationName ?? name]];
    });
    return { operation, input: Object.fromEntries(input) };
  }
  return undefined;
}

/** A member that stands outside of the body. */
function fromRequest(
  model: Model,
  name: string,
  { shape, location, locationName = name }: Member,
  path: PathParameters,
  query: URLSearchParams,
  headers: ReadRequest["incoming"]["headers"],
): unknown {
  const typed = (text: string | null | undefined): unknown => {
    if (text === null || text === undefined) return undefined;
    const { type } = model.shapes[shape] ?? {};
    if (type === "integer" || type === "long") return Number(text);
    return type === "boolean" ? text === "true" : text;
  };
  if (location === "uri") return typed(path[locationName]);
  if (location === "header") return typed(String(headers[locationName.toLowerCase()] ?? "") || undefined);
  if (location !== "querystring") return undefined;
  if (model.shapes[shape]?.type === "list")
    return query.has(locationName) ? query.getAll(locationName) : undefined;
  return typed(query.get(locationName));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Parameters of the Query protocol, or of EC2's, which names some of them otherwise. */
class Query {
  readonly #parameters: URLSearchParams;
  readonly #prefixes: ReadonlySet<string>;
  readonly ec2: boolean;

  constructor(parameters: URLSearchParams, ec2: boolean) {
    this.#parameters = parameters;
    this.ec2 = ec2;
    // `Tags`, `Tags.member`, `Tags.member.1` and `Tags.member.1.Key` for the last of them.
    this.#prefixes = new Set(
      [...parameters.keys()].flatMap((key) =>
        key.split(".").map((_, end, parts) => parts.slice(0, end + 1).join(".")),
      ),
    );
  }

  has(prefix: string): boolean {
    return this.#prefixes.has(prefix);
  }

  get(name: string): string | undefined {
    return this.#parameters.get(name) ?? undefined;
  }

  nameOf(name: string, { locationName, queryName }: Member): string {
    if (!this.ec2) return locationName ?? name;
    return queryName ?? (locationName ?? name).replace(/^./, (first) => first.toUpperCase());
  }
}

function structure(model: Model, shape: Shape, prefix: string, query: Query): Record<string, unknown> {
  const members = Object.entries(shape.members ?? {}).flatMap(([name, member]) => {
    const key = [prefix, query.nameOf(name, member)].filter(Boolean).join(".");
    return query.has(key) ? [[name, value(model, member, key, query)]] : [];
  });
  return Object.fromEntries(members);
}

function value(model: Model, member: Member, key: string, query: Query): unknown {
  const shape = model.shapes[member.shape];
  switch (shape?.type) {
    case "structure":
      return structure(model, shape, key, query);
    case "list": {
      const of = shape.member;
      const at = query.ec2 || shape.flattened ? key : `${key}.${of?.locationName ?? "member"}`;
      return of ? numbered(at, query).map((one) => value(model, of, one, query)) : [];
    }
    case "map": {
      const { key: ofKey, value: ofValue } = shape;
      const pairs = numbered(shape.flattened ? key : `${key}.entry`, query).map((one) => [
        query.get(`${one}.${ofKey?.locationName ?? "key"}`) ?? "",
        ofValue && value(model, ofValue, `${one}.${ofValue.locationName ?? "value"}`, query),
      ]);
      return Object.fromEntries(pairs);
    }
    default:
      return query.get(key);
  }
}

/** `Tags.member.1`, `Tags.member.2`, and so on, as far as there are any. */
function numbered(prefix: string, query: Query): string[] {
  const found: string[] = [];
  while (query.has(`${prefix}.${found.length + 1}`)) found.push(`${prefix}.${found.length + 1}`);
  return found;
}
