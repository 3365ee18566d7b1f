import { existsSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { describe } from "../../provider-host/errors.ts";
import { isObject, type Properties } from "../../provider-host/properties.ts";

/** A Kubernetes object as JSON. */
export interface KubernetesObject extends Properties {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

export interface ObjectMeta extends Properties {
  name?: string;
  namespace?: string;
  uid?: string;
  generation?: number;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { uid: string }[];
}

/** An answer of the API server that is no success. */
export class ApiError extends Error {
  readonly status: number;
  /** Such as `NotFound` or `Conflict`. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.name = "ApiError";
  }
}

export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

export interface ApiRequest {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** What discovery tells of a kind. */
interface ApiResource {
  name: string;
  kind: string;
  namespaced: boolean;
}

/** The API server that a kubeconfig points to. Objects go over the wire as they are, with no typed model in between. */
export class ApiServer {
  readonly #resources = new Map<string, Promise<ApiResource[]>>();
  #credentials?: { readonly options: Promise<https.RequestOptions>; readonly until: number };

  readonly kubeconfig: KubeConfig;

  constructor(kubeconfig: KubeConfig) {
    this.kubeconfig = kubeconfig;
  }

  /** Namespace of the kubeconfig's current context, or `default`. */
  get namespace(): string {
    return this.kubeconfig.getContextObject(this.kubeconfig.getCurrentContext())?.namespace ?? "default";
  }

  /** @throws ApiError when the server answers with an error; Error when it does not answer. */
  async request(method: string, path: string, request: ApiRequest = {}): Promise<unknown> {
    const text = await this.text(method, path, request);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** As `request`, for answers that are no JSON. */
  async text(method: string, path: string, request: ApiRequest = {}): Promise<string> {
    const server = this.kubeconfig.getCurrentCluster()?.server;
    if (server === undefined) throw new Error("the kubeconfig has no current cluster");
    const options = await this.#authenticated();
    const url = new URL(server.replace(/\/$/, "") + path);
    for (const [key, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, value);
    }
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers = {
      ...options.headers,
      accept: "application/json, */*",
      ...(body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
    };
    const answer = await exchange(url, { ...options, method, headers, signal: request.signal }, body);
    if (answer.status < 300) return answer.text;
    throw toError(answer.status, answer.text);
  }

  /**
   * TLS settings and credentials. The client asks the token program anew for every request that comes before its first
   * answer, and whenever its token has no expiry; so the answer serves for half a minute.
   */
  #authenticated(): Promise<https.RequestOptions> {
    if (this.#credentials && Date.now() < this.#credentials.until) return this.#credentials.options;
    const options: https.RequestOptions = {};
    const applied = this.kubeconfig.applyToHTTPSOptions(options).then(
      () => options,
      (error: unknown) => {
        this.#credentials = undefined;
        throw new Error(`the kubeconfig's credentials: ${describe(error)}`);
      },
    );
    this.#credentials = { options: applied, until: Date.now() + 30_000 };
    return applied;
  }

  /** Path of one object, or of all objects of its kind where there is no name. */
  async path(object: KubernetesObject, name?: string): Promise<string> {
    const { apiVersion = "" } = object;
    const resource = await this.resource(object);
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const scope = resource.namespaced ? `/namespaces/${object.metadata?.namespace ?? this.namespace}` : "";
    return `${root}${scope}/${resource.name}${name === undefined ? "" : `/${name}`}`;
  }

  /** @throws Error when the server has no such kind. */
  async resource({ apiVersion = "", kind = "" }: KubernetesObject): Promise<ApiResource> {
    const find = async () => (await this.#discover(apiVersion)).find((resource) => resource.kind === kind);
    const known = await find();
    if (known) return known;
    this.#resources.delete(apiVersion); // a CustomResourceDefinition may have come since
    const found = await find();
    if (!found) throw new Error(`the Kubernetes API server has no kind ${kind} in ${apiVersion}`);
    return found;
  }

  #discover(apiVersion: string): Promise<ApiResource[]> {
    const known = this.#resources.get(apiVersion);
    if (known) return known;
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const asked = this.request("GET", root).then(
      (list) => (list as { resources: ApiResource[] }).resources.filter(({ name }) => !name.includes("/")),
      (error: unknown) => {
        this.#resources.delete(apiVersion);
        if (isNotFound(error)) return [];
        throw error;
      },
    );
    this.#resources.set(apiVersion, asked);
    return asked;
  }
}

function exchange(
  url: URL,
  options: https.RequestOptions,
  body: string | undefined,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    // An agent for TLS does not serve plain HTTP.
    const request =
      url.protocol === "http:"
        ? http.request(url, { ...options, agent: undefined })
        : https.request(url, options);
    request.on("error", (error) => reject(new Error(`${url.origin}: ${error.message || String(error)}`)));
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    request.end(body);
  });
}

function toError(status: number, text: string): ApiError {
  try {
    const { reason, message } = JSON.parse(text) as { reason?: string; message?: string };
    return new ApiError(status, reason ?? String(status), message ?? text);
  } catch {
    return new ApiError(status, String(status), `HTTP ${status}: ${text.slice(0, 500)}`);
  }
}

/**
 * A kubeconfig from its text, a path to it, or its content as an object.
 *
 * @param environment For the programs that fetch tokens (`aws eks get-token`), on top of this process's.
 */
export function loadKubeconfig(
  given: unknown,
  environment: Readonly<Record<string, string>>,
): KubeConfig | undefined {
  const config = new KubeConfig();
  if (isObject(given)) config.loadFromString(JSON.stringify(given));
  else if (typeof given !== "string" || given === "") return undefined;
  else if (!given.includes("\n") && existsSync(given)) config.loadFromFile(given);
  else config.loadFromString(given);

  const extra = Object.entries(environment).map(([name, value]) => ({ name, value }));
  config.users = config.users.map((user) =>
    user.exec ? { ...user, exec: { ...user.exec, env: [...extra, ...(user.exec.env ?? [])] } } : user,
  );
  return config;
}
