import { expect } from "chai";
import { Chain, holds, type Link, unseen, Walk } from "../../doctor/chain.ts";
import { issuer, patient, pod, world } from "./captured.ts";

const givesIssuer: Link<never, "issuer"> = {
  id: "issuer",
  title: "The issuer",
  needs: [],
  gives: ["issuer"],
  examine: async () => holds({ issuer }, "seen"),
};
const needsIssuer: Link<"issuer", "pod"> = {
  id: "pod",
  title: "The pod",
  needs: ["issuer"],
  gives: ["pod"],
  examine: async (proved) => holds({ pod: { ...pod, name: proved.issuer } }),
};

describe("a chain", () => {
  const walked = async (links: Chain<never>["links"]) => {
    const told: string[] = [];
    const walk = new Walk(world(), patient, ({ id, finding }) => told.push(`${id} ${finding.state}`));
    await walk.along(links);
    return { walk, told };
  };

  it("gives a link what the links before it proved", async () => {
    const { walk, told } = await walked(Chain.from().link(givesIssuer).link(needsIssuer).links);
    expect(walk.proved.pod?.name).to.equal(issuer);
    expect(told).to.deep.equal(["issuer holds", "pod holds"]);
  });

  it("does not compile where a link rests on what none before it proves", () => {
    // @ts-expect-error nothing before it gives the issuer
    const { links } = Chain.from().link(needsIssuer);
    expect(links).to.have.length(1);
  });

  it("does not ask a link whose ground could not be told, and says what that would take", async () => {
    const refused: typeof givesIssuer = {
      ...givesIssuer,
      examine: async () => unseen("refused", "the right to ask"),
    };
    const asked: typeof needsIssuer = {
      ...needsIssuer,
      examine: async () => {
        throw new Error("it was asked");
      },
    };
    const { walk } = await walked(Chain.from().link(refused).link(asked).links);
    expect(walk.reports[1]?.finding).to.deep.equal({
      state: "unseen",
      why: 'It rests on "The issuer".',
      takes: "the right to ask",
      restsOn: "The issuer",
    });
  });

  it("takes what is known all the same", async () => {
    const half: typeof givesIssuer = {
      ...givesIssuer,
      examine: async () => unseen("half", "more", { issuer }),
    };
    const { told } = await walked(Chain.from().link(half).link(needsIssuer).links);
    expect(told).to.deep.equal(["issuer unseen", "pod holds"]);
  });

  it("is not broken by what could not be asked", async () => {
    const failing: typeof givesIssuer = {
      ...givesIssuer,
      examine: async () => {
        throw new Error("no route to host");
      },
    };
    const { walk } = await walked(Chain.from().link(failing).links);
    expect(walk.reports[0]?.finding).to.include({ state: "unseen", why: "no route to host" });
  });

  describe("with a link that a later one shows", () => {
    const hidden: Link<never, "issuer"> = {
      ...givesIssuer,
      shownBy: "pod",
      examine: async () => unseen("of another account", "its credentials"),
    };
    const later = (finding: "holds" | "broken"): Link<never, never> => ({
      id: "pod",
      title: "The pod",
      needs: [],
      gives: [],
      examine: async () =>
        finding === "holds"
          ? holds({}, "admitted")
          : { state: "broken", cause: "sts-refused", what: "It is not so.", mend: [] },
    });

    it("holds once that one does, and is told of then, in order", async () => {
      const { walk, told } = await walked(Chain.from().link(hidden).link(later("holds")).links);
      expect(told).to.deep.equal(["issuer holds", "pod holds"]);
      expect(walk.reports[0]?.finding).to.deep.equal({ state: "holds", evidence: ["shown by: admitted"] });
    });

    it("stays as it is where that one is broken, or never comes", async () => {
      const { told } = await walked(Chain.from().link(hidden).link(later("broken")).links);
      expect(told).to.deep.equal(["issuer unseen", "pod broken"]);
      const alone = await walked(Chain.from().link(hidden).links);
      alone.walk.end();
      expect(alone.told).to.deep.equal(["issuer unseen"]);
    });
  });
});
