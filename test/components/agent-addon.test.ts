import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { ExistingCluster } from "../../components/existing-cluster.ts";
import { ReferencedCluster } from "../../components/referenced-cluster.ts";
import { issuer, known, oidcProviderArn, setMocks } from "../mocks.ts";

describe("the agent of EKS Pod Identity on a cluster that is there", () => {
  const warnings: string[] = [];
  const { warn } = pulumi.log;
  beforeEach(() => {
    warnings.length = 0;
    Object.assign(pulumi.log, {
      warn: async (message: string) => {
        warnings.push(message);
      },
    });
  });
  afterEach(() => {
    Object.assign(pulumi.log, { warn });
  });
  type Found = { addon?: boolean; auto?: boolean };
  const asked = async (
    make: () => { clusterName: pulumi.Output<string> },
    { addon = false, auto = false }: Found = {},
  ) => {
    await setMocks({
      calls: {
        "aws:eks/getCluster:getCluster": ({ name }) => ({
          name,
          endpoint: "https://example.com",
          certificateAuthorities: [{ data: "Q0E=" }],
          identities: [{ oidcs: [{ issuer: `https://${issuer}` }] }],
          computeConfigs: auto ? [{ enabled: true }] : [],
        }),
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": () => ({ arn: oidcProviderArn }),
        "aws:eks/getAddon:getAddon": (args) => {
          if (!addon) throw new Error(`reading EKS Add-On (${args.clusterName}): couldn't find resource`);
          return args;
        },
      },
    });
    return known(make().clusterName);
  };
  const existing = (podIdentityAgent?: boolean) => () =>
    new ExistingCluster("cluster", { clusterName: "prod", region: "eu-central-1", podIdentityAgent });

  it("is looked for only where something needs it", async () => {
    expect(await asked(existing())).to.equal("prod");
    expect(warnings).to.deep.equal([]);
  });

  it("is missed in a warning that says how to add it", async () => {
    expect(await asked(existing(true))).to.equal("prod");
    expect(warnings).to.have.length(1);
    expect(warnings[0])
      .to.contain("the add-on eks-pod-identity-agent was not found in the cluster prod")
      .and.to.contain("aws eks create-addon --cluster-name prod --addon-name eks-pod-identity-agent");
  });

  it("is missed on the cluster of another stack too, which cannot know of it", async () => {
    await asked(
      () => new ReferencedCluster("cluster", { stack: "org/platform/prod", podIdentityAgent: true }),
    );
    expect(warnings[0]).to.contain("cluster of org/platform/prod");
  });

  it("is not missed where it is, or where EKS Auto Mode has it built in", async () => {
    await asked(existing(true), { addon: true });
    await asked(existing(true), { auto: true });
    expect(warnings).to.deep.equal([]);
  });
});
