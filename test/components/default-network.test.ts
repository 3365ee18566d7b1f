import { expect } from "chai";
import { defaultNetwork } from "../../components/default-network.ts";
import { known, setMocks } from "../mocks.ts";

describe("the default network", () => {
  /** A default VPC with these subnets, each in its zone. */
  const withSubnets = (zones: Record<string, string>) =>
    setMocks({
      calls: {
        "aws:ec2/getSubnets:getSubnets": ({ filters }) => {
          const [vpc, zone] = filters as { name: string; values: string[] }[];
          expect(vpc).to.deep.equal({ name: "vpc-id", values: ["vpc-default"] });
          const ids = Object.keys(zones);
          return { ids: zone ? ids.filter((id) => zone.values.includes(String(zones[id]))) : ids };
        },
      },
    });
  const failure = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => "none",
      (error: Error) => error.message,
    );

  it("has the default VPC's subnets, but for zones that EKS is not in", async () => {
    await withSubnets({ "subnet-a": "use1-az1", "subnet-e": "use1-az3", "subnet-b": "use1-az2" });
    expect(await known(defaultNetwork("us-east-1", {}).subnetIds)).to.deep.equal(["subnet-a", "subnet-b"]);
    await withSubnets({ "subnet-a": "euc1-az1", "subnet-b": "euc1-az2" });
    expect(await known(defaultNetwork("eu-central-1", {}).subnetIds)).to.deep.equal(["subnet-a", "subnet-b"]);
  });

  it("that is not there, or has too few, says what to set", async () => {
    await setMocks({
      calls: {
        "aws:ec2/getVpc:getVpc": () => {
          // What the engine tells the SDK is in the details of gRPC.
          throw Object.assign(new Error(), { details: "no matching EC2 VPC found" });
        },
      },
    });
    expect(await failure(known(defaultNetwork("eu-central-1", {}).subnetIds))).to.equal(
      "There is no default VPC in eu-central-1. Set the cluster's network to a VPC and at least two of its subnets.",
    );
    await withSubnets({ "subnet-a": "use1-az1", "subnet-e": "use1-az3" });
    expect(await failure(known(defaultNetwork("us-east-1", {}).subnetIds))).to.contain(
      "The default VPC of us-east-1 has 1 subnets in which EKS can be, and needs two. Set the cluster's network",
    );
  });
});
