import { expect } from "chai";
import { refuseCidrs } from "../../../../../local/pulumi/providers/aws/property-rules.ts";

describe("IPv4 blocks", () => {
  it("are taken without host bits, and refused with the block that was meant", () => {
    expect(refuseCidrs(["0.0.0.0/0", "255.255.255.255/32", "192.168.4.0/22"])).to.equal(undefined);
    expect(refuseCidrs("192.168.5.1/22")).to.equal(
      '"192.168.5.1/22" is not a valid IPv4 CIDR block; did you mean "192.168.4.0/22"?',
    );
    for (const none of ["010.001.0.0/08", "10.0.0.0", "::/0", "256.0.0.0/8"]) {
      expect(refuseCidrs([none])).to.equal(`"${none}" is not a valid IPv4 CIDR block`);
    }
  });
});
