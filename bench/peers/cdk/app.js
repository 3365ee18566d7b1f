// The bindings of `npm run bench -- scale` with aws-cdk-lib: `node app.js COUNT OUTPUT_FOLDER`.
const { KubectlV34Layer } = require("@aws-cdk/lambda-layer-kubectl-v34");
const { App, Stack } = require("aws-cdk-lib");
const { Cluster, ServiceAccount } = require("aws-cdk-lib/aws-eks");
const { ManagedPolicy, OpenIdConnectProvider } = require("aws-cdk-lib/aws-iam");

const [, , count, outdir] = process.argv;
const app = new App({ outdir });
const stack = new Stack(app, "bindings", { env: { account: "111122223333", region: "eu-central-1" } });
const issuer = "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
const cluster = Cluster.fromClusterAttributes(stack, "cluster", {
  clusterName: "bench",
  kubectlRoleArn: "arn:aws:iam::111122223333:role/kubectl",
  kubectlLayer: new KubectlV34Layer(stack, "kubectl"),
  openIdConnectProvider: OpenIdConnectProvider.fromOpenIdConnectProviderArn(
    stack,
    "provider",
    `arn:aws:iam::111122223333:oidc-provider/${issuer}`,
  ),
});
for (let index = 0; index < Number(count); index++) {
  const account = new ServiceAccount(stack, `app-${index}`, {
    cluster,
    name: `app-${index}`,
    namespace: `team-${index % 10}`,
  });
  account.role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName("AmazonS3ReadOnlyAccess"));
}
app.synth();
