import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import rpc from "@pulumi/pulumi/proto/language_pb.js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import { type Connection, Connections, Empty } from "./provider-host/index.ts";

/** Exit code of a program that has told the engine its errors already. Source: `@pulumi/pulumi/cmd/run`. */
const exitedAfterLogging = 32;

export interface LanguageHostOptions {
  /** Address to listen on. */
  readonly host: string;
  readonly log: (line: string) => void;
}

export interface LanguageHost {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Runs Node.js programs for Pulumi engines (`pulumirpc.LanguageRuntime`), as `pulumi-language-nodejs` does, which comes
 * with Pulumi's releases only. An engine finds it by `PULUMI_DEBUG_LANGUAGES=nodejs:PORT`. The program itself is run by
 * the Pulumi SDK's own runner, in a process of its own.
 */
export async function startLanguageHost(options: LanguageHostOptions): Promise<LanguageHost> {
  const engines = new Connections<never>();

  const handshake: handleUnaryCall<rpc.LanguageHandshakeRequest, rpc.LanguageHandshakeResponse> = (
    call,
    reply,
  ) => {
    engines.begin(call.getPeer()).engineAddress = call.request.getEngineAddress();
    reply(null, new rpc.LanguageHandshakeResponse());
  };
  const getPluginInfo: handleUnaryCall<unknown, pluginMessages.PluginInfo> = (_, reply) => {
    const info = new pluginMessages.PluginInfo();
    info.setVersion("1.0.0");
    reply(null, info);
  };
  // The providers are attached, none is to be looked for.
  const getRequiredPackages: handleUnaryCall<unknown, rpc.GetRequiredPackagesResponse> = (_, reply) =>
    reply(null, new rpc.GetRequiredPackagesResponse());
  const about: handleUnaryCall<unknown, rpc.AboutResponse> = (_, reply) => {
    const answer = new rpc.AboutResponse();
    answer.setExecutable(process.execPath);
    answer.setVersion(process.version);
    reply(null, answer);
  };
  const run: handleUnaryCall<rpc.RunRequest, rpc.RunResponse> = (call, reply) => {
    const { request } = call;
    options.log(`running ${request.getPwd()} for stack ${request.getStack()}`);
    runProgram(request, engines.of(call.getPeer())).then(
      (answer) => reply(null, answer),
      (error: Error) => reply(error),
    );
  };
  // The SDK is all that its runners need, and `npm ci` is the person's own to run.
  const installDependencies: handleServerStreamingCall<
    rpc.InstallDependenciesRequest,
    rpc.InstallDependenciesResponse
  > = (call) => {
    const folder = call.request.getInfo()?.getProgramDirectory() || call.request.getDirectory();
    try {
      resolveIn(folder, "@pulumi/pulumi");
      call.end();
    } catch {
      call.destroy(new Error(`${folder} has no @pulumi/pulumi: run npm install there first.`));
    }
  };
  const runPlugin: handleServerStreamingCall<rpc.RunPluginRequest, rpc.RunPluginResponse> = (call) => {
    options.log(`running the plugin ${call.request.getInfo()?.getProgramDirectory()}`);
    const ended = new AbortController();
    call.on("cancelled", () => ended.abort());
    startPlugin(call.request, ended.signal, (answer) => call.write(answer)).then(
      () => call.end(),
      (error: Error) => call.destroy(error),
    );
  };
  const cancel: handleUnaryCall<unknown, Empty> = (call, reply) => {
    engines.of(call.getPeer()).cancel();
    reply(null, new Empty());
  };

  const server = new Server();
  const service: UntypedServiceImplementation = {
    handshake,
    getPluginInfo,
    getRequiredPackages,
    about,
    run,
    installDependencies,
    runPlugin,
    cancel,
  };
  server.addService(LanguageRuntimeService, service);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:0`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    async close() {
      engines.cancelAll();
      server.forceShutdown();
    },
  };
}

/** Runs a program to its end. What it prints goes to the engine, line by line. */
async function runProgram(request: rpc.RunRequest, connection: Connection<never>): Promise<rpc.RunResponse> {
  const info = request.getInfo();
  const folder = info?.getProgramDirectory() || request.getPwd();
  const runner = resolveIn(folder, "@pulumi/pulumi/cmd/run");
  const flags = {
    monitor: request.getMonitorAddress(),
    engine: connection.engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    "root-directory": info?.getRootDirectory(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
  };
  const args = [
    ...nodeArguments(info),
    runner,
    ...Object.entries(flags).flatMap(([name, value]) => (value ? [`--${name}`, value] : [])),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    join(folder, info?.getEntryPoint() ?? "."),
    ...request.getArgsList(),
  ];
  const child = spawn(process.execPath, args, {
    cwd: request.getPwd(),
    env: {
      ...process.env,
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      PULUMI_NODEJS_TYPESCRIPT: typescriptOption(info),
    },
    stdio: ["ignore", "pipe", "pipe"],
    signal: connection.signal,
  });
  const pass = (line: string): void => {
    if (line.trim() !== "") connection.log("", line, "info", false);
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", pass);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];

  const answer = new rpc.RunResponse();
  if (code === exitedAfterLogging) answer.setBail(true);
  else if (code !== 0) {
    answer.setError(
      signal ? `the program was ended by ${signal}` : `the program ended with exit code ${code}`,
    );
  }
  return answer;
}

/**
 * Runs a plugin, such as a folder with a `PulumiPlugin.yaml`, until it ends or the engine has no more use for it. What it
 * prints goes to the engine as it is: its first line is the port that it listens on.
 */
async function startPlugin(
  request: rpc.RunPluginRequest,
  signal: AbortSignal,
  answer: (part: rpc.RunPluginResponse) => void,
): Promise<void> {
  const info = request.getInfo();
  const folder = info?.getProgramDirectory() ?? request.getProgram();
  const runner = resolveIn(folder, "@pulumi/pulumi/cmd/run-plugin");
  const env = request.getEnvList().map((entry) => {
    const end = entry.indexOf("=");
    return [entry.slice(0, end), entry.slice(end + 1)] as const;
  });
  const child = spawn(
    process.execPath,
    [...nodeArguments(info), runner, join(folder, info?.getEntryPoint() ?? "."), ...request.getArgsList()],
    {
      cwd: request.getPwd(),
      env: { ...Object.fromEntries(env), PULUMI_NODEJS_TYPESCRIPT: typescriptOption(info) },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  signal.addEventListener("abort", () => child.kill());
  const part = (fill: (response: rpc.RunPluginResponse) => void): void => {
    const response = new rpc.RunPluginResponse();
    fill(response);
    if (!signal.aborted) answer(response);
  };
  child.stdout.on("data", (text: Buffer) => part((response) => response.setStdout(text)));
  child.stderr.on("data", (text: Buffer) => part((response) => response.setStderr(text)));
  const [code] = (await once(child, "close")) as [number | null];
  part((response) => response.setExitcode(code ?? 1));
}

/** The file of a module, as a program in the folder would find it. */
const resolveIn = (folder: string, module: string): string =>
  createRequire(join(folder, "program.js")).resolve(module);

/** Whether the SDK's runner is to compile TypeScript itself, by the `typescript` option of the runtime. */
const typescriptOption = (info: rpc.ProgramInfo | undefined): string =>
  String(option(info, "typescript")?.getBoolValue() ?? true);

/** What Node.js is to be started with, by the `nodeargs` option of the runtime. */
const nodeArguments = (info: rpc.ProgramInfo | undefined): string[] =>
  (option(info, "nodeargs")?.getStringValue() ?? "").split(/\s+/).filter((word) => word !== "");

const option = (info: rpc.ProgramInfo | undefined, name: string) =>
  info?.getOptions()?.getFieldsMap().get(name);
