import { expect } from "chai";
import fc from "fast-check";
import type { State, StateResource } from "../../automation/recovery.ts";
import { forgetting, heldBy, type Placement, place, stacksFor, urnsOf } from "../../automation/shards.ts";

const stacks = ["prod.1", "prod.2", "prod.3"];
const bindingsOf = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).flatMap(([namespace, count]) =>
    Array.from({ length: count }, (_, index) => ({ namespace, serviceAccount: `app-${index}` })),
  );
const nothing = new Map<string, ReadonlySet<string>>();
type Bound = ReturnType<typeof bindingsOf>[number];

const sizes = ({ shards }: Placement<unknown>) => [...shards.values()].map((own) => own.length);
const heldAfter = ({ shards }: Placement<Bound>) =>
  new Map([...shards].map(([stack, own]) => [stack, new Set(own.map(({ namespace }) => namespace))]));

describe("bindings over several stacks", () => {
  const counts = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.integer({ min: 1, max: 9 }));

  it("has each binding in one stack, and a namespace whole", () => {
    fc.assert(
      fc.property(counts, (given) => {
        const bindings = bindingsOf(given);
        const placed = place(bindings, stacks, nothing);
        expect([...placed.shards.values()].flat()).to.have.members(bindings);
        const homes = [...heldAfter(placed).values()].flatMap((own) => [...own]);
        expect(homes).to.have.length(Object.keys(given).length);
        expect(placed.moves).to.deep.equal([]);
      }),
    );
  });

  it("moves nothing when bindings, namespaces and stacks are added, or bindings go", () => {
    fc.assert(
      fc.property(counts, counts, (before, after) => {
        const held = heldAfter(place(bindingsOf(before), stacks, nothing));
        const then = place(bindingsOf(after), [...stacks, "prod.4"], held);
        expect(then.moves).to.deep.equal([]);
        for (const [stack, own] of then.shards) {
          for (const { namespace } of own) {
            const home = [...held].find(([, namespaces]) => namespaces.has(namespace))?.[0];
            if (home !== undefined) expect(stack).to.equal(home);
          }
        }
      }),
    );
  });

  it("evens them out, the large namespaces first", () => {
    expect(sizes(place(bindingsOf({ a: 1, b: 1, c: 4, d: 2, e: 4 }), stacks, nothing))).to.deep.equal([
      4, 4, 4,
    ]);
  });

  it("moves what a stack has that is to give it away, and only that", () => {
    const held = new Map([
      ["prod.1", new Set(["a"])],
      ["prod.2", new Set(["b", "gone"])],
      ["old", new Set(["c"])],
    ]);
    const placed = place(bindingsOf({ a: 5, b: 1, c: 1 }), ["prod.1"], held);
    expect(placed.moves).to.deep.equal([
      { namespace: "b", from: "prod.2", to: "prod.1" },
      { namespace: "c", from: "old", to: "prod.1" },
    ]);
    expect(placed.unfinished).to.deep.equal([]);
    expect(sizes(placed)).to.deep.equal([7]);
  });

  it("sees a move that was cut off between its two writes", () => {
    const held = new Map([
      ["prod.2", new Set(["a"])],
      ["prod.1", new Set(["a"])],
    ]);
    const placed = place(bindingsOf({ a: 1 }), ["prod.1"], held);
    expect(placed.unfinished).to.deep.equal([{ namespace: "a", from: "prod.2", to: "prod.1" }]);
    expect(placed.moves).to.deep.equal([]);
  });

  it("wants as many stacks as there are, and more for many bindings, but none for nothing", () => {
    const many = bindingsOf({ a: 50, b: 50, c: 50 });
    expect(stacksFor(many, 0, 60)).to.equal(3);
    expect(stacksFor(many, 5, 60)).to.equal(5);
    expect(stacksFor(many, 0, 10), "a namespace is whole").to.equal(3);
    expect(stacksFor([], 0, 10)).to.equal(1);
  });
});

describe("what a state holds of a namespace", () => {
  const urn = (stack: string, types: string, name: string) =>
    `urn:pulumi:${stack}::eks-irsa::${types}::${name}`;
  const binding = "eks-irsa:index:IrsaServiceAccount";
  const resource = (stack: string, types: string, name: string, id?: string): StateResource => ({
    urn: urn(stack, types, name),
    type: types.split("$").at(-1) ?? "",
    ...(id !== undefined && { id }),
  });
  const namespaceType = "kubernetes:core/v1:Namespace";
  const stateOf = (stack: string, role = "app-role-1"): State => ({
    resources: [
      resource(stack, "pulumi:pulumi:Stack", `eks-irsa-${stack}`),
      resource(stack, namespaceType, "namespace-a", "a"),
      resource(stack, binding, "a.app"),
      resource(stack, `${binding}$aws:iam/role:Role`, "a.app-role", role),
      resource(stack, binding, "s3-irsa"),
      resource(stack, `${binding}$aws:iam/role:Role`, "s3-irsa-role", "s3-irsa-role-1"),
      resource(stack, binding, "b.app"),
    ],
  });

  it("is its bindings, what is below them, and itself; nothing of the lister", () => {
    expect(heldBy(stateOf("x"))).to.deep.equal(new Set(["a", "b"]));
    const pending = { type: "creating", resource: resource("x", namespaceType, "namespace-c") };
    expect(heldBy({ pending_operations: [pending] })).to.deep.equal(new Set(["c"]));
  });

  it("goes with it, the namespace only where the bindings' stack makes it", () => {
    const all = new Set(["a"]);
    expect(urnsOf(stateOf("x"), all, new Set())).to.deep.equal([urn("x", binding, "a.app")]);
    expect(urnsOf(stateOf("x"), all, all)).to.deep.equal([
      urn("x", namespaceType, "namespace-a"),
      urn("x", binding, "a.app"),
    ]);
  });

  it("is forgotten where another stack has the same, and only that", () => {
    const left = forgetting(stateOf("x"), stateOf("y"), new Set(["a"]));
    expect(left.resources?.map(({ urn }) => urn.split("::").at(-1))).to.deep.equal([
      "eks-irsa-x",
      "s3-irsa",
      "s3-irsa-role",
      "b.app",
    ]);
    expect(() => forgetting(stateOf("x"), stateOf("y", "app-role-2"), new Set(["a"]))).to.throw(
      /two stacks have bindings of the namespace a\./,
    );
  });
});
