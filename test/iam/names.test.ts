import { expect } from "chai";
import {
  clusterName,
  isQualifiedName,
  isServiceAccountName,
  labelValue,
  namePattern,
  namespaceName,
} from "../../iam/names.ts";

describe("names of Kubernetes and EKS", () => {
  const takes = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
    schema.safeParse(value).success;

  it("are labels for namespaces, subdomains for ServiceAccounts", () => {
    for (const name of ["a", "team-a", "a".repeat(63)])
      expect(takes(namespaceName, name), name).to.equal(true);
    for (const name of ["", "-a", "a-", "A", "a.b", "a".repeat(64), 1]) {
      expect(takes(namespaceName, name), String(name)).to.equal(false);
    }
    for (const name of ["a.b", "a-1.b", `${"a".repeat(60)}.`.repeat(4).slice(0, 243)]) {
      expect(isServiceAccountName(name), name).to.equal(true);
    }
    for (const name of ["a..b", ".a", "a.-b", "a_b", "a".repeat(254)])
      expect(isServiceAccountName(name), name).to.equal(false);
  });

  it("are patterns only with a star or a question mark", () => {
    expect(takes(namePattern, { matching: "team-*" })).to.equal(true);
    expect(takes(namePattern, { matching: "team" })).to.equal(false);
    expect(takes(namePattern, { matching: "a:*" })).to.equal(false);
  });

  it("of labels and annotations have a prefix or none", () => {
    for (const key of ["team", "example.com/team", "a/B_c.d-1"])
      expect(isQualifiedName(key), key).to.equal(true);
    for (const key of ["", "/a", "a/", "A/b", "a/b/c", "-a", "a".repeat(64)]) {
      expect(isQualifiedName(key), key).to.equal(false);
    }
    expect(takes(labelValue, "")).to.equal(true);
    expect(takes(labelValue, "a b")).to.equal(false);
  });

  it("of clusters have letters, digits, dashes and underscores", () => {
    expect(takes(clusterName, "a_B-1")).to.equal(true);
    for (const name of ["", "-a", "a.b", "a".repeat(101)])
      expect(takes(clusterName, name), name).to.equal(false);
  });
});
