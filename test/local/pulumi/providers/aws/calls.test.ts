import { expect } from "chai";
import { createOnce, isGone, required } from "../../../../../local/pulumi/providers/aws/calls.ts";

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

describe("what AWS says", () => {
  it("is that a thing is not there, by the name of the error", () => {
    const named = (name: string) => Object.assign(new Error(""), { name });
    expect(isGone(named("NoSuchEntityException"))).to.equal(true);
    expect(isGone(named("InvalidGroup.NotFound"))).to.equal(true);
    expect(isGone(named("AccessDenied"))).to.equal(false);
  });

  it("is no id where there is none: what was made would be lost under an empty one", () => {
    expect(required("r-1", "role's name")).to.equal("r-1");
    expect(() => required(undefined, "role's name")).to.throw("AWS's answer has no role's name");
  });
});
