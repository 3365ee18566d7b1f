import { createHash } from "node:crypto";
import { autoName } from "../../provider-host/autoname.ts";
import { deepEqual, differences } from "../../provider-host/diff.ts";
import { isObject, type Properties, unknown } from "../../provider-host/properties.ts";
import { type Context, InitializationError, type ResourceType } from "../../provider-host/resource-type.ts";
import { ApiError, type ApiServer, isNotFound, type KubernetesObject } from "./api.ts";
import { problemsOf, untilGone } from "./await.ts";
import { importedInputs, prune, refreshedInputs } from "./drift.ts";
import { needsReplacement } from "./replace.ts";

/** What a provider instance works with. */
export interface Kubernetes {
  /** @throws Error when there is no kubeconfig. */
  readonly api: () => ApiServer;
  /** Namespace of namespaced objects that name none. */
  readonly namespace?: string;
  /** Whether to take fields over from other field managers. */
  readonly force: boolean;
  /** Whether a creation may take over an object that is there. */
  readonly upsert: boolean;
}

type KubernetesContext = Context<Kubernetes>;

const annotations = (object: Properties): Record<string, string> =>
  isObject(object.metadata) && isObject(object.metadata.annotations)
    ? (object.metadata.annotations as Record<string, string>)
    : {};

const autoNamed = (object: Properties): boolean => annotations(object)["pulumi.com/autonamed"] === "true";

const idOf = (object: KubernetesObject): string =>
  [object.metadata?.namespace, object.metadata?.name].filter(Boolean).join("/");

/** The object that an id means: `<namespace>/<name>` or `<name>`, of the kind that the type token or the inputs say. */
function objectOf(
  id: string,
  inputs: Properties,
  state: Properties,
  context: KubernetesContext,
): KubernetesObject {
  const [name = "", namespace] = id.split("/").reverse();
  const [, group = "", kind = ""] = context.type.split(":");
  const apiVersion = String(state.apiVersion ?? inputs.apiVersion ?? group.replace(/^core\//, ""));
  return {
    apiVersion,
    kind: String(state.kind ?? inputs.kind ?? kind.replace(/Patch$/, "")),
    metadata: { name, namespace, uid: (state.metadata as { uid?: string } | undefined)?.uid },
  };
}

/** Which manager the API server notes for our fields: of one resource always the same, of no two the same. */
function fieldManager(inputs: Properties, state: Properties, context: KubernetesContext): string {
  const named = annotations(inputs)["pulumi.com/patchFieldManager"];
  const digest = createHash("sha256").update(context.urn).digest("hex").slice(0, 8);
  return named ?? String(state.__fieldManager ?? `pulumi-kubernetes-${digest}`);
}

/** Server-side apply. */
async function apply(
  inputs: Properties,
  state: Properties,
  context: KubernetesContext,
  dryRun = false,
): Promise<KubernetesObject> {
  const api = context.config.api();
  const object = inputs as KubernetesObject;
  const force = dryRun || context.config.force || annotations(inputs)["pulumi.com/patchForce"] === "true";
  try {
    const answer = await api.request("PATCH", await api.path(object, object.metadata?.name), {
      query: {
        fieldManager: fieldManager(inputs, state, context),
        force: String(force),
        dryRun: dryRun ? "All" : undefined,
      },
      contentType: "application/apply-patch+yaml",
      body: object,
      signal: context.signal,
    });
    return answer as KubernetesObject;
  } catch (error) {
    if (error instanceof ApiError && error.reason === "Conflict") {
      throw new Error(
        `another field manager has changed what this program sets. ${error.message}\n` +
          'The annotation "pulumi.com/patchForce": "true" on the object takes the fields back.',
      );
    }
    throw error;
  }
}

async function get(
  object: KubernetesObject,
  context: KubernetesContext,
): Promise<KubernetesObject | undefined> {
  const api = context.config.api();
  try {
    const path = await api.path(object, object.metadata?.name);
    return (await api.request("GET", path, { signal: context.signal })) as KubernetesObject;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** What goes into the state: all but the API server's bookkeeping of who set which field. */
function outputs(live: KubernetesObject, manager: string): Properties {
  const { managedFields: _, ...metadata } = live.metadata ?? {};
  return { ...live, metadata, __fieldManager: manager };
}

/** Kubernetes objects of every kind. */
export function objectType(isPatch: boolean): ResourceType<Kubernetes> {
  return {
    async check(olds, news, request, context) {
      const metadata = isObject(news.metadata) ? { ...news.metadata } : {};
      if (news.metadata === unknown) return news;
      if (metadata.generateName !== undefined) {
        const reason = "the local stand-in for the kubernetes provider does not make names by generateName";
        return [{ property: "metadata.generateName", reason }];
      }
      if (metadata.name === undefined) {
        if (isPatch)
          return [{ property: "metadata.name", reason: "a patch needs the name of what it patches" }];
        const kept = autoNamed(olds) && isObject(olds.metadata) ? olds.metadata.name : undefined;
        try {
          metadata.name = kept ?? autoName(request, { maxLength: 63, lowerCase: true });
        } catch (error) {
          return [{ property: "metadata.name", reason: (error as Error).message }];
        }
        metadata.annotations = { ...annotations(news), "pulumi.com/autonamed": "true" };
      }
      const { namespaced } = await context.config.api().resource(news as KubernetesObject);
      if (!namespaced) delete metadata.namespace;
      else metadata.namespace ??= context.config.namespace ?? context.config.api().namespace;
      return { ...news, metadata };
    },

    diff: (olds, news) =>
      differences(olds, news).map((one) => ({ ...one, replace: needsReplacement(news, one.path) })),

    nameStays: (olds, news) =>
      !autoNamed(news) &&
      ["name", "namespace"].every((key) =>
        deepEqual((olds.metadata as Properties)?.[key], (news.metadata as Properties)?.[key]),
      ),

    preview(news, oldState) {
      const metadata = isObject(news.metadata) ? news.metadata : {};
      const fromServer = ["uid", "resourceVersion", "creationTimestamp", "generation"];
      const known = isObject(oldState?.metadata) ? oldState.metadata : {};
      const server = Object.fromEntries(fromServer.map((key) => [key, known[key] ?? unknown]));
      return { ...news, metadata: { ...server, ...metadata }, status: oldState?.status ?? unknown };
    },

    async create(inputs, context) {
      const object = inputs as KubernetesObject;
      const there = await get(object, context);
      if (isPatch && !there) throw new Error(`there is no ${object.kind} ${idOf(object)} to patch`);
      if (!isPatch && there && !context.config.upsert) {
        const { name } = await context.config.api().resource(object);
        throw new Error(
          `resource ${idOf(object)} was not successfully created by the Kubernetes API server: ` +
            `${name} "${object.metadata?.name}" already exists`,
        );
      }
      // Applied and not posted, so that the fields are of one manager from the start, and a field that the program
      // drops later goes away.
      const made = await apply(inputs, {}, context);
      const problems = isPatch ? [] : await problemsOf(context.config.api(), made, context);
      if (problems.length > 0) throw initializationError(made, "created", problems);
      return idOf(object);
    },

    async read(id, context, { inputs, state }) {
      const live = await get(objectOf(id, inputs, state, context), context);
      if (live === undefined || live.metadata?.deletionTimestamp) return undefined;
      return outputs(live, fieldManager(inputs, state, context));
    },

    async inputs(oldInputs, oldState, live, context) {
      if (Object.keys(oldInputs).length === 0) {
        const { __fieldManager: _, ...object } = live;
        return importedInputs(object);
      }
      const now = prune(live, oldInputs);
      if (deepEqual(now, oldInputs)) return oldInputs;
      // What the API server refuses to apply, such as a change of what is immutable, is compared as it is written.
      const applied = await apply(oldInputs, oldState, context, true).then(
        (answer) => prune(answer, oldInputs),
        () => oldInputs,
      );
      return refreshedInputs(oldInputs, applied, now) as Properties;
    },

    async update(_, news, { oldState }, context) {
      const made = await apply(news, oldState, context);
      const problems = isPatch ? [] : await problemsOf(context.config.api(), made, context);
      if (problems.length > 0) throw initializationError(made, "updated", problems);
    },

    async delete(id, state, context) {
      const object = objectOf(id, {}, state, context);
      if (isPatch) {
        // To apply nothing is to give up the fields: those that nobody else sets go.
        if (await get(object, context)) {
          const { uid: _, ...metadata } = object.metadata ?? {};
          await apply({ ...object, metadata }, state, context);
        }
        return;
      }
      const api = context.config.api();
      const path = await api.path(object, object.metadata?.name);
      const uid = object.metadata?.uid;
      try {
        await api.request("DELETE", path, {
          // Foreground: what it owns goes first. The uid keeps us from deleting somebody else's of the same name.
          body: { propagationPolicy: "Foreground", ...(uid ? { preconditions: { uid } } : {}) },
          signal: context.signal,
        });
      } catch (error) {
        if (isNotFound(error)) return;
        // A conflict: it is another object by now, or a namespace that is on its way out already. Waiting tells.
        if (!(error instanceof ApiError && error.status === 409)) throw error;
      }
      if (annotations(state)["pulumi.com/skipAwait"] !== "true") await untilGone(api, object, path, context);
    },
  };
}

const initializationError = (object: KubernetesObject, done: string, problems: string[]) =>
  new InitializationError(idOf(object), [
    `resource ${idOf(object)} was successfully ${done}, but the Kubernetes API server reported that it failed to ` +
      `fully initialize or become live: ${problems[0]}`,
    ...problems.slice(1),
  ]);
