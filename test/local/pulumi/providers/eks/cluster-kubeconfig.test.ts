import type { Cluster } from "@pulumi/aws/eks/cluster.js";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { kubeconfig } from "../../../../../local/pulumi/providers/eks/cluster-kubeconfig.ts";
import { known } from "../../../../mocks.ts";

describe("a kubeconfig of the eks stand-in", () => {
  const cluster = {
    name: pulumi.output("dev"),
    arn: pulumi.output("arn:aws-cn:eks:cn-north-1:111122223333:cluster/dev"),
    endpoint: pulumi.output("https://example"),
    certificateAuthority: pulumi.output({ data: "Q0E=" }),
  } as unknown as Cluster;

  it("reaches the cluster and gets tokens from the aws command, in the cluster's own region", async () => {
    const { clusters, users } = await known(kubeconfig(cluster));
    expect(clusters[0]?.cluster).to.deep.equal({
      server: "https://example",
      "certificate-authority-data": "Q0E=",
    });
    expect(users[0]?.user.exec).to.include({
      apiVersion: "client.authentication.k8s.io/v1beta1",
      command: "aws",
    });
    expect(users[0]?.user.exec.args.join(" ")).to.equal(
      "--region cn-north-1 eks get-token --cluster-name dev --output json",
    );
  });

  it("names a role and a profile where they are given", async () => {
    const { users } = await known(kubeconfig(cluster, { roleArn: "arn:role", profileName: "ops" }));
    expect(users[0]?.user.exec.args.join(" ")).to.match(/ --role arn:role --profile ops$/);
  });
});
