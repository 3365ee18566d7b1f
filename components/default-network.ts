import { getSubnets } from "@pulumi/aws/ec2/getSubnets.js";
import { getVpc } from "@pulumi/aws/ec2/getVpc.js";
import * as pulumi from "@pulumi/pulumi";

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
    getVpc({ default: true }, opts).then(
      ({ id }) => id,
      (error: Error) => {
        throw new pulumi.RunError(
          `There is no default VPC in ${region} that can be read: ${error.message}\n${setNetwork}`,
        );
      },
    ),
  );
  const subnetIds = vpcId.apply(async (id) => {
    const subnets = async (...filters: { name: string; values: string[] }[]) =>
      (await getSubnets({ filters: [{ name: "vpc-id", values: [id] }, ...filters] }, opts)).ids;
    const zones = zonesWithoutEks[region];
    const refused =
      zones === undefined ? [] : await subnets({ name: "availability-zone-id", values: [...zones] });
    const ids = (await subnets()).filter((one) => !refused.includes(one));
    if (ids.length < 2) {
      throw new pulumi.RunError(
        `The default VPC of ${region} has ${ids.length} subnets in which EKS can be, and needs two. ${setNetwork}`,
      );
    }
    return ids;
  });
  return { vpcId, subnetIds };
}
