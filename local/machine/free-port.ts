import getPort, { portNumbers } from "get-port";

/**
 * A port of loopback that nothing listens on, below those that Linux gives to outgoing connections (32768 and up, unless told
 * otherwise): one of these could take it before its server starts.
 *
 * @param taken ports that others will listen on
 */
export const freePort = (taken: readonly number[] = []): Promise<number> =>
  getPort({ host: "127.0.0.1", port: portNumbers(20_000, 20_999), exclude: taken });
