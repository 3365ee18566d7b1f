import { credentials, Metadata } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineMessages from "@pulumi/pulumi/proto/engine_pb.js";
import type { Severity } from "./resource-type.ts";

const severities: Record<Severity, engineMessages.LogSeverity> = {
  debug: engineMessages.LogSeverity.DEBUG,
  info: engineMessages.LogSeverity.INFO,
  warning: engineMessages.LogSeverity.WARNING,
  error: engineMessages.LogSeverity.ERROR,
};

/**
 * One engine's connection for one provider instance. The engine dials anew for every instance (the default provider,
 * and each explicit one), so what tells instances apart is the address that a request comes from.
 */
export class Connection<Config> {
  /** Address of the engine's own server, where log lines go. */
  engineAddress?: string;
  config?: Config;
  readonly #aborter = new AbortController();
  #engine?: EngineClient;
  /** The line that was sent last. The next waits for its answer: calls side by side may overtake each other. */
  #sent: Promise<void> = Promise.resolve();

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** Ends what is under way. */
  cancel(): void {
    this.#aborter.abort(new Error("cancelled"));
    this.#engine?.close();
  }

  /** Sends a line to the engine. One that does not arrive is no reason to fail: it is for show. */
  log(urn: string, message: string, severity: Severity, ephemeral: boolean): void {
    const request = new engineMessages.LogRequest();
    request.setSeverity(severities[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    this.#sent = this.#sent.then(() => this.#send(request));
  }

  #send(request: engineMessages.LogRequest): Promise<void> {
    if (this.engineAddress === undefined || this.signal.aborted) return Promise.resolve();
    this.#engine ??= new EngineClient(this.engineAddress, credentials.createInsecure());
    const engine = this.#engine;
    return new Promise((resolve) => {
      engine.log(request, new Metadata(), { deadline: Date.now() + 5000 }, () => resolve());
    });
  }
}

/** The connections by the address that they come from. */
export class Connections<Config> {
  // Addresses of engines that have gone are not told to us. So many are enough for all that can run at a time.
  static readonly #maxConnections = 256;
  readonly #byPeer = new Map<string, Connection<Config>>();

  of(peer: string): Connection<Config> {
    const known = this.#byPeer.get(peer);
    if (known) return known;
    const connection = new Connection<Config>();
    this.#byPeer.set(peer, connection);
    const [oldest] = this.#byPeer.keys();
    if (this.#byPeer.size > Connections.#maxConnections && oldest !== undefined) this.#byPeer.delete(oldest);
    return connection;
  }

  /** Begins a connection: an address may come again from another engine. */
  begin(peer: string): Connection<Config> {
    this.#byPeer.delete(peer);
    return this.of(peer);
  }

  cancelAll(): void {
    for (const connection of this.#byPeer.values()) connection.cancel();
    this.#byPeer.clear();
  }
}
