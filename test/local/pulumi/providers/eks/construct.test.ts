import {
  ChannelCredentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import rpc from "@pulumi/pulumi/proto/provider_pb.js";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import monitorMessages from "@pulumi/pulumi/proto/resource_pb.js";
import { expect } from "chai";
import {
  Empty,
  fromStruct,
  type HostedProvider,
  type Properties,
  serve,
  toStruct,
} from "../../../../../local/pulumi/provider-host/index.ts";
import { components, methods } from "../../../../../local/pulumi/providers/eks/cluster.ts";
import { catchStrayErrors, componentService } from "../../../../../local/pulumi/providers/eks/construct.ts";
import { eksProvider } from "../../../../../local/pulumi/providers/eks/provider.ts";

/** The part of an engine that components register with; it makes nothing, and says what came. */
class FakeEngine {
  readonly registered: string[] = [];
  /** Refuses a type of resource. */
  refuses = "";
  readonly #server = new Server();
  #address = "";

  async start(): Promise<this> {
    const answer =
      <Q, R>(work: (request: Q) => R) =>
      ({ request }: ServerUnaryCall<Q, R>, reply: (error: object | null, answer?: R) => void): void => {
        try {
          reply(null, work(request));
        } catch (error) {
          reply({ code: 2, details: (error as Error).message });
        }
      };
    const monitor: UntypedServiceImplementation = {
      supportsFeature: answer((request: monitorMessages.SupportsFeatureRequest) => {
        const response = new monitorMessages.SupportsFeatureResponse();
        response.setHassupport(["secrets", "resourceReferences"].includes(request.getId()));
        return response;
      }),
      registerResource: answer((request: monitorMessages.RegisterResourceRequest) => {
        const [type, name] = [request.getType(), request.getName()];
        this.registered.push(`${type} ${name}`);
        if (type === this.refuses) throw new Error(`${type} is refused`);
        const inputs = fromStruct(request.getObject());
        const response = new monitorMessages.RegisterResourceResponse();
        response.setUrn(`urn:pulumi:test::test::${type}::${name}`);
        if (request.getCustom()) response.setId(`${name}-id`);
        response.setObject(toStruct({ ...inputs, ...outputs[type]?.(inputs) }));
        return response;
      }),
      registerResourceOutputs: answer(() => new Empty()),
      invoke: answer((request: monitorMessages.ResourceInvokeRequest) => {
        const response = new monitorMessages.ResourceInvokeResponse();
        // An attachment's role comes back as a reference, which the SDK looks up.
        const found = { urn: fromStruct(request.getArgs()).urn, id: "id", state: {} };
        const isLookUp = request.getTok() === "pulumi:pulumi:getResource";
        response.setReturn(toStruct(isLookUp ? found : (answers[request.getTok()] ?? {})));
        return response;
      }),
    };
    // What the runtime asks beside these is answered as an engine that does not know it.
    this.#server.addService(ResourceMonitorService, monitor);
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    this.#address = `127.0.0.1:${port}`;
    return this;
  }

  get address(): string {
    return this.#address;
  }

  close(): void {
    this.#server.forceShutdown();
  }
}

const outputs: Record<string, (inputs: Properties) => Properties> = {
  "aws:eks/cluster:Cluster": ({ name }) => ({
    arn: `arn:aws:eks:eu-central-1:111122223333:cluster/${name}`,
    version: "1.34",
    endpoint: "https://example",
    certificateAuthority: { data: "Q0E=" },
    identities: [{ oidcs: [{ issuer: "https://issuer.example" }] }],
    vpcConfig: { clusterSecurityGroupId: "sg-eks" },
  }),
};
const answers: Record<string, Properties> = {
  "aws:index/getPartition:getPartition": { partition: "aws" },
  "aws:ec2/getVpc:getVpc": { id: "vpc-default" },
  "aws:ec2/getSubnets:getSubnets": { ids: ["subnet-a"] },
  "aws:eks/getAddonVersion:getAddonVersion": { version: "v1" },
};

describe("components over the engine's protocol", () => {
  let hosted: HostedProvider;
  let release: () => void;
  const lines: string[] = [];
  const open: { close(): void }[] = [];

  before(async () => {
    release = catchStrayErrors((line) => lines.push(line));
    hosted = await serve(
      eksProvider,
      { host: "127.0.0.1", log: () => {} },
      componentService({ components, methods }, (line) => lines.push(line)),
    );
  });
  after(async () => {
    for (const one of open) one.close();
    await hosted.close();
    release();
  });

  /** An engine, and its own connection to the provider. */
  async function connect() {
    const engine = await new FakeEngine().start();
    const client = new ResourceProviderClient(
      `127.0.0.1:${hosted.port}`,
      ChannelCredentials.createInsecure(),
      { "grpc.use_local_subchannel_pool": 1 },
    );
    open.push(client, engine);
    const call = <R>(send: (done: (error: Error | null, answer: R) => void) => unknown): Promise<R> =>
      new Promise((resolve, reject) => send((error, answer) => (error ? reject(error) : resolve(answer))));
    const handshake = new rpc.ProviderHandshakeRequest();
    handshake.setEngineAddress(engine.address);
    await call((done) => client.handshake(handshake, done));
    const construct = (name: string, inputs: Properties, type = "eks:index:Cluster") => {
      const request = new rpc.ConstructRequest();
      request.setProject("test");
      request.setStack("test");
      request.setParallel(8);
      request.setMonitorendpoint(engine.address);
      request.setType(type);
      request.setName(name);
      request.setInputs(toStruct(inputs));
      return call<rpc.ConstructResponse>((done) => client.construct(request, done));
    };
    return { engine, construct };
  }
  const args = (name: string) => ({ name, authenticationMode: "API", skipDefaultNodeGroup: true });

  it("are made, their children registered with the engine that asked, and their outputs given", async () => {
    const { engine, construct } = await connect();
    const response = await construct("c", args("dev"));
    expect(response.getUrn()).to.equal("urn:pulumi:test::test::eks:index:Cluster::c");
    const state = fromStruct(response.getState());
    expect(JSON.parse(String(state.kubeconfigJson)).clusters[0].cluster.server).to.equal("https://example");
    expect(state.oidcIssuer).to.equal("issuer.example");
    expect(engine.registered).to.include.members([
      "eks:index:Cluster c",
      "aws:eks/cluster:Cluster c-eksCluster",
      "pulumi:providers:kubernetes c-eks-k8s",
    ]);
  });

  it("of two engines are made side by side, each with its own", async () => {
    const [one, other] = await Promise.all([connect(), connect()]);
    const made = await Promise.all([one.construct("a", args("a")), other.construct("b", args("b"))]);
    expect(made.map((response) => fromStruct(response.getState()).oidcProviderUrl)).to.deep.equal([
      "https://issuer.example",
      "https://issuer.example",
    ]);
    expect(one.engine.registered.filter((line) => !/ a(-|$)/.test(line))).to.deep.equal([]);
    expect(other.engine.registered.filter((line) => !/ b(-|$)/.test(line))).to.deep.equal([]);
  });

  it("fail with what a child failed with, instead of waiting for it", async () => {
    const { engine, construct } = await connect();
    engine.refuses = "aws:iam/role:Role";
    const error = await construct("c", args("dev")).catch((error: Error) => error.message);
    expect(error).to.contain("aws:iam/role:Role is refused");
  });

  it("refuse inputs and types in the stand-in's words", async () => {
    const { construct } = await connect();
    const failure = (inputs: Properties, type?: string) =>
      construct("c", inputs, type).catch((error: Error) => error.message);
    expect(await failure({ ...args("dev"), fargate: true })).to.contain(
      "the local stand-in for eks.Cluster does not know fargate",
    );
    expect(await failure({}, "eks:index:NodeGroup")).to.contain("has no eks:index:NodeGroup");
  });
});
