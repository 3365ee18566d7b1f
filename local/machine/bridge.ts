import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { command } from "./command.ts";

/** The network that pods and the host share: a bridge, on which the host has the first address. */
export interface Bridge {
  name: string;
  /** The host's address on it, at which pods reach local's servers: `10.244.0.1`. */
  address: string;
  /** `10.244.0.0/24`. */
  subnet: string;
}

const name = "eksirsa0";

/** Where SDKs look for EKS's Pod Identity agent on their node. They take credentials from few other addresses. */
export const agentAddress = "169.254.170.23";
export const agentPort = 80;

/** What a bridge that local made has as its alias, before the folder of its run. */
const mark = "eks-irsa local: ";

/** Where the kernel shows network devices. */
const networkDevices = "/sys/class/net";

/**
 * The folder of the run whose bridge is there, also when that run ended without removing it, and whoever's cache it was of;
 * undefined when there is none, or one that bears no mark of local.
 */
export function bridgeOwner(devices = networkDevices): string | undefined {
  try {
    const alias = readFileSync(join(devices, name, "ifalias"), "utf8").trimEnd();
    return alias.startsWith(mark) ? alias.slice(mark.length) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes the bridge. It leads nowhere: there is no forwarding, no address translation and no firewall rule, so a pod
 * reaches the host, other pods, and nothing else. The agent's address is the host's on it too, for as long as it is there.
 *
 * @param owner the folder of the run that it is for
 * @throws Error when there is a device of that name; or when this machine is a node of EKS itself, whose own agent has the
 *   address.
 */
export async function createBridge(owner: string, devices = networkDevices): Promise<Bridge> {
  if (existsSync(join(devices, name))) {
    throw new Error(
      `A network device ${name} is there that bears no mark of local, which needs the name for its own. ` +
        `If nothing of yours uses it, remove it: \`ip link delete ${name}\`.`,
    );
  }
  const [agents] = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ address }) => address === agentAddress),
  ) ?? [undefined];
  if (agents !== undefined) {
    throw new Error(
      `${agentAddress} is on ${agents} of this machine already: another agent of EKS Pod Identity answers there, and local needs the address for its own.`,
    );
  }
  const routes = await command("ip", ["-4", "route", "show"], { log: "network" });
  const subnet = freeSubnet(routes);
  const address = subnet.replace(/0\/24$/, "1");
  await command("ip", ["link", "add", name, "type", "bridge"], { log: "network" });
  await command("ip", ["link", "set", name, "alias", `${mark}${owner}`], { log: "network" });
  await command("ip", ["address", "add", `${address}/24`, "dev", name], { log: "network" });
  await command("ip", ["address", "add", `${agentAddress}/32`, "dev", name], { log: "network" });
  await command("ip", ["link", "set", name, "up"], { log: "network" });
  return { name, address, subnet };
}

/** Removes the bridge, with whatever is still plugged into it. */
export const removeBridge = (): Promise<unknown> =>
  command("ip", ["link", "delete", name], { log: "network" });

/**
 * The first /24 of 10.244.0.0/16 that no route of the machine touches.
 *
 * @param routes what `ip -4 route show` printed
 */
export function freeSubnet(routes: string): string {
  const taken = [...routes.matchAll(/(?:^|\s)(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?/gm)].map(([, base, bits]) => ({
    base: numeric(base ?? ""),
    bits: Number(bits ?? 32),
  }));
  for (let third = 0; third < 256; third++) {
    const candidate = { base: numeric(`10.244.${third}.0`), bits: 24 };
    if (!taken.some((route) => overlap(route, candidate))) return `10.244.${third}.0/24`;
  }
  throw new Error(
    "Every network in 10.244.0.0/16 is in use on this machine; local needs a free /24 there for its pods.",
  );
}

interface Block {
  base: number;
  bits: number;
}

function overlap(a: Block, b: Block): boolean {
  const size = 2 ** (32 - Math.min(a.bits, b.bits));
  return Math.floor(a.base / size) === Math.floor(b.base / size);
}

function numeric(address: string): number {
  return address.split(".").reduce((value, octet) => value * 256 + Number(octet), 0);
}
