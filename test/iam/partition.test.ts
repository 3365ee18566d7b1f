import { expect } from "chai";
import { partitionOfArn, partitionOfRegion } from "../../iam/partition.ts";

describe("partitions", () => {
  for (const [region, partition] of [
    ["eu-central-1", "aws"],
    ["us-east-1", "aws"],
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
    ["us-iso-east-1", "aws-iso"],
    ["us-isob-east-1", "aws-iso-b"],
    ["eusc-de-east-1", "aws-eusc"],
  ]) {
    it(`${region} is in ${partition}`, () => {
      expect(partitionOfRegion(region ?? "")).to.equal(partition);
    });
  }

  it("are the second part of every ARN, and nothing else is one", () => {
    expect(partitionOfArn("arn:aws-cn:iam::111122223333:role/x")).to.equal("aws-cn");
    expect(() => partitionOfArn("iam::111122223333:role/x")).to.throw();
  });
});
