import { writeFileSync } from "node:fs";
import { FakeCloud } from "./fake-cloud.ts";

// `node test/audit/serve-cloud.ts NUMBER KUBECONFIG`: a cloud with so many ServiceAccounts, each with a role, until it is ended.
// Measurements read it as a process of its own, so that what it takes is not counted. Says where it listens.

const [number = "", kubeconfig = ""] = process.argv.slice(2);
const cloud = new FakeCloud();
await cloud.start();
for (let index = 0; index < Number(number); index++) cloud.add(`app-${index}`);
cloud.lists["/api/v1/namespaces/team-a/serviceaccounts"] = cloud.lists["/api/v1/serviceaccounts"] ?? [];
writeFileSync(kubeconfig, cloud.kubeconfig());
process.stdout.write(`${cloud.url}\n`);
