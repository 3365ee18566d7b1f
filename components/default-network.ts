import { getSubnets } from "@pulumi/aws/ec2/getSubnets.js";
import { getVpc } from "@pulumi/aws/ec2/getVpc.js";
import * as pulumi from "@pulumi/pulumi";
import { LookupError, lookUp } from "./lookup.ts";

/** Zones in which EKS takes no subnet. Source: "VPC and subnet requirements", Amazon EKS User Guide. */
const zonesWithoutEks: Readonly<Record<string, readonly string[]>> = {
  "us-east-1": ["use1-az3"],
  "us-west-1": ["usw1-az2"],
  "ca-central-1": ["cac1-az3"],
};

/** The default VPC, and its subnets in which a cluster may be. pulumi-eks takes all of them, and EKS refuses. */
export function defaultNetwork(region: string, opts: pulumi.InvokeOptions) {
  const setNetwork = "Set the cluster's network to a VPC and at least two of its subnets.";
  const vpcId = pulumi.output(
    lookUp(() => getVpc({ default: true }, opts), {
      what: `the default VPC in ${region}`,
      needs: "ec2:DescribeVpcs",
      missing: { said: /no matching EC2 VPC found/, instead: setNetwork },
    }),
  ).id;
  const subnetIds = vpcId.apply(async (id) => {
    const subnets = async (...filters: { name: string; values: string[] }[]) =>
      (
        await lookUp(() => getSubnets({ filters: [{ name: "vpc-id", values: [id] }, ...filters] }, opts), {
          what: `the subnets of the default VPC in ${region}`,
          needs: "ec2:DescribeSubnets",
        })
      ).ids;
    const zones = zonesWithoutEks[region];
    const refused =
      zones === undefined ? [] : await subnets({ name: "availability-zone-id", values: [...zones] });
    const ids = (await subnets()).filter((one) => !refused.includes(one));
    if (ids.length < 2) {
      throw new LookupError(
        `The default VPC of ${region} has ${ids.length} subnets in which EKS can be, and needs two. ${setNetwork}`,
      );
    }
    return ids;
  });
  return { vpcId, subnetIds };
}
