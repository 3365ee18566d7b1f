import { expect } from "chai";
import { accessOf } from "../../../doctor/access.ts";
import {
  allow,
  associated,
  association,
  brokenOf,
  findingOf,
  look,
  policy,
  role,
  unseenOf,
  variable,
} from "../captured.ts";

const having = (...statements: object[]) => ({
  iam: { policies: async () => [{ name: "own", document: policy(...statements) }] },
});
/** The document that a mend would put. */
const documentOf = ({ mend: [command = ""] }: { mend: readonly string[] }): string =>
  /--policy-document '(.*)'$/s.exec(command)?.[1] ?? "";

describe("the doctor's link permissions", () => {
  const tagged = `arn:aws:s3:::b/${variable("aws:PrincipalTag/team")}/*`;
  const invoices = "arn:aws:s3:::invoices/*";

  it("says on which resources an action is allowed that was asked for without one, and how to ask", async () => {
    const diagnosis = await look(having(allow("s3:GetObject", invoices)), { actions: ["s3:GetObject"] });
    expect(diagnosis.state).to.equal("unseen");
    const { why, takes } = unseenOf(diagnosis, "permissions");
    expect(why).to.equal(`s3:GetObject is allowed on some resources: ${invoices}.`);
    expect(takes).to.contain(`--action 's3:GetObject=${invoices}'`);
    const asked = await look(having(allow("s3:GetObject", invoices)), {
      actions: [`s3:GetObject=${invoices}`, "s3:GetObject=arn:aws:s3:::invoices/2026/1.pdf"],
    });
    expect(asked.state).to.equal("healthy");
  });

  it("grants in its mend what was asked for and nothing more", async () => {
    const broken = brokenOf(await look(having(), { actions: [`s3:GetObject=${invoices}`] }));
    expect(JSON.parse(documentOf(broken)).Statement).to.deep.equal([allow("s3:GetObject", invoices)]);
    const open = brokenOf(await look(having(), { actions: ["s3:GetObject"] }));
    expect(open).to.deep.include({ cause: "not-allowed", mend: [] });
    expect(open.advice?.[0]).to.contain("--action s3:GetObject=ARN");
    const resourceless = brokenOf(await look(having()));
    expect(accessOf([documentOf(resourceless)], "s3:ListAllMyBuckets", "*").kind).to.equal("allowed");
  });

  it("puts its policy beside one of the same name", async () => {
    const change = { iam: { policies: async () => [{ name: "s3-GetObject", document: policy() }] } };
    const broken = brokenOf(await look(change, { actions: [`s3:GetObject=${invoices}`] }));
    expect(broken.mend[0]).to.contain("--policy-name s3-GetObject-2 ");
  });

  it("calls conditional what a tag of the principal decides", async () => {
    const own = allow("s3:GetObject", tagged);
    const actions = ["s3:GetObject=arn:aws:s3:::b/red/1"];
    expect(unseenOf(await look(having(own), { actions }), "permissions").why).to.contain(
      `conditionally: ${tagged}`,
    );
    const deny = { Effect: "Deny", Action: "s3:*", NotResource: tagged };
    const denied = await look(having(allow("s3:*"), deny), { actions });
    expect(unseenOf(denied, "permissions").why).to.contain("conditionally");
  });

  it("names the policy that denies", async () => {
    const deny = { Effect: "Deny", Action: "s3:List*", Resource: "*" };
    const broken = brokenOf(await look(having(allow("s3:*"), deny)));
    expect(broken).to.include({ cause: "denied" });
    expect(broken.look).to.deep.equal(["aws iam get-role-policy --role-name reader --policy-name own"]);
  });

  it("keeps within the boundary and the association's policy", async () => {
    const boundaryArn = "arn:aws:iam::111122223333:policy/boundary";
    const bounded = (document: string | undefined) => ({
      iam: { role: async () => ({ ...role, boundaryArn }), policyDocument: async () => document },
    });
    expect(brokenOf(await look(bounded(policy(allow("sqs:*")))))).to.include({ cause: "boundary" });
    expect((await look(bounded(policy(allow("s3:*"))))).state).to.equal("healthy");
    expect(unseenOf(await look(bounded(undefined)), "permissions").why).to.contain(boundaryArn);
    const { eks, ...rest } = associated();
    const sessionPolicy = policy(allow("sqs:*"));
    const narrowed = { ...eks, association: async () => ({ ...association, sessionPolicy }) };
    expect(brokenOf(await look({ ...rest, eks: narrowed }))).to.include({ cause: "session-policy" });
  });

  it("cannot tell where a policy could not be read", async () => {
    const policies = async () => [
      { name: "list", document: policy(allow("s3:ListAllMyBuckets")) },
      { name: "hidden", arn: "arn:aws:iam::aws:policy/hidden" },
    ];
    expect(unseenOf(await look({ iam: { policies } }), "permissions").why).to.contain("hidden");
  });

  it("says of a policy that it allows far more", async () => {
    const policies = async () => [{ name: "AmazonS3FullAccess", document: policy(allow("s3:*")) }];
    expect(JSON.stringify(findingOf(await look({ iam: { policies } }), "permissions"))).to.contain(
      "AmazonS3FullAccess allows far more",
    );
  });
});
