import { status } from "@grpc/grpc-js";
import { expect } from "chai";
import {
  describe as described,
  initializationFailed,
  serviceError,
} from "../../../../local/pulumi/provider-host/grpc-errors.ts";
import { InitializationError } from "../../../../local/pulumi/provider-host/resource-type.ts";

describe("what went wrong", () => {
  const named = (name: string, message: string) => Object.assign(new Error(message), { name });

  it("begins with the service's own code, but not with JavaScript's names", () => {
    expect(described(named("NoSuchEntityException", "no role"))).to.equal("NoSuchEntityException: no role");
    expect(described(new TypeError("not a function"))).to.equal("not a function");
    expect(described("text")).to.equal("text");
  });

  it("says the cause, and every one of several", () => {
    expect(described(new Error("outer", { cause: new Error("inner") }))).to.equal("outer: inner");
    expect(described(new AggregateError([new Error("one"), new Error("two")]))).to.equal("one; two");
  });

  it("without words is its code", () => {
    expect(described(Object.assign(new Error(""), { code: "ECONNREFUSED" }))).to.equal("ECONNREFUSED");
  });

  it("is an UNKNOWN of gRPC, unless it is one of gRPC's already", () => {
    expect(serviceError(new Error("oh"))).to.deep.equal({ code: status.UNKNOWN, details: "oh" });
    const failed = initializationFailed(new InitializationError("id", ["it rattles"]), "oh", {}, {});
    expect(serviceError(failed)).to.equal(failed);
  });
});
