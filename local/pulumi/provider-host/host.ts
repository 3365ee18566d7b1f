import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import rpc from "@pulumi/pulumi/proto/provider_pb.js";
import type { AutoNameRequest, AutoNaming } from "./autoname.ts";
import { type Connection, Connections } from "./connections.ts";
import { type Difference, deepEqual, formatPath } from "./diff.ts";
import { describe, serviceError } from "./grpc-errors.ts";
import * as operations from "./operations.ts";
import { fromStruct, type Properties, toStruct } from "./properties.ts";
import { Empty } from "./protobuf.ts";
import type { Context, Failure, Provider, ResourceType } from "./resource-type.ts";

export interface HostOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 takes a free one. Default 0. */
  readonly port?: number;
  /** One line for each change that was made or failed. */
  readonly log: (line: string) => void;
}

export interface HostedProvider {
  readonly port: number;
  /** Ends what is under way and stops listening. */
  close(): Promise<void>;
}

/** More of the gRPC service, for providers that have components. */
export type Extension = (engineAddress: (peer: string) => string | undefined) => UntypedServiceImplementation;

/**
 * Serves a provider to Pulumi engines over gRPC (`pulumirpc.ResourceProvider`), as PULUMI_DEBUG_PROVIDERS attaches them.
 * Any number of engines may be connected at once.
 */
export async function serve<C>(
  provider: Provider<C>,
  options: HostOptions,
  extension?: Extension,
): Promise<HostedProvider> {
  const connections = new Connections<C>();
  // What Pulumi's own servers allow for one message.
  const bytes = 400 * 1024 * 1024;
  const server = new Server({
    "grpc.max_receive_message_length": bytes,
    "grpc.max_send_message_length": bytes,
  });
  server.addService(ResourceProviderService, {
    ...service(provider, connections, options.log),
    ...extension?.((peer) => connections.of(peer).engineAddress),
  });
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync(`${options.host}:${options.port ?? 0}`, credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    async close() {
      connections.cancelAll();
      server.forceShutdown();
    },
  };
}

interface ResourceRequest {
  getUrn(): string;
  getType(): string;
  getName(): string;
  getTimeout?(): number;
}

function service<C>(
  provider: Provider<C>,
  connections: Connections<C>,
  log: (line: string) => void,
): UntypedServiceImplementation {
  const unary =
    <Q, R>(
      answer: (request: Q, connection: Connection<C>, peer: string) => R | Promise<R>,
    ): handleUnaryCall<Q, R> =>
    (call: ServerUnaryCall<Q, R>, callback) => {
      const peer = call.getPeer();
      const connection = connections.of(peer);
      let answered = false;
      // Comes at the end of every call. Before its answer it means that the engine has gone, for it cancels no single call:
      // as a provider of its own would, this one ends with it.
      call.on("cancelled", () => answered || connection.cancel());
      Promise.resolve()
        .then(() => answer(call.request, connection, peer))
        .finally(() => {
          answered = true;
        })
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback(serviceError(error)),
        );
    };

  const title = provider.title ?? `the ${provider.name} provider`;

  const contextOf = (connection: Connection<C>, request: ResourceRequest): Context<C> => {
    if (connection.config === undefined) throw new Error(`${title} is not configured`);
    const urn = request.getUrn();
    return {
      config: connection.config,
      provider: title,
      urn,
      type: request.getType(),
      logicalName: request.getName(),
      timeoutSeconds: request.getTimeout?.() || undefined,
      signal: connection.signal,
      status: (message, severity = "info") => connection.log(urn, message, severity, true),
      log: (message, severity = "info") => connection.log(urn, message, severity, false),
    };
  };

  const typeOf = (request: ResourceRequest): ResourceType<C> => {
    const type = provider.resourceType(request.getType());
    if (type) return type;
    throw new Error(`${title} has no resource type ${request.getType()}`);
  };

  const logged = async <R>(what: string, request: ResourceRequest, work: () => Promise<R>): Promise<R> => {
    const begun = Date.now();
    try {
      const result = await work();
      log(`${what} ${request.getUrn()} in ${Date.now() - begun} ms`);
      return result;
    } catch (error) {
      log(`${what} ${request.getUrn()} failed: ${describe(error)}`);
      throw error;
    }
  };

  return {
    handshake: unary((request: rpc.ProviderHandshakeRequest, _, peer) => {
      connections.begin(peer).engineAddress = request.getEngineAddress();
      const response = new rpc.ProviderHandshakeResponse();
      response.setSupportsAutonamingConfiguration(true);
      // Components work on outputs and references. Plain resources want plain values: the engine unwraps secrets for
      // them and marks them again by their names.
      const rich = provider.hasComponents ?? false;
      response.setAcceptSecrets(rich);
      response.setAcceptResources(rich);
      response.setAcceptOutputs(rich);
      return response;
    }),

    attach: unary((request: { getAddress(): string }, connection) => {
      connection.engineAddress = request.getAddress();
      return new Empty();
    }),

    getPluginInfo: unary(() => {
      const response = new pluginMessages.PluginInfo();
      response.setVersion(provider.version);
      return response;
    }),

    getSchema: unary(() => {
      const response = new rpc.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: provider.name, version: provider.version }));
      return response;
    }),

    checkConfig: unary((request: rpc.CheckRequest) => {
      const response = new rpc.CheckResponse();
      response.setInputs(request.getNews());
      return response;
    }),

    diffConfig: unary((request: rpc.DiffRequest) => {
      const [olds, news] = [fromStruct(request.getOldInputs()), fromStruct(request.getNews())];
      const response = new rpc.DiffResponse();
      const { DIFF_SOME, DIFF_NONE } = rpc.DiffResponse.DiffChanges;
      response.setChanges(deepEqual(olds, news) ? DIFF_NONE : DIFF_SOME);
      response.setReplacesList([...(provider.replacedBy?.(olds, news) ?? [])]);
      return response;
    }),

    configure: unary((request: rpc.ConfigureRequest, connection) => {
      connection.config = provider.configure(fromJsonStrings(fromStruct(request.getArgs())));
      const response = new rpc.ConfigureResponse();
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),

    check: unary(async (request: rpc.CheckRequest, connection) => {
      const checked = await operations.check(
        typeOf(request),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
        autoNameRequest(request),
        contextOf(connection, request),
      );
      const response = new rpc.CheckResponse();
      if (Array.isArray(checked)) response.setFailuresList(checked.map(toFailure));
      else response.setInputs(toStruct(checked));
      return response;
    }),

    diff: unary((request: rpc.DiffRequest) =>
      toDiffResponse(
        operations.diff(typeOf(request), fromStruct(request.getOldInputs()), fromStruct(request.getNews())),
      ),
    ),

    create: unary(async (request: rpc.CreateRequest, connection) => {
      const type = typeOf(request);
      const inputs = fromStruct(request.getProperties());
      const response = new rpc.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(toStruct(operations.preview(type, inputs)));
        return response;
      }
      const { id, state } = await logged("created", request, () =>
        operations.create(type, inputs, contextOf(connection, request)),
      );
      response.setId(id);
      response.setProperties(toStruct(state));
      return response;
    }),

    read: unary(async (request: rpc.ReadRequest, connection) => {
      const live = await operations.read(
        typeOf(request),
        request.getId(),
        fromStruct(request.getInputs()),
        fromStruct(request.getProperties()),
        contextOf(connection, request),
      );
      const response = new rpc.ReadResponse();
      if (live === undefined) return response; // an empty id: it is gone
      response.setId(request.getId());
      response.setInputs(toStruct(live.inputs));
      response.setProperties(toStruct(live.state));
      return response;
    }),

    update: unary(async (request: rpc.UpdateRequest, connection) => {
      const type = typeOf(request);
      const [olds, news] = [fromStruct(request.getOlds()), fromStruct(request.getNews())];
      const response = new rpc.UpdateResponse();
      const state = request.getPreview()
        ? operations.preview(type, news, olds)
        : await logged("updated", request, () =>
            operations.update(
              type,
              request.getId(),
              fromStruct(request.getOldInputs()),
              olds,
              news,
              contextOf(connection, request),
            ),
          );
      response.setProperties(toStruct(state));
      return response;
    }),

    delete: unary(async (request: rpc.DeleteRequest, connection) => {
      const state = fromStruct(request.getProperties());
      await logged("deleted", request, () =>
        operations.remove(typeOf(request), request.getId(), state, contextOf(connection, request)),
      );
      return new Empty();
    }),

    invoke: unary(async (request: rpc.InvokeRequest, connection) => {
      const token = request.getTok();
      const call = provider.functions[token];
      if (!call) throw new Error(`${title} has no function ${token}`);
      const context = contextOf(connection, {
        getUrn: () => token,
        getType: () => token,
        getName: () => token,
      });
      const result = await call(fromStruct(request.getArgs()), context).catch((error: unknown) => {
        throw new Error(`invoking ${token}: ${describe(error)}`);
      });
      const response = new rpc.InvokeResponse();
      response.setReturn(toStruct(result));
      return response;
    }),

    cancel: unary((_: Empty, connection) => {
      connection.cancel();
      return new Empty();
    }),
  };
}

function autoNameRequest(request: rpc.CheckRequest): AutoNameRequest {
  const options = request.getAutonaming();
  const { ENFORCE, DISABLE } = rpc.CheckRequest.AutonamingOptions.Mode;
  const modes: Record<number, AutoNaming["mode"]> = { [ENFORCE]: "enforce", [DISABLE]: "disable" };
  return {
    logicalName: request.getName(),
    seed: request.getRandomseed_asU8(),
    autoNaming: options && {
      proposedName: options.getProposedName(),
      mode: modes[options.getMode()] ?? "propose",
    },
  };
}

function toFailure({ property, reason }: Failure): rpc.CheckFailure {
  const failure = new rpc.CheckFailure();
  failure.setProperty(property);
  failure.setReason(reason);
  return failure;
}

const { Kind } = rpc.PropertyDiff;
const kinds: Record<
  Difference["kind"],
  { readonly update: rpc.PropertyDiff.Kind; readonly replace: rpc.PropertyDiff.Kind }
> = {
  add: { update: Kind.ADD, replace: Kind.ADD_REPLACE },
  delete: { update: Kind.DELETE, replace: Kind.DELETE_REPLACE },
  update: { update: Kind.UPDATE, replace: Kind.UPDATE_REPLACE },
};

function toDiffResponse({ differences, deleteBeforeReplace }: operations.Diff): rpc.DiffResponse {
  const response = new rpc.DiffResponse();
  const { DIFF_SOME, DIFF_NONE } = rpc.DiffResponse.DiffChanges;
  response.setChanges(differences.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList([...new Set(differences.map(({ path }) => String(path[0])))]);
  response.setReplacesList([
    ...new Set(differences.filter(({ replace }) => replace).map(({ path }) => String(path[0]))),
  ]);
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  for (const { path, kind, replace } of differences) {
    const detail = new rpc.PropertyDiff();
    detail.setKind(kinds[kind][replace ? "replace" : "update"]);
    detail.setInputdiff(true);
    response.getDetaileddiffMap().set(formatPath(path), detail);
  }
  return response;
}

/** A provider's configuration as it was given: SDKs send what is no string as JSON text. */
function fromJsonStrings(args: Properties): Properties {
  const parsed = (value: unknown): unknown => {
    if (typeof value !== "string" || !/^(\[|\{|true$|false$)/.test(value)) return value;
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  };
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, parsed(value)]));
}
