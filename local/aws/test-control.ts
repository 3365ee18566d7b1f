import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";

/** Something that a test may have the front door do otherwise than AWS. */
export interface Control {
  /** What has come of it since it was set. */
  get(): unknown;
  /** @param value what JSON can say; undefined for what AWS does. */
  set(value: unknown): void;
}

/**
 * Where a test sets them, each by its name as path: `PUT` with a value or `null`, `GET`; both give what came of the value
 * that was there until then. A Unix socket that only its owner may open, so that nothing on the network can ask for faults,
 * and no pod.
 */
export async function startTestControl(
  controls: Readonly<Record<string, Control>>,
  socketPath: string,
): Promise<{ close(): Promise<void> }> {
  rmSync(socketPath, { force: true });
  const server = createServer((incoming, outgoing) => {
    answer(incoming, controls).then(
      (body) => outgoing.end(JSON.stringify(body ?? null)),
      (error: Error) => {
        outgoing.statusCode = 400;
        outgoing.end(error.message);
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, () => resolve());
  });
  chmodSync(socketPath, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  incoming: IncomingMessage,
  controls: Readonly<Record<string, Control>>,
): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const name = (incoming.url ?? "/").slice(1);
  const control = controls[name];
  if (control === undefined)
    throw new Error(`There is no ${name} to set; there are ${Object.keys(controls).join(", ")}.`);
  const before = control.get();
  if (incoming.method === "PUT") control.set(JSON.parse(Buffer.concat(chunks).toString()) ?? undefined);
  return before;
}
