import fastify, { type FastifyInstance } from "fastify";
import PQueue from "p-queue";
// In a project of your own: from "eks-irsa/automation".
import {
  ConfigError,
  type ConfigInput,
  checkConfig,
  describe,
  openStack,
  type ProgramStack,
  ResourceError,
} from "../../automation/index.ts";

export interface ServiceOptions {
  /** Name of the EKS cluster that the environments are made in. */
  readonly cluster: string;
  readonly region: string;
  /** Environment of the engine: its backend, the passphrase, credentials. Default: this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Operations of the engine that run at once; each takes a core and 300 MB. Default 4. */
  readonly atOnce?: number;
}

/** The environment of one pull request, as the service shows it. */
export interface Environment {
  readonly number: number;
  /** `waiting` for its turn, `working`, `ready`, `failed`, or `removed`. */
  state: "waiting" | "working" | "ready" | "failed" | "removed";
  readonly namespace: string;
  /** What the engine is at, while it works. */
  doing?: string;
  /** ARN of the role that the ServiceAccount `app` has, once it is ready. */
  roleArn?: string;
  /** Why it failed; the resource, where it was one. Another PUT or a DELETE goes on from there. */
  error?: { message: string; resource?: string };
}

/** What a pull request asks for. */
interface Wanted {
  policies?: ConfigInput["policies"];
}

/**
 * Gives every pull request a namespace, a ServiceAccount `app` and an IAM role of its own.
 *
 * - `PUT /pull-requests/12` with `{ "policies": [...] }` makes or changes it: 202, or 400 for bad policies;
 * - `GET /pull-requests/12` tells how far it is, `GET /pull-requests` all of them;
 * - `DELETE /pull-requests/12` removes it.
 *
 * Requests for one pull request wait for each other, in the order in which they came.
 */
export function pullRequestService(options: ServiceOptions): FastifyInstance {
  const { cluster, region, env, atOnce = 4 } = options;
  const environments = new Map<number, Environment>();
  const turns = new Map<number, PQueue>();
  const engines = new PQueue({ concurrency: atOnce });
  const closing = new AbortController();

  const configFor = (namespace: string, { policies }: Wanted): ConfigInput => ({
    app: "none",
    cluster: { name: cluster, existing: true },
    bindings: [{ namespace, createNamespace: true, serviceAccount: "app", policies }],
  });

  /** Does something with a pull request's stack when it is its turn, and keeps what became of it. */
  function enqueue(
    environment: Environment,
    config: ConfigInput,
    act: (stack: ProgramStack, common: Parameters<ProgramStack["up"]>[0]) => Promise<Partial<Environment>>,
  ): void {
    const { number } = environment;
    const turn = turns.get(number) ?? new PQueue({ concurrency: 1 });
    turns.set(number, turn);
    const work = async (): Promise<void> => {
      if (closing.signal.aborted) return;
      Object.assign(environment, { state: "working", error: undefined });
      try {
        const stack = await openStack({ stack: environment.namespace, region, config, env });
        const result = await act(stack, {
          signal: closing.signal,
          onProgress: (progress) => {
            environment.doing = describe(progress);
          },
        });
        Object.assign(environment, result);
      } catch (error) {
        const { message } = error as Error;
        const resource = error instanceof ResourceError ? error.urn : undefined;
        Object.assign(environment, { state: "failed", error: { message, resource } });
      }
      environment.doing = undefined;
    };
    if (environment.state !== "working") environment.state = "waiting";
    void turn.add(() => engines.add(work));
  }

  const environmentOf = (number: number): Environment => {
    const known = environments.get(number);
    if (known) return known;
    const made: Environment = { number, state: "waiting", namespace: `pr-${number}` };
    environments.set(number, made);
    return made;
  };

  const service = fastify();
  const number = { type: "integer", minimum: 1 };
  const params = { type: "object", properties: { number } };

  service.put<{ Params: { number: number }; Body: Wanted | undefined }>(
    "/pull-requests/:number",
    { schema: { params } },
    async ({ params: { number }, body }, reply) => {
      const config = configFor(`pr-${number}`, body ?? {});
      try {
        checkConfig(`pr-${number}`, region, config);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return reply.code(400).send({ message: error.message });
      }
      const environment = environmentOf(number);
      enqueue(environment, config, async (stack, common) => {
        const { outputs } = await stack.up(common);
        const roles = outputs.bindings?.value as Record<string, string>;
        return { state: "ready", roleArn: roles[`${environment.namespace}/app`] };
      });
      return reply.code(202).send(environment);
    },
  );

  service.get("/pull-requests", () => [...environments.values()]);

  service.get<{ Params: { number: number } }>(
    "/pull-requests/:number",
    { schema: { params } },
    async ({ params: { number } }, reply) =>
      environments.get(number) ??
      reply.code(404).send({ message: `No one asked for pull request ${number}.` }),
  );

  service.delete<{ Params: { number: number } }>(
    "/pull-requests/:number",
    { schema: { params } },
    async ({ params: { number } }, reply) => {
      // One that this process has not heard of may be from before it was started: its stack is still there.
      const environment = environmentOf(number);
      enqueue(environment, configFor(environment.namespace, {}), async (stack, common) => {
        await stack.destroy(common);
        await stack.remove();
        return { state: "removed", roleArn: undefined };
      });
      return reply.code(202).send(environment);
    },
  );

  // What has begun is ended, what waits is dropped: the engine's state knows how far each came.
  service.addHook("onClose", async () => {
    closing.abort();
    await Promise.all([...turns.values()].map((turn) => turn.onIdle()));
  });
  return service;
}
