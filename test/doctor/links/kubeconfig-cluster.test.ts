import { expect } from "chai";
import { authority, brokenOf, cause, clusterArn, findingOf, issuer, look, unseenOf } from "../captured.ts";

const cluster = { arn: clusterArn, status: "ACTIVE", endpoint: "https://api.example", issuer };

describe("the doctor's link cluster", () => {
  it("names the clusters that there are", async () => {
    const broken = brokenOf(
      await look({ eks: { cluster: async () => undefined, clusterNames: async () => ["a", "b"] } }),
    );
    expect(broken).to.include({ cause: "cluster-missing" });
    expect(broken.disagreement?.found.value).to.equal("a, b");
  });

  it("names a cluster that does not work", async () => {
    expect(await cause({ eks: { cluster: async () => ({ ...cluster, status: "FAILED" }) } })).to.equal(
      "cluster-inactive",
    );
  });

  const through = (kubernetes: object) => ({ kubernetes });
  it("knows the cluster behind a tunnel by its CA", async () => {
    for (const server of ["https://127.0.0.1:8443", "https://ABC.gr7.eu-central-1.eks.amazonaws.com:4443"]) {
      const diagnosis = await look(through({ server }));
      expect(diagnosis.state).to.equal("healthy");
      expect(JSON.stringify(findingOf(diagnosis, "cluster"))).to.contain("known by its CA");
    }
  });

  it("knows it by its issuer behind a proxy with a CA of its own", async () => {
    const proxy = { server: "https://proxy.example", certificateAuthority: authority("proxy") };
    const diagnosis = await look(through(proxy));
    expect(diagnosis.state).to.equal("healthy");
    expect(JSON.stringify(findingOf(diagnosis, "cluster"))).to.contain("known by its issuer");
  });

  it("names another cluster by its issuer, or by EKS's own address", async () => {
    const other = { server: "https://127.0.0.1:8443", certificateAuthority: authority("other") };
    const broken = brokenOf(await look(through({ ...other, issuer: async () => "https://other.example" })));
    expect(broken).to.include({ cause: "kubeconfig-of-another-cluster" });
    expect(broken.disagreement?.found.value).to.equal("https://other.example");
    const eks = "https://DEF.gr7.eu-central-1.eks.amazonaws.com";
    expect(
      await cause(through({ ...other, server: eks, issuer: async () => Promise.reject(new Error("403")) })),
    ).to.equal("kubeconfig-of-another-cluster");
  });

  it("cannot tell of what has another CA and does not say who it is", async () => {
    const proxy = {
      server: "https://proxy.example",
      certificateAuthority: authority("proxy"),
      issuer: async () => Promise.reject(new Error("403")),
    };
    const diagnosis = await look(through(proxy));
    expect(diagnosis.state).to.equal("unseen");
    expect(unseenOf(diagnosis, "cluster").takes).to.contain("/.well-known/openid-configuration");
  });
});
