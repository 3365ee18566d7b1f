import { expect } from "chai";
import { mergeLogging } from "../../../local/eks/logging.ts";

describe("mergeLogging", () => {
  const setting = (types: string[], enabled: boolean) => ({ clusterLogging: [{ types, enabled }] });

  it("tells of every type of log whether it is on, the last setting first", () => {
    const on = setting(["scheduler", "api"], true);
    expect(mergeLogging(on, setting(["api"], false), setting(["audit"], true))).to.deep.equal({
      clusterLogging: [
        { types: ["audit", "scheduler"], enabled: true },
        { types: ["api", "authenticator", "controllerManager"], enabled: false },
      ],
    });
  });

  it("has all off without a setting, and no group that is empty", () => {
    expect(mergeLogging(undefined, {}).clusterLogging).to.have.length(1);
    const all = ["api", "audit", "authenticator", "controllerManager", "scheduler"];
    expect(mergeLogging(setting(all, true)).clusterLogging).to.deep.equal([{ types: all, enabled: true }]);
  });
});
