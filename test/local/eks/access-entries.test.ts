import { expect } from "chai";
import { jsonReply } from "../../../local/aws/reply.ts";
import { refusal } from "../aws/tokens.ts";
import { eksWith } from "./harness.ts";

describe("an access entry of EKS's", () => {
  const path = "/clusters/irsa/access-entries";
  const made = jsonReply({ accessEntry: { principalArn: "arn" } });
  const arn = (account: string) => `arn:aws:iam::${account}:role/aws-reserved/sso.amazonaws.com/Ops`;

  it("is made for a role or user that is there, by its whole ARN, and for those of other accounts", async () => {
    const asked: string[] = [];
    const principalExists = async (arn: string) => {
      asked.push(arn);
      return arn === "arn:aws:iam::000000000000:user/ann";
    };
    const eks = eksWith({ principalExists });
    const make = (principalArn: string) => eks.send(made, "POST", path, { principalArn });
    expect((await make("arn:aws:iam::000000000000:user/ann")).status).to.equal(200);
    expect((await make(arn("444455556666"))).status).to.equal(200);
    expect(await refusal(make(arn("000000000000")))).to.equal(
      "400 InvalidParameterException: The specified principalArn is invalid: invalid principal.",
    );
    expect(asked).to.deep.equal(["arn:aws:iam::000000000000:user/ann", arn("000000000000")]);
  });
});
