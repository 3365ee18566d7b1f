import "@pulumi/pulumi";
import type { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { keepErrorsApart } from "../../automation/isolation";

describe("operations at once", () => {
  const { asyncLocalStorage: runs } = globalThis as unknown as {
    asyncLocalStorage: AsyncLocalStorage<object>;
  };
  const event = "unhandledRejection";
  let others: NodeJS.UnhandledRejectionListener[];

  before(() => {
    // Mocha's own would fail the test.
    others = process.listeners(event);
    process.removeAllListeners(event);
    keepErrorsApart();
    keepErrorsApart(); // changes nothing
  });
  after(() => {
    for (const other of others) process.on(event, other);
  });

  /** A run as the SDK's language server has one: it listens while its program works. */
  const run = (program: () => Promise<void>): Promise<string[]> =>
    runs.run({}, async () => {
      const heard: string[] = [];
      const listener = (error: unknown): void => {
        heard.push((error as Error).message);
      };
      process.on(event, listener);
      await program();
      process.off(event, listener);
      return heard;
    });
  const forget = (message: string): void => {
    void Promise.reject(new Error(message));
  };

  it("hear of their own errors, each of its own only", async () => {
    const [failing, working] = await Promise.all([
      run(async () => {
        await sleep(5);
        forget("at once");
        setTimeout(() => forget("later"), 5);
        await sleep(15);
      }),
      run(() => sleep(30)),
    ]);
    expect(failing).to.deep.equal(["at once", "later"]);
    expect(working).to.deep.equal([]);
    expect(process.listenerCount(event)).to.equal(0);
  });

  it("hear of errors that are nobody's", async () => {
    const all = Promise.all([run(() => sleep(20)), run(() => sleep(20))]);
    await sleep(5);
    forget("nobody's");
    expect(await all).to.deep.equal([["nobody's"], ["nobody's"]]);
  });

  it("leave whoever else listens as they are", async () => {
    const heard: unknown[] = [];
    const listener = (error: unknown): void => {
      heard.push((error as Error).message);
    };
    process.on(event, listener);
    const own = await run(async () => {
      await sleep(1);
      forget("a run's");
      await sleep(5);
    });
    process.off(event, listener);
    expect([heard, own]).to.deep.equal([["a run's"], ["a run's"]]);
  });
});
