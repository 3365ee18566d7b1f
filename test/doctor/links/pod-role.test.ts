import { expect } from "chai";
import { associated, brokenOf, cause, look, role, roleArn } from "../captured.ts";

const found = (arn: string) => ({ iam: { role: async () => ({ ...role, arn }) } });

describe("the doctor's links role and session", () => {
  it("name a role that is not there, and where its ARN is another", async () => {
    expect(await cause({ iam: { role: async () => undefined } })).to.equal("role-missing");
    const path = brokenOf(await look(found(roleArn.replace("role/", "role/team/"))));
    expect(path).to.include({ cause: "role-path" });
    expect(path.mend[0]).to.contain("eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/team/reader");
    expect(await cause(found(roleArn.replace("arn:aws:", "arn:aws-cn:")))).to.equal("role-partition");
  });

  it("have an association's role mended in the association", async () => {
    const { iam, ...rest } = associated();
    const other = roleArn.replace("role/", "role/team/");
    const broken = brokenOf(await look({ ...rest, iam: { ...iam, ...found(other).iam } }));
    expect(broken.mend[0]).to.equal(
      `aws eks update-pod-identity-association --region eu-central-1 --cluster-name dev --association-id a-0123 --role-arn ${other}`,
    );
  });

  it("name a session that is longer than the role allows", async () => {
    const broken = brokenOf(await look({}, { sessionSeconds: 7200 }));
    expect(broken).to.include({ cause: "session-duration" });
    expect(broken.mend[0]).to.contain("--max-session-duration 7200");
  });
});
