import { openStack } from "/work/main/automation";
import { engineEnvironment } from "/work/main/local/engine";
import { awsEnvironment, region } from "/work/main/local/run";
import { load } from "/work/main/local/state";
process.setSourceMapsEnabled(false);
(async () => {
  const state = load()!;
  const stack = await openStack({ stack: "thousand", region, config: { app: "none", cluster: { name: "eks-irsa", existing: true },
    bindings: Array.from({ length: 1000 }, (_, i) => ({ namespace: "thousand", serviceAccount: `app-${i}`, createNamespace: i === 0, policies: ["AmazonS3ReadOnlyAccess"] })) },
    env: { ...awsEnvironment(state), ...engineEnvironment(state), PULUMI_SKIP_CHECKPOINTS: process.env.SKIP ?? "" , ...(process.env.SKIP ? {PULUMI_EXPERIMENTAL: "true"} : {})} });
  for (const what of ["up", "up", "destroy"] as const) {
    const t = Date.now(); const { changes } = await (stack as any)[what](); console.log(what, (Date.now() - t) / 1000, "s", JSON.stringify(changes), (process.memoryUsage().rss / 1e6).toFixed(0), "MB");
  }
  await stack.remove();
})().catch((e) => { console.error(e.message, e.output?.slice(-3000)); process.exit(1); });
