import { expect } from "chai";
import {
  importedInputs,
  prune,
  refreshedInputs,
} from "../../../../../local/pulumi/providers/kubernetes/drift.ts";
import { needsReplacement } from "../../../../../local/pulumi/providers/kubernetes/replace.ts";

describe("drift of Kubernetes objects", () => {
  const inputs = {
    metadata: { name: "a", annotations: { role: "arn" } },
    spec: { containers: [{ name: "c", image: "i:1", resources: { requests: { cpu: "0.1" } } }] },
  };
  const live = {
    metadata: { name: "a", uid: "u", annotations: { role: "arn", revision: "1" } },
    spec: {
      replicas: 1,
      containers: [
        { name: "injected", image: "x" },
        { name: "c", image: "i:1", resources: { requests: { cpu: "100m" } }, imagePullPolicy: "Always" },
      ],
    },
    status: {},
  };
  const applied = prune(live, inputs);

  it("looks only at what the program sets, items of lists matched by name", () => {
    expect(applied).to.deep.equal({
      metadata: { name: "a", annotations: { role: "arn" } },
      spec: { containers: [{ name: "c", image: "i:1", resources: { requests: { cpu: "100m" } } }] },
    });
  });

  it("is none where the API server writes the same differently", () => {
    expect(refreshedInputs(inputs, applied, prune(live, inputs))).to.equal(inputs);
  });

  it("is what is gone, and what was changed", () => {
    const changed = structuredClone(live) as Record<string, never> & typeof live;
    changed.metadata.annotations = { revision: "1" } as never;
    expect(refreshedInputs(inputs, applied, prune(changed, inputs))).to.deep.equal({
      ...inputs,
      metadata: { name: "a", annotations: {} },
    });
  });

  it("of one list item leaves the rest of the object as it was written", () => {
    const changed = structuredClone(live);
    changed.metadata.annotations.role = "other";
    expect(refreshedInputs(inputs, applied, prune(changed, inputs))).to.deep.equal({
      spec: inputs.spec,
      metadata: { name: "a", annotations: { role: "other" } },
    });
  });

  it("an import takes what a person would have written", () => {
    expect(importedInputs({ apiVersion: "v1", kind: "Namespace", ...live })).to.deep.equal({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "a", annotations: live.metadata.annotations },
      spec: live.spec,
    });
  });
});

describe("what replaces a Kubernetes object", () => {
  const cases: [string, (string | number)[], boolean][] = [
    ["ServiceAccount", ["metadata", "name"], true],
    ["ServiceAccount", ["metadata", "namespace"], true],
    ["ServiceAccount", ["metadata", "annotations", "eks.amazonaws.com/role-arn"], false],
    ["Deployment", ["spec", "selector", "matchLabels", "app"], true],
    ["Deployment", ["spec", "template", "spec", "containers", 0, "image"], false],
    ["Deployment", ["spec", "replicas"], false],
    ["ConfigMap", ["data", "key"], true],
    ["RoleBinding", ["roleRef", "name"], true],
  ];
  for (const [kind, path, expected] of cases) {
    it(`${kind} ${path.join(".")}: ${expected ? "replace" : "update"}`, () => {
      expect(needsReplacement({ kind }, path)).to.equal(expected);
    });
  }

  it("does not replace a ConfigMap that says that it is mutable", () => {
    expect(needsReplacement({ kind: "ConfigMap", immutable: false }, ["data", "key"])).to.equal(false);
  });
});
