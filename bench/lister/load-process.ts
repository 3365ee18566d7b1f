import autocannon from "autocannon";
import type { Load } from "./load.ts";

// The process that `load` starts: options as JSON in its one argument, the result as JSON on standard output.

async function main(): Promise<void> {
  const { paths, ...options } = JSON.parse(process.argv[2] ?? "") as Load;
  const requests = paths?.map((path) => ({ method: "GET" as const, path }));
  const result = await autocannon(requests === undefined ? options : { ...options, requests });
  process.stdout.write(JSON.stringify(result));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
