import type { Reply } from "../aws/reply.ts";
import type { AwsCall } from "../aws/request.ts";
import { type PathParameters, routeOf } from "../aws/route.ts";
import { accessEntryRoutes } from "./access-entries.ts";
import { addonVersionRoutes } from "./addon-versions.ts";
import { associationRoutes } from "./associations.ts";
import { clusterRoutes } from "./clusters.ts";
import { type Json, parseObject } from "./json.ts";
import { nodegroupRoutes } from "./nodegroups.ts";
import { presentTagRoutes } from "./present-tags.ts";
import { Updates } from "./updates.ts";

/** What is asked of an association before it is changed. */
export interface AssociationRecord {
  /** Those that it was made with. */
  tags: Record<string, string>;
  disableSessionTags: boolean;
  policy?: string;
}

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
  /** Those of more clusters, by their names: a test may have one beside. Default none. */
  otherKubernetes?: ReadonlyMap<string, Kubernetes>;
  /** Names of the clusters that there are. */
  clusterNames(): Promise<readonly string[]>;
  /** Tags of a cluster or node group now: MiniStack describes them with those of their creation. */
  tags(arn: string): Promise<Record<string, string>>;
  /** A Pod Identity association as MiniStack has it; undefined when it is not there. */
  association(cluster: string, id: string): Promise<AssociationRecord | undefined>;
  /** A role of the account, with its trust policy as JSON; undefined when it is not there. */
  role(name: string): Promise<{ arn: string; trustPolicy: string } | undefined>;
  /** Whether a role or user of the account has this ARN, path and all. */
  principalExists(arn: string): Promise<boolean>;
  /** Twelve digits. */
  accountId: string;
  region: string;
  log(line: string): void;
}

/** A call of EKS's API. */
export interface EksRequest {
  /** From its path. */
  parameters: PathParameters;
  query: URLSearchParams;
  body: Json;
  /** Has MiniStack answer it. */
  forward(): Promise<Reply>;
}

/** What is answered here, by method and path: `GET /clusters/{cluster}`. */
export type Routes = Readonly<Record<string, (request: EksRequest) => Promise<Reply>>>;

/** EKS with local's Kubernetes behind its cluster, and with what MiniStack lacks. All else is MiniStack's. */
export function eks(
  options: EksOptions,
): (call: AwsCall, body: string, forward: () => Promise<Reply>) => Promise<Reply> {
  const updates = new Updates(options.clusterNames);
  const routes = Object.entries({
    ...clusterRoutes(options, updates),
    ...nodegroupRoutes(options, updates),
    ...associationRoutes(options),
    ...accessEntryRoutes(options),
    ...addonVersionRoutes(options),
    ...presentTagRoutes(options),
  }).map(([route, answer]) => {
    const [method, path = ""] = route.split(" ");
    return { method, match: routeOf(path), answer };
  });

  return async ({ method, path, query }, body, forward) => {
    for (const route of routes) {
      const parameters = route.method === method ? route.match(path) : undefined;
      if (parameters) return route.answer({ parameters, query, body: parseObject(body), forward });
    }
    return forward();
  };
}
