import { pullRequestService } from "./service.ts";

const { CLUSTER, AWS_REGION, PORT = "8090" } = process.env;
if (!CLUSTER || !AWS_REGION) {
  console.error("Set CLUSTER to the name of an EKS cluster, and AWS_REGION to its region.");
  process.exit(2);
}
const service = pullRequestService({ cluster: CLUSTER, region: AWS_REGION });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void service.close());
service.listen({ host: "127.0.0.1", port: Number(PORT) }).then(
  (address) => console.log(`${address}/pull-requests`),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
