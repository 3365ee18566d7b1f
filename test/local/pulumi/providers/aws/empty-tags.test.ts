import { expect } from "chai";
import { unlessEmpty } from "../../../../../local/pulumi/providers/aws/common.ts";

describe("tags as a map", () => {
  it("are left out where there are none, since EKS and Logs refuse an empty map", () => {
    expect(unlessEmpty({})).to.equal(undefined);
    expect(unlessEmpty({ env: "dev" })).to.deep.equal({ env: "dev" });
  });
});
