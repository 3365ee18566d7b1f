import { ChannelCredentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import rpc from "@pulumi/pulumi/proto/provider_pb.js";
import { Empty, fromStruct, type Properties, toStruct } from "../../../local/pulumi/provider-host/index.ts";

/** One engine's connection, with plain values in the place of messages. */
export class Engine {
  readonly #client: ResourceProviderClient;
  readonly #type: string;
  readonly #name: string;

  /** @param type Type of the resources that the operations are about, and `name` their logical name. */
  constructor(port: number, type: string, name: string) {
    this.#type = type;
    this.#name = name;
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

  async delete(id: string, state: Properties = {}): Promise<void> {
    const request = this.#about(new rpc.DeleteRequest());
    request.setId(id);
    request.setProperties(toStruct(state));
    await call((done) => this.#client.delete(request, done));
  }

  async invoke(token: string, args: Properties = {}): Promise<Properties> {
    const request = new rpc.InvokeRequest();
    request.setTok(token);
    request.setArgs(toStruct(args));
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
    request.setUrn(`urn:pulumi:test::test::${this.#type}::${this.#name}`);
    request.setType(this.#type);
    request.setName(this.#name);
    return request;
  }
}

const call = <R>(send: (done: (error: Error | null, response: R) => void) => unknown): Promise<R> =>
  new Promise((resolve, reject) => send((error, response) => (error ? reject(error) : resolve(response))));
