import type { handleUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import type * as pulumi from "@pulumi/pulumi";
import rpc from "@pulumi/pulumi/proto/provider_pb.js";
import { DependencyProviderResource, DependencyResource } from "@pulumi/pulumi/resource.js";
import { setAllConfig } from "@pulumi/pulumi/runtime/config.js";
import { serializeResourceProperties } from "@pulumi/pulumi/runtime/rpc.js";
import { resetOptions } from "@pulumi/pulumi/runtime/settings.js";
import { describe, type Extension, Struct, serviceError } from "../../provider-host/index.ts";
import { awaitFeatureSupport, deserializeInputs, waitForRPCs, withLocalStorage } from "./pulumi-internals.ts";

// Pulumi's own server for components (`@pulumi/pulumi/provider`) runs once a process, knows one engine, and takes over
// the process's error handling. This one does what it does for any number of engines, on the same parts of the SDK.

/** Makes a component; its outputs are those of the remote resource. */
export type Component = (
  name: string,
  inputs: pulumi.Inputs,
  options: pulumi.ComponentResourceOptions,
) => { urn: pulumi.Output<string>; outputs: pulumi.Inputs };

/** Calls a component's method. */
export type Method = (inputs: pulumi.Inputs) => pulumi.Inputs | Promise<pulumi.Inputs>;

export interface Components {
  readonly components: Readonly<Record<string, Component>>;
  readonly methods: Readonly<Record<string, Method>>;
}

/** The gRPC methods that make components and call their methods. */
export function componentService(
  { components, methods }: Components,
  log: (line: string) => void,
): Extension {
  return (engineAddress): UntypedServiceImplementation => {
    const construct: handleUnaryCall<rpc.ConstructRequest, rpc.ConstructResponse> = (call, callback) => {
      const work = async (): Promise<rpc.ConstructResponse> => {
        const request = call.request;
        const make = components[request.getType()];
        if (!make) throw new Error(`the local stand-in for the eks provider has no ${request.getType()}`);
        await configureRuntime(request, engineAddress(call.getPeer()));
        const inputs = await deserializeInputs(request.getInputs(), request.getInputdependenciesMap());
        const { urn, outputs } = make(request.getName(), inputs, optionsOf(request));
        const response = new rpc.ConstructResponse();
        const [state, dependencies] = await serializeResourceProperties(request.getType(), outputs);
        response.setUrn(await resolved(urn));
        response.setState(Struct.fromJavaScript(state));
        for (const [key, resources] of dependencies) {
          const urns = new rpc.ConstructResponse.PropertyDependencies();
          urns.setUrnsList(await urnsOf(resources));
          response.getStatedependenciesMap().set(key, urns);
        }
        await waitForRPCs();
        log(`constructed ${response.getUrn()}`);
        return response;
      };
      answer(work, callback);
    };

    const callMethod: handleUnaryCall<rpc.CallRequest, rpc.CallResponse> = (call, callback) => {
      const work = async (): Promise<rpc.CallResponse> => {
        const request = call.request;
        const method = methods[request.getTok()];
        if (!method)
          throw new Error(`the local stand-in for the eks provider has no method ${request.getTok()}`);
        await configureRuntime(request, engineAddress(call.getPeer()));
        const inputs = await deserializeInputs(request.getArgs(), request.getArgdependenciesMap());
        const response = new rpc.CallResponse();
        const [result, dependencies] = await serializeResourceProperties(
          request.getTok(),
          await method(inputs),
        );
        response.setReturn(Struct.fromJavaScript(result));
        for (const [key, resources] of dependencies) {
          const urns = new rpc.CallResponse.ReturnDependencies();
          urns.setUrnsList(await urnsOf(resources));
          response.getReturndependenciesMap().set(key, urns);
        }
        await waitForRPCs();
        return response;
      };
      answer(work, callback);
    };

    return { construct, call: callMethod };
  };
}

/** What is under way, so that an error which no promise of ours carries ends it instead of hanging it. */
const underWay = new Set<(error: Error) => void>();

/**
 * Takes what the Pulumi SDK throws outside of every promise, as it does when a resource inside a component fails.
 * Such an error ends the components that are being made; one that comes after that is only logged.
 *
 * @returns what undoes it.
 */
export function catchStrayErrors(log: (line: string) => void): () => void {
  // One failure rejects every output that hangs on it, hundreds at times: each message is logged once in a while.
  const logged = new Set<string>();
  const onStray = (reason: unknown): void => {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    const message = describe(error);
    if (!logged.has(message)) {
      logged.add(message);
      setTimeout(() => logged.delete(message), 5000).unref();
      log(`error outside of any call: ${message}`);
    }
    for (const fail of underWay) fail(error);
  };
  process.on("unhandledRejection", onStray);
  return () => process.off("unhandledRejection", onStray);
}

/** Does the work with runtime settings of its own, so that components of several engines can be made at a time. */
function answer<R>(
  work: () => Promise<R>,
  callback: (error: ReturnType<typeof serviceError> | null, value?: R) => void,
): void {
  let fail = (_: Error): void => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  underWay.add(fail);
  void Promise.race([withLocalStorage(work), failed])
    .then(
      (response) => callback(null, response),
      (error: unknown) => callback(serviceError(error)),
    )
    .finally(() => underWay.delete(fail));
}

async function configureRuntime(
  request: rpc.ConstructRequest | rpc.CallRequest,
  engineAddress: string | undefined,
): Promise<void> {
  if (engineAddress === undefined) throw new Error("the engine has not told its address");
  resetOptions(
    request.getProject(),
    request.getStack(),
    request.getParallel(),
    engineAddress,
    request.getMonitorendpoint(),
    request.getDryrun(),
    request.getOrganization(),
  );
  await awaitFeatureSupport();
  const config = Object.fromEntries(request.getConfigMap().entries());
  setAllConfig(config, request.getConfigsecretkeysList());
}

function optionsOf(request: rpc.ConstructRequest): pulumi.ComponentResourceOptions {
  const providers = Object.fromEntries(
    [...request.getProvidersMap().entries()].map(([name, reference]) => [
      name,
      new DependencyProviderResource(reference) as pulumi.ProviderResource,
    ]),
  );
  const timeouts = request.getCustomtimeouts();
  return {
    parent: request.getParent() ? new DependencyResource(request.getParent()) : undefined,
    dependsOn: request.getDependenciesList().map((urn) => new DependencyResource(urn)),
    providers,
    protect: request.getProtect(),
    aliases: request.getAliasesList().flatMap((alias) => (alias.hasUrn() ? [alias.getUrn()] : [])),
    customTimeouts: timeouts && {
      create: timeouts.getCreate() || undefined,
      update: timeouts.getUpdate() || undefined,
      delete: timeouts.getDelete() || undefined,
    },
    retainOnDelete: request.getRetainondelete(),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

const urnsOf = (resources: Iterable<pulumi.Resource>): Promise<string[]> =>
  Promise.all([...resources].map((resource) => resolved(resource.urn)));

const resolved = <T>(output: pulumi.Output<T>): Promise<T> =>
  (output as unknown as { promise(): Promise<T> }).promise();
