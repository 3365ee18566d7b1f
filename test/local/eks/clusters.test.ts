import { expect } from "chai";
import { describeCall } from "../../../local/aws/request.ts";
import { OtherClusters } from "../../../local/eks/other-clusters.ts";
import { issuer, refusal } from "../aws/tokens.ts";
import { cluster, eksWith, kubernetes, noRoute } from "./harness.ts";

describe("a cluster of EKS's", () => {
  const describeCluster = (eks: ReturnType<typeof eksWith>) =>
    eks.get(cluster(), "cluster", "GET", "/clusters/irsa");

  it("is described with local's Kubernetes, its present tags and every type of log", async () => {
    const described = await describeCluster(eksWith());
    expect(described).to.deep.include({
      name: "irsa",
      status: "ACTIVE",
      endpoint: kubernetes.endpoint,
      certificateAuthority: { data: "UEVN" },
      identity: { oidc: { issuer } },
      tags: { of: "arn:irsa" },
    });
    expect(described.logging.clusterLogging).to.deep.equal([
      { types: ["api", "audit"], enabled: true },
      { types: ["authenticator", "controllerManager", "scheduler"], enabled: false },
    ]);
  });

  it("has another Kubernetes where a test has told of one by its name", async () => {
    const others = new OtherClusters();
    const eks = eksWith({ otherKubernetes: others.byName });
    const other = { ...kubernetes, endpoint: "https://127.0.0.1:7443", issuer: `${issuer}2` };
    others.set([{ name: "next", ...other }]);
    const describeOther = () => eks.get(cluster({ name: "next" }), "cluster", "GET", "/clusters/next");
    expect(await describeOther()).to.deep.include({
      endpoint: other.endpoint,
      identity: { oidc: { issuer: other.issuer } },
    });
    expect((await describeCluster(eks)).endpoint).to.equal(kubernetes.endpoint);
    expect([others.endpointOf(other.issuer), others.endpointOf(issuer)]).to.deep.equal([
      other.endpoint,
      undefined,
    ]);
    others.set(undefined);
    expect((await describeOther()).endpoint).to.equal(kubernetes.endpoint);
  });

  it("is the only one, also when two are made at once", async () => {
    expect(await refusal(eksWith().send(cluster(), "POST", "/clusters", { name: "other" }))).to.match(
      /^400 ResourceLimitExceededException: Local has one Kubernetes, and the cluster irsa is on it/,
    );
    const names: string[] = [];
    const { answer } = eksWith({ clusterNames: async () => names });
    const make = (name: string) =>
      answer(describeCall("POST", "/clusters", {}), JSON.stringify({ name }), async () => {
        names.push(name);
        return cluster({ name });
      });
    const both = await Promise.allSettled([make("a"), make("b")]);
    expect(both.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected"]);
    expect(names).to.deep.equal(["a"]);
  });

  it("has Kubernetes' version when none was asked for", async () => {
    const eks = eksWith();
    await eks.send(cluster(), "POST", "/clusters", { name: "irsa" });
    expect((await describeCluster(eks)).version).to.equal("1.34");
    await eks.send(cluster(), "POST", "/clusters", { name: "irsa", version: "1.30" });
    expect((await describeCluster(eks)).version).to.equal("1.30");
  });

  it("changes endpoint access and logs, each by what is named only", async () => {
    const eks = eksWith();
    const access = { endpointPrivateAccess: true, publicAccessCidrs: ["10.0.0.0/8"] };
    const update = await eks.get(noRoute, "update", "POST", "/clusters/irsa/update-config", {
      resourcesVpcConfig: access,
    });
    expect(update).to.include({ status: "Successful", type: "EndpointAccessUpdate" });
    for (const [types, enabled] of [
      [["scheduler"], true],
      [["audit"], false],
    ] as const) {
      const logging = { clusterLogging: [{ types, enabled }] };
      await eks.send(noRoute, "POST", "/clusters/irsa/update-config", { logging });
    }
    const after = await describeCluster(eks);
    expect(after.resourcesVpcConfig).to.deep.equal({
      subnetIds: ["a"],
      endpointPublicAccess: true,
      ...access,
    });
    expect(after.logging.clusterLogging[0]).to.deep.equal({ types: ["api", "scheduler"], enabled: true });
  });

  describe("with EKS Auto Mode", () => {
    const autoMode = (enabled: boolean) => ({
      computeConfig: { enabled, nodePools: ["system"] },
      storageConfig: { blockStorage: { enabled } },
      kubernetesNetworkConfig: { elasticLoadBalancing: { enabled } },
    });
    const withoutAddons = { name: "irsa", bootstrapSelfManagedAddons: false };

    it("keeps it, and takes it on and off as a whole", async () => {
      const eks = eksWith();
      await eks.send(cluster(), "POST", "/clusters", { ...withoutAddons, ...autoMode(true) });
      expect(await describeCluster(eks)).to.deep.include(autoMode(true));
      await eks.send(noRoute, "POST", "/clusters/irsa/update-config", autoMode(false));
      expect(await describeCluster(eks)).to.deep.include(autoMode(false));
    });

    it("refuses it in part, and beside the add-ons of other clusters", async () => {
      const eks = eksWith();
      const create = (body: object) => refusal(eks.send(cluster(), "POST", "/clusters", body));
      const { storageConfig: _, ...part } = autoMode(true);
      const missing = /^400 InvalidParameterException: .*either fully enabled or fully disabled/;
      expect(await create({ ...withoutAddons, ...part })).to.match(missing);
      expect(await create({ name: "irsa", ...autoMode(true) })).to.match(
        /^400 InvalidParameterException: .*bootstrapSelfManagedAddons must be false/,
      );
      await eks.send(cluster(), "POST", "/clusters", { ...withoutAddons, ...autoMode(true) });
      const off = { storageConfig: { blockStorage: { enabled: false } } };
      expect(await refusal(eks.send(noRoute, "POST", "/clusters/irsa/update-config", off))).to.match(missing);
    });
  });

  it("takes another version, and says that its Kubernetes stays", async () => {
    const eks = eksWith();
    await eks.send(noRoute, "POST", "/clusters/irsa/updates", { version: "1.35" });
    expect((await describeCluster(eks)).version).to.equal("1.35");
    expect(eks.log).to.deep.equal(["EKS: irsa is said to be 1.35; local's Kubernetes stays 1.34"]);
  });

  it("stays while it has deletion protection, and is forgotten once it is deleted", async () => {
    const eks = eksWith();
    await eks.send(cluster(), "POST", "/clusters", { name: "irsa", deletionProtection: true });
    expect(await refusal(eks.send(cluster(), "DELETE", "/clusters/irsa"))).to.match(
      /^400 InvalidRequestException: .*deletion protection/,
    );
    await eks.send(noRoute, "POST", "/clusters/irsa/update-config", { deletionProtection: false });
    const deleting = cluster({ status: "DELETING" });
    expect((await eks.get(deleting, "cluster", "DELETE", "/clusters/irsa")).status).to.equal("DELETING");
    expect(await describeCluster(eks)).not.to.have.property("deletionProtection");
  });
});
