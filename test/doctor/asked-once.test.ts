import { expect } from "chai";
import { diagnose } from "../../doctor/diagnosis.ts";
import type { World } from "../../doctor/world.ts";
import { associated, type Change, patient, policy, role, roleArn, session, world } from "./captured.ts";

/** A world that counts what it is asked. */
function counting(change: Change): { world: World; asked: Map<string, number> } {
  const asked = new Map<string, number>();
  const counted = <Part extends object>(name: string, part: Part): Part =>
    new Proxy(part, {
      get(target, method) {
        const found: unknown = Reflect.get(target, method);
        if (typeof found !== "function") return found;
        return (...all: unknown[]) => {
          const question = `${name}.${String(method)}(${JSON.stringify(all)})`;
          asked.set(question, (asked.get(question) ?? 0) + 1);
          return found.apply(target, all);
        };
      },
    });
  const all = world(change);
  return {
    asked,
    world: {
      ...all,
      eks: counted("eks", all.eks),
      iam: counted("iam", all.iam),
      targetIam: counted("targetIam", all.targetIam),
      sts: counted("sts", all.sts),
      kubernetes: counted("kubernetes", all.kubernetes),
    },
  };
}

describe("a walk of the doctor's", () => {
  const near = "arn:aws:iam::111122223333:role/next";
  const assume = { sts: { assume: async () => session("first", session("second")) } };
  // Within one account two links go by the policies of the pod's role.
  const next: Change = {
    iam: {
      policies: async () => [
        { name: "all", document: policy({ Effect: "Allow", Action: "*", Resource: "*" }) },
      ],
    },
    targetIam: {
      role: async () => ({
        ...role,
        name: "next",
        arn: near,
        trustPolicy: policy({
          Effect: "Allow",
          Action: ["sts:AssumeRole", "sts:TagSession"],
          Principal: { AWS: roleArn.replace(/role.*/, "root") },
        }),
      }),
      policies: async () => [
        { name: "all", document: policy({ Effect: "Allow", Action: "*", Resource: "*" }) },
      ],
    },
    ...assume,
  };
  const chains: [what: string, change: Change, more: object][] = [
    ["IRSA", {}, {}],
    ["EKS Pod Identity", associated(), {}],
    ["role chaining", next, { assumeRole: near }],
    [
      "role chaining by Pod Identity",
      { ...associated(next), iam: { ...associated().iam, ...next.iam } },
      { assumeRole: near },
    ],
  ];
  for (const [what, change, more] of chains) {
    it(`asks nobody the same question twice: ${what}`, async () => {
      const { world, asked } = counting(change);
      const { state, links } = await diagnose(world, { ...patient, ...more });
      expect(state, JSON.stringify(links)).to.equal("healthy");
      expect([...asked].filter(([, times]) => times > 1)).to.deep.equal([]);
      expect(asked.size).to.be.greaterThan(8);
    });
  }
});
