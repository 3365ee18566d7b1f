import { expect } from "chai";
import { Account } from "./account.ts";

describe("aws.s3.Bucket", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:s3/bucket:Bucket");
  });
  afterEach(() => account.close());

  it("is made, tagged and deleted, with what is in it where it may be", async () => {
    const made = await account.create({ bucket: "logs", forceDestroy: true, tags: { a: "1" } });
    expect(made.state).to.include({ arn: "arn:aws:s3:::logs", region: "eu-central-1" });
    const after = await account.update(made, { bucket: "logs", forceDestroy: true });
    expect(after.changes).to.deep.equal(["DeleteBucketTagging"]);
    const full = await account.engine
      .delete(after.id, { ...after.state, forceDestroy: false })
      .catch((error: Error) => error.message);
    expect(full).to.contain("BucketNotEmpty");
    await account.destroy(after);
  });

  it("is put into its region, which us-east-1 is not said for", async () => {
    await account.create({ bucket: "a" });
    expect(account.aws.given("CreateBucket").CreateBucketConfiguration).to.deep.equal({
      LocationConstraint: "eu-central-1",
    });
    await account.engine.configure({ region: "us-east-1" });
    await account.engine.create({ bucket: "b" });
    expect(account.aws.given("CreateBucket").CreateBucketConfiguration).to.equal(undefined);
  });
});
