import { ChannelCredentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import rpc from "@pulumi/pulumi/proto/provider_pb.js";
import { serve } from "../../../../local/pulumi/provider-host/host.ts";
import { fromStruct, type Properties, toStruct } from "../../../../local/pulumi/provider-host/properties.ts";
import { Empty } from "../../../../local/pulumi/provider-host/protobuf.ts";
import {
  InitializationError,
  type Provider,
  type ResourceType,
} from "../../../../local/pulumi/provider-host/resource-type.ts";

/** A provider of boxes, kept in memory, to drive the host with. */
export class Memory {
  readonly boxes = new Map<string, Properties>();
  /** What was done to boxes, in order. */
  readonly done: string[] = [];

  readonly boxType: ResourceType<{ shelf: string }> = {
    properties: {
      name: { replace: true, autoName: { maxLength: 20 } },
      size: { required: true },
      colour: { default: "brown" },
      lid: { members: { open: {}, hinge: { replace: true } } },
      tags: {},
      token: {},
    },
    computed: ["serial"],
    volatile: ["opened"],
    create: async (inputs, { config, signal }) => {
      this.done.push(`create on ${config.shelf}`);
      if (inputs.size === 13)
        throw Object.assign(new Error("thirteen is unlucky"), { name: "BadLuckException" });
      if (inputs.size === 99) {
        await new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        ).finally(() => this.done.push("ended"));
      }
      const id = String(inputs.name);
      const { token: _, ...kept } = inputs; // it is not told again, as passwords are not
      this.boxes.set(id, { colour: "brown", ...kept, serial: 7 });
      if (inputs.size === 666) throw new InitializationError(id, ["it rattles", "it smells"]);
      return id;
    },
    read: async (id) => this.boxes.get(id),
    update: async (id, news, { changed }) => {
      this.done.push(`update ${[...changed].sort().join(",")}`);
      this.boxes.set(id, { colour: "brown", ...news, serial: 7 });
    },
    delete: async (id) => {
      this.done.push(`delete ${id}`);
      this.boxes.delete(id);
    },
  };

  readonly provider: Provider<{ shelf: string }> = {
    name: "memory",
    version: "1.2.3",
    configure: (args) => ({ shelf: String(args.shelf ?? "floor") }),
    resourceType: (type) => (type === boxType ? this.boxType : undefined),
    functions: {
      "memory:index:shelf": async (_, { config }) => ({ shelf: config.shelf }),
    },
  };

  start() {
    return serve(this.provider, { host: "127.0.0.1", log: () => {} });
  }
}

export const boxType = "memory:index:Box";
export const urn = `urn:pulumi:test::test::${boxType}::my-box`;

/** One engine's connection, with plain values in the place of messages. */
export class Engine {
  readonly #client: ResourceProviderClient;

  constructor(port: number) {
    // A channel of its own: the engine shares none between provider instances, and grpc-js would.
    this.#client = new ResourceProviderClient(`127.0.0.1:${port}`, ChannelCredentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  close(): void {
    this.#client.close();
  }

  async configure(args: Properties): Promise<this> {
    const handshake = new rpc.ProviderHandshakeRequest();
    handshake.setEngineAddress("127.0.0.1:1");
    await call((done) => this.#client.handshake(handshake, done));
    const request = new rpc.ConfigureRequest();
    request.setArgs(toStruct(args));
    await call((done) => this.#client.configure(request, done));
    return this;
  }

  async check(news: Properties, olds: Properties = {}, seed = "seed") {
    const request = this.#about(new rpc.CheckRequest());
    request.setOlds(toStruct(olds));
    request.setNews(toStruct(news));
    request.setRandomseed(Buffer.from(seed));
    const response = await call<rpc.CheckResponse>((done) => this.#client.check(request, done));
    const failures = response.getFailuresList().map((one) => `${one.getProperty()}: ${one.getReason()}`);
    return { inputs: fromStruct(response.getInputs()), failures };
  }

  async diff(olds: Properties, news: Properties) {
    const request = this.#about(new rpc.DiffRequest());
    request.setId("my-box");
    request.setOldInputs(toStruct(olds));
    request.setOlds(toStruct(olds));
    request.setNews(toStruct(news));
    const response = await call<rpc.DiffResponse>((done) => this.#client.diff(request, done));
    const kinds = Object.fromEntries(
      Object.entries(rpc.PropertyDiff.Kind).map(([name, kind]) => [kind, name]),
    );
    return {
      some: response.getChanges() === rpc.DiffResponse.DiffChanges.DIFF_SOME,
      details: Object.fromEntries(
        [...response.getDetaileddiffMap().entries()].map(([path, detail]) => [path, kinds[detail.getKind()]]),
      ),
      replaces: response.getReplacesList(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  async create(inputs: Properties, preview = false) {
    const request = this.#about(new rpc.CreateRequest());
    request.setProperties(toStruct(inputs));
    request.setPreview(preview);
    const response = await call<rpc.CreateResponse>((done) => this.#client.create(request, done));
    return { id: response.getId(), state: fromStruct(response.getProperties()) };
  }

  async read(id: string, inputs: Properties = {}, state: Properties = {}) {
    const request = this.#about(new rpc.ReadRequest());
    request.setId(id);
    request.setInputs(toStruct(inputs));
    request.setProperties(toStruct(state));
    const response = await call<rpc.ReadResponse>((done) => this.#client.read(request, done));
    return {
      id: response.getId(),
      inputs: fromStruct(response.getInputs()),
      state: fromStruct(response.getProperties()),
    };
  }

  async update(id: string, olds: Properties, state: Properties, news: Properties, preview = false) {
    const request = this.#about(new rpc.UpdateRequest());
    request.setId(id);
    request.setOldInputs(toStruct(olds));
    request.setOlds(toStruct(state));
    request.setNews(toStruct(news));
    request.setPreview(preview);
    const response = await call<rpc.UpdateResponse>((done) => this.#client.update(request, done));
    return fromStruct(response.getProperties());
  }

  async delete(id: string): Promise<void> {
    const request = this.#about(new rpc.DeleteRequest());
    request.setId(id);
    request.setProperties(toStruct({}));
    await call((done) => this.#client.delete(request, done));
  }

  async invoke(token: string): Promise<Properties> {
    const request = new rpc.InvokeRequest();
    request.setTok(token);
    request.setArgs(toStruct({}));
    const response = await call<rpc.InvokeResponse>((done) => this.#client.invoke(request, done));
    return fromStruct(response.getReturn());
  }

  async diffConfig(olds: Properties, news: Properties): Promise<string[]> {
    const request = new rpc.DiffRequest();
    request.setOldInputs(toStruct(olds));
    request.setNews(toStruct(news));
    return (await call<rpc.DiffResponse>((done) => this.#client.diffConfig(request, done))).getReplacesList();
  }

  async cancel(): Promise<void> {
    await call((done) => this.#client.cancel(new Empty(), done));
  }

  #about<
    R extends {
      setUrn(urn: string): unknown;
      setType(type: string): unknown;
      setName(name: string): unknown;
    },
  >(request: R): R {
    request.setUrn(urn);
    request.setType(boxType);
    request.setName("my-box");
    return request;
  }
}

const call = <R>(send: (done: (error: Error | null, response: R) => void) => unknown): Promise<R> =>
  new Promise((resolve, reject) => send((error, response) => (error ? reject(error) : resolve(response))));
