import { expect } from "chai";
import { atOnce, doing, finding, inTurn, runSteps } from "../../../local/cli/steps.ts";

describe("steps", () => {
  const found = <In, Out extends object>(title: string, run: (known: In) => Out) =>
    finding(
      title,
      async (known: In) => run(known),
      () => undefined,
    );

  it("know what was known before them, and what those before them found", async () => {
    const step = inTurn(
      "all",
      found("a", ({ start }: { start: number }) => ({ a: start + 1 })),
      atOnce<{ start: number; a: number }, { b: number }, { c: number }>(
        "both",
        found("b", ({ a }: { a: number }) => ({ b: a * 10 })),
        found("c", ({ start }: { start: number }) => ({ c: start })),
      ),
      found("d", ({ a, b, c }: { a: number; b: number; c: number }) => ({ d: [a, b, c] })),
    );
    const { found: all, seconds } = await runSteps(step, { start: 1 });
    expect(all).to.deep.equal({ a: 2, b: 20, c: 1, d: [2, 20, 1] });
    expect(Object.keys(seconds)).to.have.members(["a", "b", "c", "d"]);
  });

  it("that are run at once do not know what the others find", async () => {
    const step = atOnce(
      "both",
      found("a", () => ({ a: 1 })),
      doing("b", async (known: object) => {
        expect(known).to.deep.equal({});
        return undefined;
      }),
    );
    expect((await runSteps(step, {})).found).to.deep.equal({ a: 1 });
  });

  it("end with the first that fails", async () => {
    let reached = false;
    const step = inTurn(
      "all",
      doing("a", async () => {
        throw new Error("no disk");
      }),
      doing("b", async () => {
        reached = true;
        return undefined;
      }),
    );
    const told = await runSteps(step, {}).then(
      () => "ran",
      (error: Error) => error.message,
    );
    expect([told, reached]).to.deep.equal(["no disk", false]);
  });
});
