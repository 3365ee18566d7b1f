import { expect } from "chai";
import { Account } from "./account.ts";

describe("aws.cloudwatch.LogGroup", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:cloudwatch/logGroup:LogGroup");
  });
  afterEach(() => account.close());

  const inputs = { name: "/aws/eks/dev/cluster", retentionInDays: 30 };

  it("is made with its retention, and goes", async () => {
    const made = await account.create({ ...inputs, tags: { a: "1" } });
    expect(made.state).to.include({
      arn: "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/eks/dev/cluster",
      retentionInDays: 30,
    });
    await account.destroy(made);
  });

  it("changes retention and tags in place; 0 keeps everything", async () => {
    const made = await account.create(inputs);
    const after = await account.update(made, { ...inputs, retentionInDays: 0, tags: { a: "1" } });
    expect(after.changes).to.deep.equal(["DeleteRetentionPolicy", "TagResource"]);
  });

  it("stays where it is told to", async () => {
    const made = await account.create({ ...inputs, skipDestroy: true });
    await account.engine.delete(made.id, made.state);
    expect(await account.refresh(made)).to.not.equal(undefined);
  });

  it("made by a request whose answer was lost is found again, and somebody else's is not taken", async () => {
    account.aws.loseAnswer("CreateLogGroup");
    const made = await account.create(inputs);
    const taken = await account.engine.create(made.inputs).catch((error: Error) => error.message);
    expect(taken).to.contain("ResourceAlreadyExistsException");
  });
});
