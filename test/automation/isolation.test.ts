import "@pulumi/pulumi";
import type { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { keepErrorsApart } from "../../automation/isolation.ts";

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
    const over = Promise.withResolvers<void>();
    const [failing, working] = await Promise.all([
      run(async () => {
        await turn();
        forget("at once");
        setImmediate(() => forget("later"));
        await turn(); // the other's turn comes in between
        await turn();
        over.resolve();
      }),
      run(() => over.promise),
    ]);
    expect(failing).to.deep.equal(["at once", "later"]);
    expect(working).to.deep.equal([]);
    expect(process.listenerCount(event)).to.equal(0);
  });

  it("hear of errors that are nobody's", async () => {
    const over = Promise.withResolvers<void>();
    const all = Promise.all([run(() => over.promise), run(() => over.promise)]);
    await turn();
    forget("nobody's");
    await turn();
    over.resolve();
    expect(await all).to.deep.equal([["nobody's"], ["nobody's"]]);
  });

  it("leave whoever else listens as they are", async () => {
    const heard: unknown[] = [];
    const listener = (error: unknown): void => {
      heard.push((error as Error).message);
    };
    process.on(event, listener);
    const own = await run(async () => {
      await turn();
      forget("a run's");
      await turn();
    });
    process.off(event, listener);
    expect([heard, own]).to.deep.equal([["a run's"], ["a run's"]]);
  });
});
