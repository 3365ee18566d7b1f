import type { Broken } from "../../doctor/chain.ts";
import type { Diagnosis } from "../../doctor/diagnosis.ts";

/** The broken link's finding. @throws Error where nothing is broken. */
export function brokenOf({ links }: Diagnosis): Broken {
  const found = links.find(({ finding }) => finding.state === "broken")?.finding;
  if (found?.state !== "broken") throw new Error(`Nothing is broken: ${JSON.stringify(links)}`);
  return found;
}
