import { expect } from "chai";
import type { BundleReference } from "../../../iam/bundles.ts";
import { account, allowed, examples, pathsOf, refuse, region } from "./harness.ts";

describe("bundles of the network", () => {
  it("vpc-cni for IPv6 looks for subnets and security groups, without which 1.22 does not start", async () => {
    for (const action of ["ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"]) {
      expect(await allowed({ bundle: "vpc-cni", ipv6: true }, action, "*"), action).to.equal(true);
    }
  });

  it("vpc-cni sends the logs of network policies when told so, beside AWS's own policy", async () => {
    const stream = `arn:aws:logs:${region}:${account}:log-group:/aws/eks/prod/cluster:log-stream:aws-network-policy-agent`;
    const reference: BundleReference = { bundle: "vpc-cni", networkPolicyLogs: true };
    expect(pathsOf(reference)).to.deep.equal(["AmazonEKS_CNI_Policy"]);
    expect(await allowed(reference, "logs:PutLogEvents", stream)).to.equal(true);
    expect(await allowed(reference, "logs:PutLogEvents", stream.replace("/aws/eks/", "/app/"))).to.equal(
      false,
    );
    expect(await allowed({ bundle: "vpc-cni", ipv6: true }, "logs:PutLogEvents", stream)).to.equal(false);
  });

  it("gateway-api-controller sets up access logs unless told not to", async () => {
    const quiet: BundleReference = { bundle: "gateway-api-controller", accessLogs: false };
    for (const [reference, expected] of [
      [examples["gateway-api-controller"], true],
      [quiet, false],
    ] as const) {
      expect(await allowed(reference, "logs:CreateLogDelivery", "*")).to.equal(expected);
      expect(await allowed(reference, "s3:PutBucketPolicy", "arn:aws:s3:::logs")).to.equal(expected);
      expect(await allowed(reference, "vpc-lattice:CreateService", "*")).to.equal(true);
    }
  });

  it("vpc-cni for IPv6 tags network interfaces, and nothing else", async () => {
    const arn = (kind: string) => `arn:aws:ec2:${region}:${account}:${kind}`;
    expect(await allowed(examples["vpc-cni"], "ec2:CreateTags", arn("network-interface/eni-1"))).to.equal(
      true,
    );
    expect(await allowed(examples["vpc-cni"], "ec2:CreateTags", arn("instance/i-1"))).to.equal(false);
    expect(
      await allowed(examples["vpc-cni"], "ec2:AssignIpv6Addresses", arn("network-interface/eni-1")),
    ).to.equal(true);
  });

  refuse([
    [
      "a misspelt key",
      { bundle: "vpc-cni", ipV6: true },
      ".ipV6 holds true; there is no such key; there are bundle, ipv6, networkPolicyLogs, attach; do you mean ipv6?",
    ],
  ]);
});
