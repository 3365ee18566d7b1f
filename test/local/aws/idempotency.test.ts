import { expect } from "chai";
import { Idempotency } from "../../../local/aws/idempotency.ts";
import { jsonReply, type Reply } from "../../../local/aws/reply.ts";

describe("Idempotency", () => {
  let carriedOut: number;
  let idempotency: Idempotency;
  beforeEach(() => {
    carriedOut = 0;
    idempotency = new Idempotency();
  });
  const ask = (what: string, token: unknown, answer: () => Promise<Reply> = async () => jsonReply({})) =>
    idempotency.once(what, token, () => {
      carriedOut += 1;
      return answer();
    });

  it("gives a request that comes again the answer that it had, also while it is being carried out", async () => {
    const [first, second] = await Promise.all([ask("create", "t"), ask("create", "t")]);
    expect(second).to.equal(first);
    expect(await ask("create", "t")).to.equal(first);
    expect(carriedOut).to.equal(1);
  });

  it("tells requests apart by what they ask and by their token, and knows none without", async () => {
    await ask("create", "t");
    await ask("create", "u");
    await ask("delete", "t");
    for (const none of [undefined, null, "", 1]) await ask("create", none);
    expect(carriedOut).to.equal(7);
  });

  it("tries again what was refused, or failed", async () => {
    await ask("create", "t", async () => jsonReply({}, 400));
    await ask("create", "t", () => Promise.reject(new Error("down"))).catch(() => undefined);
    expect((await ask("create", "t")).status).to.equal(200);
    expect(carriedOut).to.equal(3);
  });

  it("forgets the oldest of a thousand", async () => {
    for (let token = 0; token <= 1000; token++) await ask("create", String(token));
    await ask("create", "1000");
    expect(carriedOut).to.equal(1001);
    await ask("create", "0");
    expect(carriedOut).to.equal(1002);
  });
});
