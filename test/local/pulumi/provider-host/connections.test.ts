import { type AddressInfo, createServer } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type engineMessages from "@pulumi/pulumi/proto/engine_pb.js";
import { expect } from "chai";
import { Connection, Connections } from "../../../../local/pulumi/provider-host/connections.ts";
import { Empty } from "../../../../local/pulumi/provider-host/protobuf.ts";

describe("connections", () => {
  it("are one for each address, anew when an engine begins", () => {
    const connections = new Connections<string>();
    const one = connections.of("1.2.3.4:1");
    expect(connections.of("1.2.3.4:1")).to.equal(one);
    expect(connections.of("1.2.3.4:2")).not.to.equal(one);
    expect(connections.begin("1.2.3.4:1")).not.to.equal(one);
  });

  it("of engines that have gone are let go once there are many", () => {
    const connections = new Connections<string>();
    const first = connections.of("0");
    const second = connections.of("1");
    for (let port = 2; port <= 256; port++) connections.of(String(port));
    expect(connections.of("1")).to.equal(second);
    expect(connections.of("0")).not.to.equal(first);
  });

  it("all end at once", () => {
    const connections = new Connections<string>();
    const { signal } = connections.of("a");
    connections.cancelAll();
    expect(signal.aborted).to.equal(true);
    expect(connections.of("a").signal.aborted).to.equal(false);
  });
});

describe("a line for the engine", () => {
  it("arrives in order, with its URN and severity", async () => {
    const lines: string[] = [];
    let arrived = (): void => {};
    const all = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const engine = new Server();
    engine.addService(EngineService, {
      log: (call: { request: engineMessages.LogRequest }, reply: (error: null, empty: Empty) => void) => {
        const { request } = call;
        lines.push(
          `${request.getSeverity()} ${request.getUrn()} ${request.getMessage()} ${request.getEphemeral()}`,
        );
        reply(null, new Empty());
        if (lines.length === 2) arrived();
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      engine.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const connection = new Connection<never>();
    connection.engineAddress = `127.0.0.1:${port}`;
    connection.log("urn", "one", "info", true);
    connection.log("urn", "two", "error", false);
    await all;
    expect(lines).to.deep.equal(["1 urn one true", "3 urn two false"]);
    connection.cancel();
    engine.forceShutdown();
  });

  it("that does not arrive fails nothing", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as AddressInfo;
    await new Promise((resolve) => taken.close(resolve)); // now nobody listens there
    const connection = new Connection<never>();
    connection.log("urn", "before the engine has told its address", "info", true);
    connection.engineAddress = `127.0.0.1:${port}`;
    connection.log("urn", "to nobody", "info", true);
    expect(connection.signal.aborted).to.equal(false);
    connection.cancel();
  });
});
