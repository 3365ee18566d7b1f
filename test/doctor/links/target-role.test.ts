import { expect } from "chai";
import type { Role } from "../../../doctor/world.ts";
import {
  allow,
  brokenOf,
  findingOf,
  look,
  policy,
  refusal,
  role,
  roleArn,
  session,
  unseenOf,
} from "../captured.ts";

const target = "arn:aws:iam::222233334444:role/invoices";
const near = "arn:aws:iam::111122223333:role/invoices";
const trusting = (Principal: object, more: object = {}): Role => ({
  ...role,
  name: "invoices",
  arn: target,
  trustPolicy: policy({ Effect: "Allow", Action: "sts:AssumeRole", Principal, ...more }),
});
const may = async () => [{ name: "assume", document: policy(allow("sts:AssumeRole", target)) }];
const listing = async () => [{ name: "list", document: policy(allow("s3:ListAllMyBuckets")) }];
const both = (second: StsSecond, found: Role | undefined = trusting({ AWS: roleArn })) => ({
  iam: { policies: may },
  targetIam: { accountId: async () => "222233334444", role: async () => found, policies: listing },
  sts: { assume: async () => session("first", second) },
});
type StsSecond = Parameters<typeof session>[1];
const admitted = session("second");

describe("the doctor's links of role chaining", () => {
  it("ask for the other account's credentials, and let STS's answer decide", async () => {
    const change = { ...both(admitted), targetIam: {} };
    const diagnosis = await look(change, { assumeRole: target, actions: [] });
    expect(diagnosis.state).to.equal("healthy");
    expect(findingOf(diagnosis, "target-trust")).to.deep.equal({
      state: "holds",
      evidence: ["shown by: second"],
    });
    const refused = await look({ ...both(refusal), targetIam: {} }, { assumeRole: target });
    expect(brokenOf(refused)).to.include({ cause: "target-sts-refused" });
    expect(unseenOf(refused, "target-role").takes).to.contain("222233334444: --target-profile PROFILE");
  });

  it("name a role that may not ask, with a mend for just that", async () => {
    const broken = brokenOf(await look({ ...both(admitted), iam: {} }, { assumeRole: target }));
    expect(broken).to.include({ cause: "may-not-assume" });
    expect(broken.mend[0]).to.contain(`"Action":"sts:AssumeRole","Resource":"${target}"`);
  });

  it("name what keeps it from asking although its policies allow it, within one account too", async () => {
    const boundaryArn = "arn:aws:iam::111122223333:policy/boundary";
    const deny = { Effect: "Deny", Action: "sts:*", Resource: "*" };
    const inAccount = {
      targetIam: { role: async () => ({ ...trusting({ AWS: roleArn }), arn: near }), policies: listing },
      sts: { assume: async () => session("first", admitted) },
    };
    for (const [change, assumeRole] of [
      [both(admitted), target],
      [inAccount, near],
    ] as const) {
      const policies = async () => [{ name: "own", document: policy(allow("sts:*"), deny) }];
      const denied = brokenOf(await look({ ...change, iam: { policies } }, { assumeRole }));
      expect(denied).to.deep.include({ cause: "may-not-assume", mend: [] });
      const bounded = (document: string | undefined) => ({
        ...change,
        iam: {
          policies: may,
          role: async () => ({ ...role, boundaryArn }),
          policyDocument: async () => document,
        },
      });
      expect(brokenOf(await look(bounded(policy(allow("s3:*"))), { assumeRole }))).to.include({
        cause: "boundary",
      });
      expect((await look(bounded(policy(allow("*"))), { assumeRole })).state).to.equal("healthy");
    }
  });

  it("name a role that does not trust the first, or asks for an external id", async () => {
    const other = { AWS: "arn:aws:iam::111122223333:role/other" };
    const broken = brokenOf(await look(both(admitted, trusting(other)), { assumeRole: target }));
    expect(broken).to.include({ cause: "trust-principal" });
    const Condition = { StringEquals: { "sts:ExternalId": "x1" } };
    const guarded = both(admitted, trusting({ AWS: "111122223333" }, { Condition }));
    const without = brokenOf(await look(guarded, { assumeRole: target }));
    expect(without).to.include({ cause: "trust-condition" });
    expect((await look(guarded, { assumeRole: target, externalId: "x1" })).state).to.equal("healthy");
  });

  it("name a role that is not there", async () => {
    const change = both(admitted);
    const gone = { ...change, targetIam: { ...change.targetIam, role: async () => undefined } };
    expect(brokenOf(await look(gone, { assumeRole: target }))).to.include({ cause: "target-role-missing" });
  });

  it("within one account take the trust policy alone where it names the role, and else its policies too", async () => {
    const inAccount = (Principal: object) => ({
      targetIam: { role: async () => ({ ...trusting(Principal), arn: near }) },
      sts: { assume: async () => session("first", admitted) },
    });
    expect((await look(inAccount({ AWS: roleArn }), { assumeRole: near })).state).to.equal("healthy");
    const root = { AWS: "arn:aws:iam::111122223333:root" };
    expect(brokenOf(await look(inAccount(root), { assumeRole: near }))).to.include({
      cause: "may-not-assume",
    });
  });
});
