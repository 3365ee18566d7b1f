import { type AwsContext, waitUntil } from "../calls.ts";

interface Live {
  status?: string;
  health?: { issues?: { code?: string; message?: string }[] };
}

/**
 * Waits until something of EKS works, or works in part.
 *
 * @throws Error in EKS's words when it has failed.
 */
export async function waitUntilActive(
  what: string,
  context: AwsContext,
  defaultSeconds: number,
  describe: () => Promise<Live | undefined>,
): Promise<void> {
  await waitUntil(`${what} is ACTIVE`, context, defaultSeconds, async () => {
    const { status, health } = (await describe()) ?? {};
    if (status?.endsWith("FAILED")) throw new Error(`${what} is ${status}: ${issues(health)}`);
    return status === "ACTIVE" || status === "DEGRADED";
  });
}

/** What EKS says is wrong with a resource. */
const issues = (health: Live["health"]): string =>
  (health?.issues ?? []).map(({ code, message }) => `${code}: ${message}`).join("; ") || "no reason given";
