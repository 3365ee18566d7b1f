import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { kinds } from "../../audit/kinds.ts";
import { cleanWorld } from "./clean.ts";
import { faults } from "./faults.ts";

describe("the audit", () => {
  const found = (world: ReturnType<typeof cleanWorld>) =>
    audit(world).findings.map(({ id, subject }) => `${id} ${subject.name}`);

  it("finds nothing in a cluster in which all is well", () => {
    expect(found(cleanWorld())).to.deep.equal([]);
  });

  describe("finds what is planted, and nothing else:", () => {
    for (const { kind, what, subject, plant } of faults) {
      it(`${kind}: ${what}`, () => {
        const world = cleanWorld();
        plant(world);
        const { findings } = audit(world);
        expect(findings.map(({ id, subject }) => `${id} ${subject.name}`)).to.deep.equal([
          `${kind} ${subject}`,
        ]);
        const [one] = findings;
        expect(one?.evidence, "evidence").not.to.be.empty;
        expect([...(one?.mend ?? []), ...(one?.advice ?? [])], "a mend or advice").not.to.be.empty;
        expect(one?.what).to.match(/\.$/);
      });
    }
  });

  it("has each of its kinds planted", () => {
    const planted = new Set(faults.map(({ kind }) => kind));
    expect(Object.keys(kinds).filter((kind) => !planted.has(kind as keyof typeof kinds))).to.deep.equal([]);
    expect(planted.size).to.be.at.least(40);
  });
});
