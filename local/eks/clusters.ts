import { AwsError, type Reply } from "../aws/reply.ts";
import type { EksOptions, EksRequest, Routes } from "./api.ts";
import { edit, isObject, type Json, merge } from "./json.ts";
import { mergeLogging } from "./logging.ts";
import type { Updates } from "./updates.ts";

/** What a cluster keeps of its creation and updates that MiniStack drops. */
const kept = [
  ...["deletionProtection", "upgradePolicy", "zonalShiftConfig"],
  ...["computeConfig", "storageConfig", "kubernetesNetworkConfig"],
];

const isOn = (config: unknown): boolean => isObject(config) && config.enabled === true;
const member = (config: unknown, name: string): unknown => (isObject(config) ? config[name] : undefined);

/**
 * EKS Auto Mode is on or off as a whole.
 *
 * @throws AwsError `InvalidParameterException` in EKS's words where it is on in part.
 */
function checkAutoMode({ computeConfig, storageConfig, kubernetesNetworkConfig }: Json): void {
  const parts = [
    computeConfig,
    member(storageConfig, "blockStorage"),
    member(kubernetesNetworkConfig, "elasticLoadBalancing"),
  ].map(isOn);
  if (new Set(parts).size === 1) return;
  throw new AwsError(
    "InvalidParameterException",
    "For EKS Auto Mode, please ensure that all required configs, including computeConfig, kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled.",
  );
}

/** Clusters, of which there can be one: with local's Kubernetes as endpoint, CA and issuer. */
export function clusterRoutes(options: EksOptions, updates: Updates): Routes {
  const { version } = options.kubernetes;
  let creating: Promise<unknown> = Promise.resolve();

  const describe = (reply: Reply): Promise<Reply> =>
    edit(reply, "cluster", async (cluster) => {
      const name = String(cluster.name);
      const change = updates.changeOf(name);
      const { endpoint, certificateAuthority, issuer } =
        options.otherKubernetes?.get(name) ?? options.kubernetes;
      return {
        ...merge(cluster, change),
        endpoint,
        certificateAuthority: { data: certificateAuthority },
        identity: { oidc: { issuer } },
        logging: mergeLogging(cluster.logging, change.logging),
        ...(cluster.status === "DELETING" ? {} : { tags: await options.tags(String(cluster.arn)) }),
      };
    });

  async function create({ body, forward }: EksRequest): Promise<Reply> {
    const name = String(body.name);
    const others = (await options.clusterNames()).filter((other) => other !== name);
    if (others.length > 0) {
      throw new AwsError(
        "ResourceLimitExceededException",
        `Local has one Kubernetes, and the cluster ${others.join(", ")} is on it. Delete that first, or use its name.`,
      );
    }
    checkAutoMode(body);
    if (isOn(body.computeConfig) && body.bootstrapSelfManagedAddons !== false) {
      throw new AwsError(
        "InvalidParameterException",
        "EKS Auto Mode brings its own networking: bootstrapSelfManagedAddons must be false.",
      );
    }
    const reply = await forward();
    if (reply.status !== 200) return reply;
    const extra = Object.fromEntries(kept.filter((key) => key in body).map((key) => [key, body[key]]));
    updates.begin(name, { ...extra, ...(body.version ? {} : { version }) });
    return describe(reply);
  }

  return {
    // One at a time, so that two at once do not both find none.
    "POST /clusters": (request) => {
      const created = creating.then(() => create(request));
      creating = created.catch(() => undefined);
      return created;
    },
    "GET /clusters/{cluster}": async ({ forward }) => describe(await forward()),
    "DELETE /clusters/{cluster}": async ({ parameters: { cluster = "" }, forward }) => {
      if (updates.changeOf(cluster).deletionProtection === true) {
        throw new AwsError(
          "InvalidRequestException",
          `Cluster ${cluster} has deletion protection. Turn that off with UpdateClusterConfig first.`,
        );
      }
      const reply = await describe(await forward());
      if (reply.status === 200) updates.forget(cluster);
      return reply;
    },
    "POST /clusters/{cluster}/update-config": ({ parameters: { cluster = "" }, body, forward }) => {
      const { clientRequestToken, ...change } = body;
      checkAutoMode(merge(updates.changeOf(cluster), change));
      return updates.carryOut(cluster, configUpdate(change), change, forward);
    },
    "POST /clusters/{cluster}/updates": async ({ parameters: { cluster = "" }, body, forward }) => {
      const change = { version: body.version };
      const reply = await updates.carryOut(cluster, "VersionUpdate", change, forward);
      if (reply.status === 200 && body.version !== version)
        options.log(`EKS: ${cluster} is said to be ${body.version}; local's Kubernetes stays ${version}`);
      return reply;
    },
    "GET /clusters/{cluster}/updates": ({ parameters: { cluster = "" }, forward }) =>
      updates.list(cluster, forward),
    "GET /clusters/{cluster}/updates/{id}": ({ parameters: { cluster = "", id = "" }, forward }) =>
      updates.describe(cluster, id, forward),
  };
}

/** What EKS calls an update of a cluster's configuration. */
function configUpdate(change: Json): string {
  if (change.logging) return "LoggingUpdate";
  return change.resourcesVpcConfig ? "EndpointAccessUpdate" : "ConfigUpdate";
}
