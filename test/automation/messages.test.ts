import { readdirSync } from "node:fs";
import { expect } from "chai";
import { engineIsThere, type Printed, Stage } from "./stage.ts";

// What a person reads of what is missing, under `npm run stack` and a bare `pulumi`: one sentence, and what to do.

const cluster = { name: "dev", existing: true };
const bindings = [{ namespace: "team-a", serviceAccount: "app" }];
const bound = { app: "none", cluster, bindings };

const awsSays = (operation: string, code: number, error: string): Error =>
  new Error(
    `1 error occurred:\n\t* operation error ${operation}, https response error StatusCode: ${code}, RequestID: 1-2, ${error}\n\n`,
  );

interface Case {
  readonly what: string;
  readonly config: object;
  readonly arrange?: (stage: Stage) => void;
  /** All that is said on standard error after the progress. */
  readonly says: string;
}

const getCluster = "aws:eks/getCluster:getCluster";
const getOidcProvider = "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider";

/** What the program looks up, and throws by itself: a bare `pulumi` prints the same. */
const lookUps = [
  {
    what: "a cluster that is not there",
    config: { ...bound, cluster: { name: "missing", existing: true } },
    arrange: ({ functions }) => {
      functions[getCluster] = async () => {
        throw new Error("reading EKS Cluster (missing): couldn't find resource");
      };
    },
    says: "There is no EKS cluster missing in eu-central-1. `aws eks list-clusters --region eu-central-1` lists those that there are, `aws sts get-caller-identity` says in which account.",
  },
  {
    what: "an OIDC provider that is not there",
    config: bound,
    arrange: ({ functions }) => {
      functions[getOidcProvider] = async ({ url }) => {
        throw new Error(`finding IAM OIDC Provider by url (${url}): not found`);
      };
    },
    says: "There is no IAM OIDC provider of the issuer https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF in this account. If nobody makes one elsewhere, set the cluster's createOidcProvider to true.",
  },
] as const satisfies Case[];

/** What the engine and the providers look up: their own words, explained. */
const others: Case[] = [
  {
    what: "a stack that is referred to and not there",
    config: { ...bound, cluster: { stack: "organization/platform/prod" } },
    says: "pulumi:pulumi:StackReference cluster-stack: There is no stack organization/platform/prod that you may read. `pulumi stack ls --all` lists those that there are; eks-irsa:cluster.stack takes one as organization/project/stack.",
  },
  {
    what: "a ServiceAccount to adopt that is not there",
    config: { ...bound, bindings: [{ ...bindings[0], adopt: true }] },
    says: "kubernetes:core/v1:ServiceAccount team-a.app-to-adopt: There is no ServiceAccount team-a/app to adopt. Make it (`kubectl create serviceaccount --namespace team-a app`), or leave out `adopt`, and the stack makes it.",
  },
  {
    what: "a namespace that is not there",
    config: bound,
    arrange: ({ creations }) => {
      creations["kubernetes:core/v1:ServiceAccount"] = async () => {
        throw new Error(
          'resource "urn:..." was not successfully created by the Kubernetes API server: namespaces "team-a" not found',
        );
      };
    },
    says: "kubernetes:core/v1:ServiceAccount team-a.app-service-account: There is no namespace team-a. Make it (`kubectl create namespace team-a`), or set `createNamespace: true` where it is named, and the stack makes it.",
  },
  {
    what: "a token that has expired",
    config: bound,
    arrange: ({ functions }) => {
      functions[getCluster] = async () => {
        throw awsSays(
          "EKS: DescribeCluster",
          403,
          "api error ExpiredTokenException: The security token included in the request is expired",
        );
      };
    },
    says: "Could not look up the EKS cluster dev in eu-central-1, which takes eks:DescribeCluster: ExpiredTokenException: The security token included in the request is expired. Sign in to AWS (`aws sso login`, or keys in the environment) again, then repeat it: what was done stays done.",
  },
  {
    what: "no rights to make one thing",
    config: bound,
    arrange: ({ creations }) => {
      creations["aws:iam/role:Role"] = async () => {
        throw awsSays(
          "IAM: CreateRole",
          403,
          "api error AccessDenied: User: arn:aws:iam::111122223333:user/me is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::111122223333:role/x",
        );
      };
    },
    says: "aws:iam/role:Role team-a.app-role: AccessDenied: User: arn:aws:iam::111122223333:user/me is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::111122223333:role/x. Have iam:CreateRole allowed to whom it names, then repeat it.",
  },
  {
    what: "no AWS credentials",
    config: bound,
    arrange: (stage) => {
      stage.configure = () => {
        throw new Error("No valid credential sources found. Please see https://www.pulumi.com/registry.");
      };
    },
    says: "No valid credential sources found. Please see https://www.pulumi.com/registry. There are no AWS credentials. Sign in to AWS (`aws sso login`, or keys in the environment), or name a profile in aws:profile.",
  },
  {
    what: "a cluster that cannot be reached",
    config: bound,
    arrange: ({ creations }) => {
      creations["kubernetes:core/v1:ServiceAccount"] = async () => {
        throw new Error(
          'configured Kubernetes cluster is unreachable: Get "https://10.0.0.1/version": dial tcp 10.0.0.1:443: i/o timeout',
        );
      };
    },
    says: 'kubernetes:core/v1:ServiceAccount team-a.app-service-account: configured Kubernetes cluster is unreachable: Get "https://10.0.0.1/version": dial tcp 10.0.0.1:443: i/o timeout. It must be reached from here: a private endpoint from its own network, or through a VPN that its security group lets in.',
  },
];

/** What is left of standard error without the lines that only tell what the operation is at. */
const conclusion = ({ stderr }: Printed): string =>
  stderr
    .split("\n")
    .filter((line) => !line.startsWith("  "))
    .join("\n");

describe("what the engine meets, as `npm run stack` tells it", () => {
  let stage: Stage;
  beforeEach(async function () {
    if (!engineIsThere) this.skip();
    stage = await new Stage().open();
  });
  afterEach(() => stage?.close());

  for (const { what, config, arrange, says } of [...lookUps, ...others]) {
    it(`${what}: one sentence, what to do, exit code 1`, async () => {
      arrange?.(stage);
      const printed = await (await stage.withStack()).configured(config).stack("up", "x", "--yes");
      expect(conclusion(printed)).to.equal(`${says}\n`);
      expect(printed.code).to.equal(1);
      expect(printed.stdout).to.equal("");
    });
  }

  it("a cluster that is not there: the same sentence under a bare pulumi, and no other", async () => {
    const [{ config, arrange, says }] = lookUps;
    arrange(stage);
    const { code, stdout } = await stage.configured(config).pulumi("preview");
    const [, diagnostics = ""] = stdout.split("Diagnostics:");
    expect(new Set(diagnostics.match(/error: .*/g))).to.deep.equal(new Set([`error: ${says}`]));
    expect(stdout).not.to.contain("error serializing").and.not.to.contain("Unhandled");
    expect(code).not.to.equal(0);
  });

  it("a stack that is not there: which there are, exit code 2, and nothing is made; `up` makes it, and says so", async () => {
    const made = await stage.configured({ ...bound, bindings: [] }).stack("up", "x", "--yes");
    expect(made.stderr).to.match(/^There is no stack x yet: it is made now\.\n/);
    const commands = ["preview", "refresh", "destroy", "outputs", "cancel"];
    for (const printed of await Promise.all(commands.map((command) => stage.stack(command, "y")))) {
      const stderr = "There is no stack y; there is x. Only `up` makes one.\n";
      expect(printed).to.deep.equal({ code: 2, stdout: "", stderr });
    }
    expect(readdirSync(stage.folder)).not.to.include("Pulumi.y.yaml");
    const up = await stage.stack("up", "y", "--yes");
    expect(up.stderr).to.match(/^There is no configuration of this stack: \S+Pulumi\.y\.yaml is not there\./);
    expect(up.code).to.equal(2);
  });

  it("a bad configuration: each key, and where to correct it, exit code 2", async () => {
    const { code, stderr } = await stage
      .configured({ ...bound, replicas: "many", cluster: '{"name": "dev",}' })
      .stack("up", "x", "--yes");
    expect(stderr).to.contain('  eks-irsa:replicas holds "many"; it must be a whole number from 0 to 100\n');
    expect(stderr).to.match(/eks-irsa:cluster holds .*; it is no JSON: .*position 15/);
    expect(stderr).to.match(/\nCorrect it in Pulumi\.x\.yaml.*\n$/);
    expect(code).to.equal(2);
  });

  it("a passphrase that is wrong: in the engine's own sentence, without its call", async () => {
    await (await stage.withStack()).configured({ ...bound, bindings: [] }).stack("up", "x", "--yes");
    stage.env.PULUMI_CONFIG_PASSPHRASE = "another";
    const { code, stderr } = await stage.stack("preview", "x");
    expect(stderr)
      .to.match(/incorrect passphrase/)
      .and.not.match(/stdout:|stderr:|code:/);
    expect(stderr.trim().split("\n").length).to.be.lessThan(4);
    expect(code).to.equal(1);
  });
});
