import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { describe as summaryOf } from "../../audit/summary.ts";
import { blocksOf } from "../docs.ts";
import { cleanWorld } from "./clean.ts";
import { faults } from "./faults.ts";

describe("an audit as a person reads it", () => {
  it("is on docs/audit.md, as it is", () => {
    const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "audit.md"), "utf8");
    const world = cleanWorld();
    faults.find(({ kind, what }) => kind === "node-hop-limit" && what === "two hops")?.plant(world);
    expect(blocksOf(page, "text")).to.deep.equal([`${summaryOf(audit(world), "low", (_, text) => text)}\n`]);
  });
});
