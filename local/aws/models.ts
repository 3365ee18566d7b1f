import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

// AWS's own models of its APIs, as botocore brings them: what each call must and may hold.

/** What a value may be. Of a model's description of it, what is asked of requests. */
export interface Shape {
  type: string;
  /** Of a structure. */
  members?: Readonly<Record<string, Member>>;
  required?: readonly string[];
  /** Any JSON. */
  document?: boolean;
  /** Of a list. */
  member?: Member;
  /** Of a map. */
  key?: Member;
  value?: Member;
  flattened?: boolean;
  /** Of a string its length, of a list or map the number of its entries, of a number its value. */
  min?: number;
  max?: number;
  /** For the whole of a string. */
  pattern?: string;
  enum?: readonly string[];
  /** Whether it is a secret, which no error repeats. */
  sensitive?: boolean;
}

export interface Member {
  /** Name of its shape. */
  shape: string;
  /** Where in an HTTP request it stands, if not in its body. */
  location?: "uri" | "querystring" | "header" | "headers";
  /** What it is called there, or in the body. Default its own name. */
  locationName?: string;
  /** The same in EC2's protocol. */
  queryName?: string;
}

export interface Operation {
  name: string;
  method: string;
  /** Such as `/clusters/{name}`. */
  path: string;
  /** Name of the shape of what it takes; absent where that is nothing. */
  input?: string;
}

export interface Model {
  /** `query`, `ec2`, `json`, `rest-json` or `rest-xml`. */
  protocol: string;
  operations: readonly Operation[];
  shapes: Readonly<Record<string, Shape>>;
}

/** The model of a service, by the name in its signatures; undefined when there is none. */
export type Models = (service: string) => Promise<Model | undefined>;

/** The models that a virtual environment of Python brings with botocore, each read when it is first asked for. */
export function botocoreModels(venv: string): Models {
  const known = new Map<string, Promise<Model | undefined>>();
  return (service) => {
    const found = known.get(service) ?? readModel(venv, service);
    known.set(service, found);
    return found;
  };
}

async function readModel(venv: string, service: string): Promise<Model | undefined> {
  const [python] = entries(join(venv, "lib")).filter((name) => name.startsWith("python3"));
  if (python === undefined || !/^[a-z0-9-]+$/.test(service)) return undefined;
  const folder = join(venv, "lib", python, "site-packages", "botocore", "data", service);
  const version = entries(folder).sort().at(-1); // a date
  if (version === undefined) return undefined;
  const file = entries(join(folder, version)).find((name) => /^service-2\.json(\.gz)?$/.test(name));
  if (file === undefined) return undefined;
  const bytes = await readFile(join(folder, version, file));
  const text = file.endsWith(".gz") ? await promisify(gunzip)(bytes) : bytes;
  return asModel(JSON.parse(text.toString()) as ServiceDescription);
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it is not installed
  }
}

/** A `service-2.json`. */
export interface ServiceDescription {
  metadata: { protocol: string };
  operations: Record<string, { http: { method: string; requestUri: string }; input?: { shape: string } }>;
  shapes: Record<string, Shape>;
}

/** Keeps what is asked of requests: no documentation, and nothing of answers, which are most of it. */
export function asModel({ metadata, operations, shapes }: ServiceDescription): Model {
  const kept: Record<string, Shape> = {};
  const keep = (name: string): void => {
    const shape = shapes[name];
    if (shape === undefined || name in kept) return;
    const { type, required, document, flattened, min, max, pattern, sensitive } = shape;
    const members = Object.entries(shape.members ?? {}).map(
      ([member, described]) => [member, memberOf(described)] as const,
    );
    const copy: Shape = {
      type,
      required,
      document,
      flattened,
      min,
      max,
      pattern,
      enum: shape.enum,
      sensitive,
    };
    if (shape.members) copy.members = Object.fromEntries(members);
    for (const part of ["member", "key", "value"] as const) {
      const described = shape[part];
      if (described) copy[part] = memberOf(described);
    }
    kept[name] = copy;
    for (const [, member] of members) keep(member.shape);
    for (const part of [copy.member, copy.key, copy.value]) if (part) keep(part.shape);
  };
  const found = Object.entries(operations).map(([name, { http, input }]): Operation => {
    if (input) keep(input.shape);
    return { name, method: http.method, path: http.requestUri, input: input?.shape };
  });
  return { protocol: metadata.protocol, operations: found, shapes: kept };
}

const memberOf = ({ shape, location, locationName, queryName }: Member): Member => ({
  shape,
  location,
  locationName,
  queryName,
});
