import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { consequenceOf } from "../../audit/kinds.ts";
import { describe as summaryOf } from "../../audit/summary.ts";
import { blocksOf } from "../docs.ts";
import { cleanWorld } from "./clean.ts";
import { faults } from "./faults.ts";

/** Runs of so many words in a text, whatever stands between them. */
const runs = (text: string, words: number): string[] => {
  const all = text.toLowerCase().match(/[\w'/:*.-]*\w/g) ?? [];
  return all.slice(words - 1).map((_, at) => all.slice(at, at + words).join(" "));
};

describe("an audit as a person reads it", () => {
  it("says nothing twice of a finding, whatever its kind", () => {
    for (const { what, plant } of faults) {
      const world = cleanWorld();
      plant(world);
      for (const one of audit(world).findings) {
        // Evidence and commands may well name what the sentences do.
        const said = runs([one.what, consequenceOf(one.id), ...one.advice].join(" "), 4);
        expect(
          said.filter((run, at) => said.indexOf(run) < at),
          `${one.id}, ${what}`,
        ).to.deep.equal([]);
        const text = summaryOf({ ...audit(world), findings: [one] }, "low", (_, words) => words);
        expect(text).to.contain(`      ${one.what} ${consequenceOf(one.id)}\n`);
      }
    }
  });

  it("is on docs/audit.md, as it is", () => {
    const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "audit.md"), "utf8");
    const world = cleanWorld();
    faults.find(({ kind, what }) => kind === "node-hop-limit" && what === "two hops")?.plant(world);
    expect(blocksOf(page, "text")).to.deep.equal([`${summaryOf(audit(world), "low", (_, text) => text)}\n`]);
  });
});
