import { expect } from "chai";
import { partsOf } from "../../../../../../local/pulumi/providers/aws/eks/composite-id.ts";

describe("an id of two parts", () => {
  it("is cut at its first separator: an ARN has more of them", () => {
    expect(partsOf("dev:arn:aws:iam::111122223333:role/a", ":")).to.deep.equal([
      "dev",
      "arn:aws:iam::111122223333:role/a",
    ]);
    expect(partsOf("dev,a-1", ",")).to.deep.equal(["dev", "a-1"]);
  });

  it("is refused without one, as an import may be given it", () => {
    expect(() => partsOf("vpc-cni", ":")).to.throw("vpc-cni is no id of the form CLUSTER:NAME");
  });
});
