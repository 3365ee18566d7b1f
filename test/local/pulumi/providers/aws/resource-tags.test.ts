import { expect } from "chai";
import { retag, unlessEmpty } from "../../../../../local/pulumi/providers/aws/resource-tags.ts";

describe("tags as a map", () => {
  it("are left out where there are none, since EKS and Logs refuse an empty map", () => {
    expect(unlessEmpty({})).to.equal(undefined);
    expect(unlessEmpty({ env: "dev" })).to.deep.equal({ env: "dev" });
  });
});

describe("changing tags", () => {
  const changes = async (olds: Record<string, string>, news: Record<string, string>) => {
    const done: unknown[] = [];
    const context = { config: { defaultTags: { team: "a" } } };
    await retag(olds, news, context as never, {
      untag: async (keys) => done.push(keys),
      tag: async (tags) => done.push(tags),
    });
    return done;
  };

  it("asks for what differs only, and never takes a default tag away", async () => {
    expect(await changes({ team: "a", old: "1", same: "1" }, { same: "1", new: "2" })).to.deep.equal([
      ["old"],
      { new: "2" },
    ]);
    expect(await changes({ team: "a" }, {})).to.deep.equal([]);
    expect(await changes({}, {})).to.deep.equal([{ team: "a" }]);
  });
});
