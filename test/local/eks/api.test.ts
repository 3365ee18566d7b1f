import { expect } from "chai";
import { AwsError, jsonReply, type Reply } from "../../../local/aws/reply.ts";
import { describeCall } from "../../../local/aws/request.ts";
import { eks } from "../../../local/eks/api.ts";
import { issuer, refusal } from "../aws/tokens.ts";

const kubernetes = {
  endpoint: "https://127.0.0.1:6443",
  certificateAuthority: "UEVN",
  issuer,
  version: "1.34",
};
const noRoute = jsonReply({ __type: "InvalidRequestException", message: "No route for POST" }, 400);
const types = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

describe("eks", () => {
  let clusters: string[];
  let upstream: Reply;
  let answer: ReturnType<typeof eks>;
  const cluster = (more: object = {}) =>
    jsonReply({
      cluster: {
        name: "irsa",
        arn: "arn:irsa",
        status: "ACTIVE",
        version: "1.30",
        endpoint: "https://localhost:16443",
        certificateAuthority: { data: "" },
        identity: { oidc: { issuer: "http://localhost/oidc" } },
        resourcesVpcConfig: { subnetIds: ["a"], endpointPublicAccess: true },
        logging: { clusterLogging: [{ types: ["api", "audit"], enabled: true }] },
        ...more,
      },
    });
  beforeEach(() => {
    clusters = ["irsa"];
    upstream = cluster();
    answer = eks({
      kubernetes,
      clusterNames: async () => clusters,
      tags: async (arn) => ({ of: arn }),
      associationTags: async () => undefined,
      log: () => undefined,
    });
  });
  const send = (method: string, path: string, body: unknown = {}) =>
    answer(describeCall(method, path, {}), JSON.stringify(body), async () => upstream);
  const describeCluster = async () => {
    upstream = cluster();
    return JSON.parse((await send("GET", "/clusters/irsa")).body).cluster;
  };

  it("describes the cluster with local's Kubernetes and its present tags", async () => {
    expect(await describeCluster()).to.include({
      name: "irsa",
      status: "ACTIVE",
      endpoint: kubernetes.endpoint,
    });
    const { certificateAuthority, identity, logging, tags } = await describeCluster();
    expect(certificateAuthority).to.deep.equal({ data: "UEVN" });
    expect(identity).to.deep.equal({ oidc: { issuer } });
    expect(tags).to.deep.equal({ of: "arn:irsa" });
    expect(logging.clusterLogging).to.deep.equal([
      { types: ["api", "audit"], enabled: true },
      { types: ["authenticator", "controllerManager", "scheduler"], enabled: false },
    ]);
  });

  it("leaves errors as they are", async () => {
    upstream = jsonReply({ __type: "AccessDeniedException", message: "no" }, 403);
    expect(await send("GET", "/clusters/irsa")).to.equal(upstream);
    expect(await send("POST", "/clusters/irsa/update-config", {})).to.equal(upstream);
  });

  it("refuses a second cluster, also when two are made at once", async () => {
    expect(await refusal(send("POST", "/clusters", { name: "other" }))).to.match(
      /^400 ResourceLimitExceededException: Local has one Kubernetes, and the cluster irsa is on it/,
    );
    clusters = [];
    const make = (name: string) =>
      answer(describeCall("POST", "/clusters", {}), JSON.stringify({ name }), async () => {
        clusters.push(name);
        return cluster({ name });
      });
    const both = await Promise.allSettled([make("a"), make("b")]);
    expect(both.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected"]);
    expect(clusters).to.deep.equal(["a"]);
  });

  it("gives a cluster Kubernetes' version when none was asked for", async () => {
    await send("POST", "/clusters", { name: "irsa" });
    expect((await describeCluster()).version).to.equal("1.34");
    await send("POST", "/clusters", { name: "irsa", version: "1.30" });
    expect((await describeCluster()).version).to.equal("1.30");
  });

  it("changes endpoint access and logs, each by what is named only", async () => {
    upstream = noRoute;
    const access = { endpointPrivateAccess: true, publicAccessCidrs: ["10.0.0.0/8"] };
    const reply = await send("POST", "/clusters/irsa/update-config", { resourcesVpcConfig: access });
    const { update } = JSON.parse(reply.body);
    expect(update).to.include({ status: "Successful", type: "EndpointAccessUpdate" });
    const change = (names: string[], enabled: boolean) =>
      send("POST", "/clusters/irsa/update-config", {
        logging: { clusterLogging: [{ types: names, enabled }] },
      });
    await change(["scheduler"], true);
    await change(["audit"], false);

    const after = await describeCluster();
    expect(after.resourcesVpcConfig).to.deep.equal({
      subnetIds: ["a"],
      endpointPublicAccess: true,
      ...access,
    });
    expect(after.logging.clusterLogging[0]).to.deep.equal({ types: ["api", "scheduler"], enabled: true });
    expect(after.logging.clusterLogging.flatMap((group: { types: string[] }) => group.types)).to.have.members(
      types,
    );

    upstream = noRoute;
    const shown = JSON.parse((await send("GET", `/clusters/irsa/updates/${update.id}`)).body).update;
    expect(shown).to.deep.equal(update);
    expect(JSON.parse((await send("GET", "/clusters/irsa/updates")).body).updateIds).to.have.length(3);
    expect(await refusal(send("GET", "/clusters/irsa/updates/none"))).to.match(
      /^404 ResourceNotFoundException/,
    );
  });

  it("changes versions and node groups", async () => {
    upstream = noRoute;
    await send("POST", "/clusters/irsa/updates", { version: "1.35" });
    await send("POST", "/clusters/irsa/node-groups/n/update-config", {
      scalingConfig: { desiredSize: 3 },
      labels: { addOrUpdateLabels: { a: "b" } },
    });
    expect((await describeCluster()).version).to.equal("1.35");
    const group = { clusterName: "irsa", nodegroupName: "n", nodegroupArn: "arn:n", labels: {} };
    upstream = jsonReply({ nodegroup: { ...group, scalingConfig: { minSize: 1, desiredSize: 1 } } });
    const { nodegroup } = JSON.parse((await send("GET", "/clusters/irsa/node-groups/n")).body);
    expect(nodegroup.scalingConfig).to.deep.equal({ minSize: 1, desiredSize: 3 });
    expect(nodegroup.labels).to.deep.equal({ a: "b" });
    expect(nodegroup.tags).to.deep.equal({ of: "arn:n" });
  });

  it("refuses to update a cluster that is not there", async () => {
    upstream = noRoute;
    expect(await refusal(send("POST", "/clusters/other/update-config", {}))).to.equal(
      "404 ResourceNotFoundException: No cluster found for name: other.",
    );
  });

  it("keeps a cluster with deletion protection, and forgets what it knew of a deleted one", async () => {
    await send("POST", "/clusters", { name: "irsa", deletionProtection: true });
    expect(await refusal(send("DELETE", "/clusters/irsa"))).to.match(
      /^400 InvalidRequestException: .*deletion protection/,
    );
    upstream = noRoute;
    await send("POST", "/clusters/irsa/update-config", { deletionProtection: false });
    upstream = cluster({ status: "DELETING" });
    expect(JSON.parse((await send("DELETE", "/clusters/irsa")).body).cluster.status).to.equal("DELETING");
    expect(await describeCluster()).not.to.have.property("deletionProtection");
  });

  it("passes on a failure to ask for the clusters", async () => {
    answer = eks({
      kubernetes,
      clusterNames: () => Promise.reject(new AwsError("ServiceUnavailable", "down", 503)),
      tags: async () => ({}),
      associationTags: async () => undefined,
      log: () => undefined,
    });
    expect(await refusal(send("POST", "/clusters", { name: "irsa" }))).to.equal(
      "503 ServiceUnavailable: down",
    );
  });
});
