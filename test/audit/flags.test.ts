import { expect } from "chai";
import { type Flags, targetOf } from "../../audit/flags.ts";

describe("what the audit is asked for", () => {
  const flags = (more: Partial<Flags> = {}): Flags => ({ namespace: [], skip: [], failOn: "low", ...more });
  const stack = { name: "dev", outputs: { clusterName: "dev", region: "eu-west-1", kubeconfig: "{}" } };

  it("is the command line's, then the stack's, then the environment's", () => {
    expect(targetOf(flags({ cluster: "other" }), stack, { AWS_REGION: "us-east-1" })).to.deep.equal({
      cluster: "other",
      region: "eu-west-1",
      kubeconfig: "{}",
      skip: [],
      failOn: "low",
    });
    expect(
      targetOf(
        flags({ cluster: "c", namespace: ["a", "b"] }),
        undefined,
        { AWS_REGION: "us-east-1" },
        "text",
      ),
    ).to.deep.equal({
      cluster: "c",
      region: "us-east-1",
      namespaces: ["a", "b"],
      kubeconfig: "text",
      skip: [],
      failOn: "low",
    });
  });

  it("is refused by the flag that is wrong, with what it may hold", () => {
    const failure = (more: Partial<Flags>): string => {
      try {
        targetOf(flags({ cluster: "c", region: "r", ...more }), undefined, {});
        return "none";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(failure({ failOn: "severe" })).to.equal(
      "--fail-on holds severe; it may hold low, medium, high, critical.",
    );
    expect(failure({ skip: ["secrets"] })).to.equal(
      "--skip holds secrets; it may hold stored-keys, nodes, other-accounts.",
    );
    expect(() => targetOf(flags(), { name: "dev", outputs: {} }, {})).to.throw(
      "--cluster, --region must be given: the stack dev has no such output.",
    );
  });
});
