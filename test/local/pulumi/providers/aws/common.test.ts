import { expect } from "chai";
import { createOnce, isGone, refuseCidrs, retag } from "../../../../../local/pulumi/providers/aws/common.ts";

describe("a creation whose answer was lost", () => {
  const taken = (attempts: number) =>
    Object.assign(new Error("Role with name app already exists."), {
      name: "EntityAlreadyExistsException",
      $metadata: { attempts },
    });
  const made = (milliseconds: number) => async () => ({
    made: new Date(Date.now() + milliseconds),
    answer: "found",
  });
  const outcome = (error: Error, find: () => Promise<{ made: Date | undefined; answer: string }>) =>
    createOnce(() => Promise.reject(error), find).catch((caught: Error) => caught.message);

  it("is found again when a second request is told that the name is taken", async () => {
    expect(await outcome(taken(2), made(0))).to.equal("found");
    // IAM leaves out the milliseconds.
    expect(await outcome(taken(3), made(-900))).to.equal("found");
  });

  it("is somebody else's when it was there before, or the first request is told so", async () => {
    expect(await outcome(taken(2), made(-60_000))).to.contain("already exists");
    expect(await outcome(taken(1), made(0))).to.contain("already exists");
    expect(await outcome(taken(2), async () => ({ made: undefined, answer: "found" }))).to.contain("already");
  });

  it("leaves other errors as they are", async () => {
    const limit = Object.assign(new Error("too many"), {
      name: "LimitExceeded",
      $metadata: { attempts: 2 },
    });
    expect(await outcome(limit, made(0))).to.equal("too many");
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

describe("what AWS says", () => {
  it("is that a thing is not there, by the name of the error", () => {
    const named = (name: string) => Object.assign(new Error(""), { name });
    expect(isGone(named("NoSuchEntityException"))).to.equal(true);
    expect(isGone(named("InvalidGroup.NotFound"))).to.equal(true);
    expect(isGone(named("AccessDenied"))).to.equal(false);
  });
});

describe("IPv4 blocks", () => {
  it("are taken without host bits, and refused with the block that was meant", () => {
    expect(refuseCidrs(["0.0.0.0/0", "255.255.255.255/32", "192.168.4.0/22"])).to.equal(undefined);
    expect(refuseCidrs("192.168.5.1/22")).to.equal(
      '"192.168.5.1/22" is not a valid IPv4 CIDR block; did you mean "192.168.4.0/22"?',
    );
    for (const none of ["010.001.0.0/08", "10.0.0.0", "::/0", "256.0.0.0/8"]) {
      expect(refuseCidrs([none])).to.equal(`"${none}" is not a valid IPv4 CIDR block`);
    }
  });
});
