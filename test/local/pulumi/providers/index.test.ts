import { credentials } from "@grpc/grpc-js";
import type pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { expect } from "chai";
import { Empty } from "../../../../local/pulumi/provider-host/index.ts";
import { startProviders } from "../../../../local/pulumi/providers/index.ts";

describe("the stand-ins", () => {
  it("answer on a port each, with the version that they stand in for, until they are closed", async () => {
    const handlers = process.listenerCount("unhandledRejection");
    const providers = await startProviders({
      host: "127.0.0.1",
      endpoint: "http://127.0.0.1:1",
      region: "eu-central-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      dockerSocket: "/nonexistent",
      log: () => {},
    });
    const version = async (port: number): Promise<string> => {
      const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
      try {
        return await new Promise<string>((resolve, reject) =>
          client.getPluginInfo(new Empty(), (error: Error | null, info: pluginMessages.PluginInfo) =>
            error ? reject(error) : resolve(info.getVersion()),
          ),
        );
      } finally {
        client.close();
      }
    };
    const { aws, eks, docker } = providers.ports;
    expect(await Promise.all([aws, eks, docker].map(version))).to.deep.equal(["7.48.0", "4.3.0", "5.2.0"]);
    await providers.close();
    const error = await version(aws).catch((error: Error) => error.message);
    expect(error).to.contain("UNAVAILABLE");
    expect(process.listenerCount("unhandledRejection")).to.equal(handlers);
  });
});
