import { connect } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { LookupError } from "./lookup.ts";

/** An API server that only private networks reach. */
export interface PrivateApiServer {
  readonly cluster: string;
  /** `https://…`, as EKS gives it. */
  readonly endpoint: string;
  /** Blocks of addresses and security groups that are let in, where this program says so. */
  readonly admitted: readonly string[];
}

/**
 * Finds out whether a connection to the API server comes about from here, so that an `up` from outside of its networks ends
 * with what is wrong, and not minutes later in a timeout of the first namespace. A preview needs no connection.
 *
 * @throws LookupError that names the way in.
 */
export async function checkReachable(
  { cluster, endpoint, admitted }: PrivateApiServer,
  seconds = 20,
): Promise<void> {
  if (pulumi.runtime.isDryRun()) return;
  const problem = await connectionProblem(new URL(endpoint), seconds);
  if (problem === undefined) return;
  const from = admitted.length > 0 ? `, from ${admitted.join(", ")} (endpoint.privateCidrs)` : "";
  throw new LookupError(
    `The API server of the cluster ${cluster}, ${endpoint}, cannot be reached from here: ${problem}. ` +
      `Its endpoint is private: it answers inside its VPC and the networks that are let in${from}. Run this from one of ` +
      "them, such as a VPN or a runner in the VPC, or open the public endpoint to your own address with endpoint.public " +
      "and endpoint.allowedCidrs.",
  );
}

/** Why no connection comes about; undefined where one does. */
function connectionProblem({ hostname, port }: URL, seconds: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port || 443) });
    const end = (problem?: string): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(seconds * 1000, () => end(`no answer in ${seconds} s`));
    socket.once("connect", () => end());
    socket.once("error", (error) => end(error.message));
  });
}
