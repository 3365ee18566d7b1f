import { RunError } from "@pulumi/pulumi";
import { expect } from "chai";
import { ExistingCluster } from "../../components/existing-cluster.ts";
import { LookupError, lookUp } from "../../components/lookup.ts";
import { ReferencedCluster } from "../../components/referenced-cluster.ts";
import { failureOf } from "../failure.ts";
import { issuer, known, oidcProviderArn, setMocks } from "../mocks.ts";

describe("a look-up", () => {
  const lookup = {
    what: "the EKS cluster dev in eu-central-1",
    needs: "eks:DescribeCluster",
    missing: { said: /couldn't find resource/, instead: "Make it." },
  };
  const invoked = (said: string) => async () => {
    throw new Error(
      `invocation of aws:eks/getCluster:getCluster returned an error: invoking aws:eks/getCluster:getCluster: 1 error occurred:\n\t* ${said}\n\n`,
    );
  };

  it("finds what is there", async () => {
    expect(await lookUp(async () => 7, lookup)).to.equal(7);
  });

  it("says that a thing is not there, and what to do", async () => {
    const error = await failureOf(
      lookUp(invoked("reading EKS Cluster (dev): couldn't find resource"), lookup),
    );
    expect(error).to.be.instanceOf(LookupError);
    expect(error.message).to.equal("There is no EKS cluster dev in eu-central-1. Make it.");
  });

  it("that may not be made says what it takes, and what the service said", async () => {
    const said =
      "reading EKS Cluster (dev): operation error EKS: DescribeCluster, https response error StatusCode: 403, RequestID: 7, api error AccessDeniedException: no";
    const error = await failureOf(lookUp(invoked(said), lookup));
    expect(error.message).to.equal(
      "Could not look up the EKS cluster dev in eu-central-1, which takes eks:DescribeCluster: reading EKS Cluster (dev): AccessDeniedException: no",
    );
  });

  it("passes on that the engine has gone", async () => {
    const gone = Object.assign(new Error("Resource monitor is terminating"), { code: 14, details: "" });
    const error = await failureOf(lookUp(() => Promise.reject(gone), lookup));
    expect(error).to.equal(gone);
  });

  it("keeps its sentence, whatever waits for it writes before it, and Pulumi prints it alone", () => {
    const error: Error = new LookupError("There is none.");
    error.message = `error serializing property "x": ${error.message}`;
    expect(error.message).to.equal("There is none.");
    expect(RunError.isInstance(error)).to.equal(true);
  });

  it("of a cluster that is being made says so, instead of a kubeconfig with a hole", async () => {
    await setMocks({
      calls: {
        "aws:eks/getCluster:getCluster": () => ({
          ...{ name: "dev", status: "CREATING", certificateAuthorities: [] },
          identities: [{ oidcs: [{ issuer: `https://${issuer}` }] }],
        }),
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": () => ({ arn: oidcProviderArn }),
      },
    });
    const cluster = new ExistingCluster("c", { clusterName: "dev", region: "eu-central-1" });
    expect((await failureOf(known(cluster.kubeconfig))).message).to.equal(
      "There is no API server of the EKS cluster dev yet: its status is CREATING. Wait until it is ACTIVE.",
    );
  });

  it("of another stack's output names the output", async () => {
    await setMocks({
      outputs: { "pulumi:pulumi:StackReference": () => ({ outputs: { clusterName: "c" } }) },
    });
    const cluster = new ReferencedCluster("c", { stack: "organization/platform/prod" });
    expect(await known(cluster.clusterName)).to.equal("c");
    expect((await failureOf(known(cluster.oidcProviderArn))).message).to.match(
      /^There is no output oidcProviderArn of the stack organization\/platform\/prod\. It must be/,
    );
  });
});
