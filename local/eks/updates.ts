import { randomUUID } from "node:crypto";
import { AwsError, jsonReply, type Reply } from "../aws/reply.ts";
import { type Json, merge } from "./json.ts";
import { logGroups } from "./logging.ts";

interface Update extends Json {
  id: string;
}

/**
 * Updates of clusters and node groups, which MiniStack lacks, and what they changed: by the name of a cluster, or
 * `cluster/nodegroup`. Held in memory, for as long as MiniStack's own state is.
 */
export class Updates {
  readonly #changes = new Map<string, Json>();
  readonly #updates = new Map<string, { cluster: string; update: Update }>();
  readonly #clusterNames: () => Promise<readonly string[]>;

  constructor(clusterNames: () => Promise<readonly string[]>) {
    this.#clusterNames = clusterNames;
  }

  /** What was changed since its creation. */
  changeOf(key: string): Json {
    return this.#changes.get(key) ?? {};
  }

  /** What is known of it from its creation on. */
  begin(key: string, known: Json): void {
    this.#changes.set(key, known);
  }

  /** Forgets a cluster and its node groups, or one of them. */
  forget(key: string): void {
    for (const known of this.#changes.keys())
      if (known === key || known.startsWith(`${key}/`)) this.#changes.delete(known);
  }

  /**
   * Does an update that MiniStack has no route for; it has by then checked the caller.
   *
   * @throws AwsError `ResourceNotFoundException` when the cluster is not there.
   */
  async carryOut(key: string, type: string, change: Json, forward: () => Promise<Reply>): Promise<Reply> {
    const reply = await forward();
    if (!isNoRoute(reply)) return reply;
    const [cluster = key] = key.split("/");
    if (!(await this.#clusterNames()).includes(cluster)) {
      throw new AwsError("ResourceNotFoundException", `No cluster found for name: ${cluster}.`, 404);
    }
    const before = this.changeOf(key);
    // Later settings of logs come behind earlier ones: a type that this change does not name stays as it is.
    const groups = [before.logging, change.logging].flatMap(logGroups);
    const logging = groups.length > 0 ? { logging: { clusterLogging: groups } } : {};
    this.#changes.set(key, { ...merge(before, change), ...logging });
    const update = {
      id: randomUUID(),
      status: "Successful",
      type,
      params: Object.entries(change).map(([name, value]) => ({ type: name, value: JSON.stringify(value) })),
      createdAt: Date.now() / 1000,
      errors: [],
    };
    this.#updates.set(update.id, { cluster, update });
    return jsonReply({ update });
  }

  async list(cluster: string, forward: () => Promise<Reply>): Promise<Reply> {
    const reply = await forward();
    if (!isNoRoute(reply)) return reply;
    const own = [...this.#updates.values()].filter((one) => one.cluster === cluster);
    return jsonReply({ updateIds: own.map(({ update }) => update.id) });
  }

  async describe(cluster: string, id: string, forward: () => Promise<Reply>): Promise<Reply> {
    const reply = await forward();
    if (!isNoRoute(reply)) return reply;
    const found = this.#updates.get(id);
    if (found?.cluster !== cluster)
      throw new AwsError("ResourceNotFoundException", `No update found for ID: ${id}`, 404);
    return jsonReply({ update: found.update });
  }
}

const isNoRoute = (reply: Reply): boolean => reply.status === 400 && reply.body.includes("No route for");
