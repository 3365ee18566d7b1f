import type { Link } from "../chain.ts";
import { cluster } from "./cluster.ts";
import { issuer, oidcProvider } from "./issuer.ts";
import { permissions } from "./permissions.ts";
import { injection, pod, readable } from "./pod.ts";
import { role, serviceAccount, session } from "./role.ts";
import { sdk } from "./sdk.ts";
import { sts, token } from "./token.ts";
import { trust } from "./trust.ts";

/** The chain, from the cluster to the workload's own SDK, in the order in which it is walked. */
export const links: readonly Link[] = [
  ...[cluster, issuer, oidcProvider, serviceAccount, role, trust, session],
  ...[pod, injection, readable, token, sts, permissions, sdk],
];
