import { randomUUID } from "node:crypto";
import { AwsError, jsonReply, type Reply } from "../aws/reply.ts";
import type { AwsCall } from "../aws/request.ts";

/** Local's one Kubernetes, as EKS is to describe it. */
export interface Kubernetes {
  /** `https://…` of the API server. */
  endpoint: string;
  /** The certificate of its CA: PEM in base64. */
  certificateAuthority: string;
  /** `https://oidc.eks.<region>.amazonaws.com/id/<32 hex digits>`. */
  issuer: string;
  /** `1.34`: what a cluster has that is created without a version. */
  version: string;
}

export interface EksOptions {
  kubernetes: Kubernetes;
  /** Names of the clusters that there are. */
  clusterNames(): Promise<readonly string[]>;
  /** Tags of a cluster or node group now: MiniStack describes them with those of their creation. */
  tags(arn: string): Promise<Record<string, string>>;
  log(line: string): void;
}

type Json = Record<string, unknown>;
type Forward = () => Promise<Reply>;

/** What a cluster keeps of its creation and updates that MiniStack drops. */
const kept = ["deletionProtection", "upgradePolicy", "zonalShiftConfig"];
const logTypes = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/**
 * EKS with local's Kubernetes behind its cluster: gives MiniStack's cluster the real endpoint, CA and issuer, refuses
 * a second cluster, and does the updates of clusters and node groups that MiniStack lacks. What the updates changed is
 * held in memory, for as long as MiniStack's own state is.
 */
export function eks(options: EksOptions): (call: AwsCall, body: string, forward: Forward) => Promise<Reply> {
  const changes = new Map<string, Json>(); // by "cluster" or "cluster/nodegroup"
  const updates = new Map<string, Json>(); // by update id
  let creating: Promise<unknown> = Promise.resolve();

  const describeCluster = (reply: Reply): Promise<Reply> =>
    edit(reply, "cluster", async (cluster) => {
      const change = changes.get(String(cluster.name)) ?? {};
      const { endpoint, certificateAuthority, issuer } = options.kubernetes;
      return {
        ...merge(cluster, change),
        endpoint,
        certificateAuthority: { data: certificateAuthority },
        identity: { oidc: { issuer } },
        logging: mergeLogging(cluster.logging, change.logging),
        ...(cluster.status === "DELETING" ? {} : { tags: await options.tags(String(cluster.arn)) }),
      };
    });
  const describeNodegroup = (reply: Reply): Promise<Reply> =>
    edit(reply, "nodegroup", async (group) => ({
      ...merge(group, changes.get(`${group.clusterName}/${group.nodegroupName}`) ?? {}),
      tags: await options.tags(String(group.nodegroupArn)),
    }));

  async function create(request: Json, forward: Forward): Promise<Reply> {
    const name = String(request.name);
    const others = (await options.clusterNames()).filter((other) => other !== name);
    if (others.length > 0) {
      throw new AwsError(
        "ResourceLimitExceededException",
        `Local has one Kubernetes, and the cluster ${others.join(", ")} is on it. Delete that first, or use its name.`,
      );
    }
    const reply = await forward();
    if (reply.status !== 200) return reply;
    const extra = Object.fromEntries(kept.filter((key) => key in request).map((key) => [key, request[key]]));
    changes.set(name, { ...extra, ...(request.version ? {} : { version: options.kubernetes.version }) });
    return describeCluster(reply);
  }

  /** Does an update that MiniStack has no route for; it has by then checked the caller. */
  async function update(key: string, type: string, change: Json, forward: Forward): Promise<Reply> {
    const reply = await forward();
    if (!isNoRoute(reply)) return reply;
    const [cluster = ""] = key.split("/");
    if (!(await options.clusterNames()).includes(cluster)) throw noCluster(cluster);
    const before = changes.get(key) ?? {};
    // Later settings of logs come behind earlier ones: a type that this change does not name stays as it is.
    const groups = [before.logging, change.logging].flatMap(logGroups);
    changes.set(key, {
      ...merge(before, change),
      ...(groups.length > 0 ? { logging: { clusterLogging: groups } } : {}),
    });
    const params = Object.entries(change).map(([name, value]) => ({
      type: name,
      value: JSON.stringify(value),
    }));
    const done = {
      id: randomUUID(),
      status: "Successful",
      type,
      params,
      createdAt: Date.now() / 1000,
      errors: [],
    };
    updates.set(done.id, { ...done, key });
    return jsonReply({ update: done });
  }

  return async (call, text, forward) => {
    const request = parse(text);
    const [collection, cluster = "", part, item = "", verb] = call.path
      .split("/")
      .slice(1)
      .map(decodeURIComponent);
    if (collection !== "clusters") return forward();
    const route = `${call.method} ${[cluster && "cluster", part, part && item && "item", verb].filter(Boolean).join("/")}`;
    switch (route) {
      case "POST ": {
        const created = creating.then(() => create(request, forward));
        creating = created.catch(() => undefined); // one at a time, so that two at once do not both find none
        return created;
      }
      case "GET cluster":
        return describeCluster(await forward());
      case "DELETE cluster": {
        if (changes.get(cluster)?.deletionProtection === true) {
          throw new AwsError(
            "InvalidRequestException",
            `Cluster ${cluster} has deletion protection. Turn that off with UpdateClusterConfig first.`,
          );
        }
        const reply = await describeCluster(await forward());
        if (reply.status === 200)
          for (const key of [...changes.keys()]) if (key.split("/")[0] === cluster) changes.delete(key);
        return reply;
      }
      case "POST cluster/update-config": {
        const { clientRequestToken, ...change } = request;
        const type = change.logging
          ? "LoggingUpdate"
          : change.resourcesVpcConfig
            ? "EndpointAccessUpdate"
            : "ConfigUpdate";
        return update(cluster, type, change, forward);
      }
      case "POST cluster/updates": {
        const reply = await update(cluster, "VersionUpdate", { version: request.version }, forward);
        if (reply.status === 200 && request.version !== options.kubernetes.version) {
          options.log(
            `EKS: ${cluster} is said to be ${request.version}; local's Kubernetes stays ${options.kubernetes.version}`,
          );
        }
        return reply;
      }
      case "GET cluster/updates":
      case "GET cluster/updates/item": {
        const reply = await forward();
        if (!isNoRoute(reply)) return reply;
        const own = [...updates.values()].filter(({ key }) => String(key).split("/")[0] === cluster);
        if (!item) return jsonReply({ updateIds: own.map(({ id }) => id) });
        const found = own.find(({ id }) => id === item);
        if (!found) throw new AwsError("ResourceNotFoundException", `No update found for ID: ${item}`, 404);
        const { key, ...shown } = found;
        return jsonReply({ update: shown });
      }
      case "POST cluster/node-groups":
      case "GET cluster/node-groups/item":
        return describeNodegroup(await forward());
      case "DELETE cluster/node-groups/item": {
        const reply = await forward();
        if (reply.status === 200) changes.delete(`${cluster}/${item}`);
        return reply;
      }
      case "POST cluster/node-groups/item/update-config":
        return update(`${cluster}/${item}`, "ConfigUpdate", nodegroupChange(request), forward);
      case "POST cluster/node-groups/item/update-version": {
        const { version, releaseVersion, launchTemplate } = request;
        return update(
          `${cluster}/${item}`,
          "VersionUpdate",
          defined({ version, releaseVersion, launchTemplate }),
          forward,
        );
      }
      default:
        return forward();
    }
  };
}

const noCluster = (name: string) =>
  new AwsError("ResourceNotFoundException", `No cluster found for name: ${name}.`, 404);

const isNoRoute = (reply: Reply): boolean => reply.status === 400 && reply.body.includes("No route for");

/** UpdateNodegroupConfig names labels and taints to add and to remove; only whole sets are kept here. */
function nodegroupChange({ scalingConfig, updateConfig, labels }: Json): Json {
  const added = isObject(labels) ? labels.addOrUpdateLabels : undefined;
  return defined({ scalingConfig, updateConfig, labels: added });
}

/** EKS tells of every type of log whether it is on. */
function mergeLogging(...settings: unknown[]): Json {
  const on = new Set<string>();
  for (const { types, enabled } of settings.flatMap(logGroups)) {
    for (const type of types ?? []) {
      if (enabled) on.add(type);
      else on.delete(type);
    }
  }
  const groups = [
    { types: logTypes.filter((type) => on.has(type)), enabled: true },
    { types: logTypes.filter((type) => !on.has(type)), enabled: false },
  ];
  return { clusterLogging: groups.filter(({ types }) => types.length > 0) };
}

const logGroups = (setting: unknown): { types?: string[]; enabled?: boolean }[] =>
  isObject(setting) && Array.isArray(setting.clusterLogging) ? setting.clusterLogging : [];

/** The reply with one member of its JSON replaced; a reply that is an error or lacks it stays as it is. */
async function edit(reply: Reply, member: string, change: (value: Json) => Promise<Json>): Promise<Reply> {
  const body = parse(reply.body);
  const value = body[member];
  if (reply.status !== 200 || !isObject(value)) return reply;
  return { ...reply, body: JSON.stringify({ ...body, [member]: await change(value) }) };
}

/** Objects are merged member by member; anything else of `change` replaces what was there. */
function merge(base: Json, change: Json): Json {
  const merged = Object.entries(change).map(([key, value]) => {
    const old = base[key];
    return [key, isObject(old) && isObject(value) ? merge(old, value) : value];
  });
  return { ...base, ...Object.fromEntries(merged) };
}

function parse(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const defined = (value: Json): Json =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
