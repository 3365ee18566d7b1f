import type { Link } from "../chain";
import { cluster } from "./cluster";
import { issuer, oidcProvider } from "./issuer";
import { permissions } from "./permissions";
import { injection, pod, readable } from "./pod";
import { role, serviceAccount, session } from "./role";
import { sdk } from "./sdk";
import { sts, token } from "./token";
import { trust } from "./trust";

/** The chain, from the cluster to the workload's own SDK, in the order in which it is walked. */
export const links: readonly Link[] = [
  ...[cluster, issuer, oidcProvider, serviceAccount, role, trust, session],
  ...[pod, injection, readable, token, sts, permissions, sdk],
];
