import { expect } from "chai";
import fc from "fast-check";
import { diagnose, type Patient, type Pod } from "../../doctor/chain.ts";
import { page } from "../../doctor/html.ts";
import { links } from "../../doctor/links/index.ts";
import { accessOf } from "../../doctor/permissions.ts";
import { conclusion, describeLink } from "../../doctor/report.ts";
import { judgeTrust } from "../../doctor/trust.ts";
import type { World } from "../../doctor/world.ts";
import { trustPolicy } from "../../iam/trust-policy.ts";
import { oidcProviderArn, issuer as url } from "../mocks.ts";

// What needs no live parts. That each cause is found where it is really made is shown by test/e2e/doctor.e2e.ts.

const issuer = `https://${url}`;
const patient: Patient = {
  cluster: "dev",
  region: "eu-central-1",
  namespace: "team-a",
  serviceAccount: "reader",
  actions: ["s3:ListAllMyBuckets"],
};
const roleArn = "arn:aws:iam::111122223333:role/reader";
const listing = '{"Statement":{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}}';

/** A token as Kubernetes makes it, unsigned: nothing here checks that. */
const token = (claims: object): string =>
  ["{}", JSON.stringify(claims), ""].map((part) => Buffer.from(part).toString("base64url")).join(".");

const pod: Pod = {
  name: "reader-1",
  phase: "Running",
  created: new Date("2026-11-24T10:00:00Z"),
  serviceAccount: "reader",
  annotations: {},
  fsGroup: 65532,
  containers: [
    {
      name: "app",
      image: "example.com/app:1",
      user: 65532,
      env: { AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: "/token/token" },
      mounts: [{ volume: "aws-iam-token", path: "/token" }],
    },
  ],
  tokens: [{ volume: "aws-iam-token", path: "token", audience: "sts.amazonaws.com", mode: 0o644 }],
};

/** A world in which all is well, but for what a test changes. */
function world(change: {
  eks?: Partial<World["eks"]>;
  iam?: Partial<World["iam"]>;
  kubernetes?: Partial<World["kubernetes"]>;
  sts?: World["sts"];
}): World {
  return {
    eks: {
      cluster: async () => ({ arn: "arn", status: "ACTIVE", endpoint: "https://api.example", issuer }),
      clusterNames: async () => ["dev"],
      ...change.eks,
    },
    iam: {
      accountId: async () => "111122223333",
      oidcProviders: async () => [{ arn: oidcProviderArn, url, audiences: ["sts.amazonaws.com"] }],
      role: async () => ({
        name: "reader",
        arn: roleArn,
        trustPolicy: JSON.stringify(
          trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" }),
        ),
        maxSessionSeconds: 3600,
      }),
      policies: async () => [{ name: "list", document: listing }],
      policyDocument: async () => undefined,
      ...change.iam,
    },
    sts: change.sts ?? { assume: async () => ({ admitted: true, arn: "arn:session" }) },
    kubernetes: {
      server: "https://api.example",
      version: async () => "v1.34.4",
      issuer: async () => issuer,
      serviceAccount: async () => ({ annotations: { "eks.amazonaws.com/role-arn": roleArn } }),
      pods: async () => [pod],
      podIdentityWebhook: async () => true,
      token: async () =>
        token({ iss: issuer, sub: "system:serviceaccount:team-a:reader", aud: ["sts.amazonaws.com"] }),
      ...change.kubernetes,
    },
    images: { files: async () => ["usr/lib/python3/botocore-1.40.0.dist-info/METADATA"] },
  };
}

describe("the doctor", () => {
  const look = (change: Parameters<typeof world>[0] = {}) => diagnose(links, world(change), patient);
  const cause = async (change: Parameters<typeof world>[0]): Promise<string | undefined> => {
    const finding = (await look(change)).links.find((one) => one.finding.state === "broken")?.finding;
    return finding?.state === "broken" ? finding.cause : undefined;
  };

  it("finds a whole chain healthy, every link seen", async () => {
    const diagnosis = await look();
    expect(diagnosis.links.map(({ finding }) => finding.state)).to.deep.equal(links.map(() => "holds"));
    expect(conclusion(diagnosis)).to.equal(
      "team-a/reader on dev: healthy. Its pods get the role's credentials.",
    );
  });

  it("names an issuer that is not there, or not the API server's own", async () => {
    const cluster = { arn: "arn", status: "ACTIVE", endpoint: "https://api.example" };
    expect(await cause({ eks: { cluster: async () => cluster } })).to.equal("issuer-missing");
    expect(await cause({ kubernetes: { issuer: async () => "https://other.example" } })).to.equal(
      "issuer-differs",
    );
    expect(await cause({ eks: { cluster: async () => ({ ...cluster, status: "FAILED" }) } })).to.equal(
      "cluster-inactive",
    );
  });

  it("names a claim of the token that is not what it should be", async () => {
    const claims = { iss: issuer, sub: "system:serviceaccount:team-a:reader", aud: ["sts.amazonaws.com"] };
    const saying = (more: object) => ({ kubernetes: { token: async () => token({ ...claims, ...more }) } });
    expect(await cause(saying({ iss: `${issuer}/` }))).to.equal("token-iss");
    expect(await cause(saying({ sub: "system:serviceaccount:team-b:reader" }))).to.equal("token-sub");
    expect(await cause(saying({ aud: ["other"] }))).to.equal("token-aud");
  });

  it("stops at the first broken link, and says which were not reached", async () => {
    const { state, links: found } = await look({ iam: { role: async () => undefined } });
    expect(state).to.equal("broken");
    expect(found.map(({ finding }) => finding.state)).to.deep.equal([
      ...["holds", "holds", "holds", "holds", "broken"],
      ...Array.from({ length: 9 }, () => "not reached"),
    ]);
  });

  it("calls nothing broken or healthy that it may not look at", async () => {
    const refuse = async (): Promise<never> => {
      throw new Error("User is not authorized to perform: iam:GetRole");
    };
    const diagnosis = await look({ iam: { role: refuse } });
    expect(diagnosis.state).to.equal("unseen");
    expect(conclusion(diagnosis)).to.contain('not everything could be looked at ("The role is there")');
    expect(diagnosis.links.find(({ id }) => id === "sts")?.finding.state).to.equal("holds");
  });

  it("asks for the other account's credentials when the role is of another account", async () => {
    const diagnosis = await look({ iam: { accountId: async () => "999999999999" } });
    const finding = diagnosis.links.find(({ id }) => id === "role")?.finding;
    expect(finding).to.deep.include({ state: "unseen" });
    expect(JSON.stringify(finding)).to.contain("these credentials of 999999999999");
  });

  it("writes a broken link with both values and what mends it", async () => {
    const { links: found } = await look({ eks: { cluster: async () => undefined } });
    const [first] = found;
    expect(first && describeLink(first)).to.equal(`  ✖  The cluster can be reached

     There is no EKS cluster dev in eu-central-1, in the account of these credentials.
     the cluster               dev
     clusters in eu-central-1  dev

     To mend it:
       aws eks list-clusters --region eu-central-1
       aws sts get-caller-identity
`);
  });

  it("draws a page with a state in words for each link, and nothing in it that is markup", async () => {
    const evil = '<script>alert("x")</script>';
    const diagnosis = await look({
      kubernetes: { serviceAccount: async () => ({ annotations: { "eks.amazonaws.com/role-arn": evil } }) },
    });
    const html = page(diagnosis, new Date("2026-11-24T10:00:00Z"));
    expect(html).not.to.contain(evil);
    expect(html.match(/<li id=/g)).to.have.length(links.length);
    expect(html.match(/<span class="state">broken<\/span>/g)).to.have.length(1);
    expect(html.match(/<span class="state">not reached<\/span>/g)).to.have.length(10);
    expect(html).to.match(/^<!doctype html>\n<html lang="en">/);
    expect(html).not.to.match(/https?:\/\/(?!oidc|api)[^\s<]*\.(js|css|woff)/);
  });
});

describe("the doctor's judgement of a trust policy", () => {
  const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);

  it("admits what the component's own trust policy is for, and names the subject for all else", () => {
    fc.assert(
      fc.property(name, name, name, name, (namespace, serviceAccount, otherNamespace, otherAccount) => {
        const document = JSON.stringify(trustPolicy({ oidcProviderArn, namespace, serviceAccount }));
        const judge = (a: string, b: string) =>
          judgeTrust(document, {
            issuer,
            providerArn: oidcProviderArn,
            sub: `system:serviceaccount:${a}:${b}`,
            aud: "sts.amazonaws.com",
          }).fault?.cause;
        expect(judge(namespace, serviceAccount)).to.equal(undefined);
        const same = namespace === otherNamespace && serviceAccount === otherAccount;
        expect(judge(otherNamespace, otherAccount)).to.equal(same ? undefined : "trust-subject");
      }),
    );
  });

  it("tells by the statement that comes nearest, and leaves to STS what only STS can judge", () => {
    const claims = {
      issuer,
      providerArn: oidcProviderArn,
      sub: "system:serviceaccount:team-a:reader",
      aud: "sts.amazonaws.com",
    };
    const { Version, Statement } = trustPolicy({
      oidcProviderArn,
      namespace: "team-b",
      serviceAccount: "reader",
    });
    const ec2 = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "ec2.amazonaws.com" } };
    expect(
      judgeTrust(JSON.stringify({ Version, Statement: [ec2, ...Statement] }), claims).fault?.cause,
    ).to.equal("trust-subject");
    expect(judgeTrust("{}", claims).fault?.cause).to.equal("trust-no-statement");
    const right = trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" })
      .Statement[0];
    const Condition = { ...right?.Condition, IpAddress: { "aws:SourceIp": "203.0.113.0/24" } };
    expect(
      judgeTrust(JSON.stringify({ Version, Statement: [{ ...right, Condition }] }), claims),
    ).to.deep.equal({
      undecided: ["ipaddress aws:sourceip 203.0.113.0/24"],
    });
  });
});

describe("the doctor's judgement of permissions", () => {
  const policy = (...statements: object[]) =>
    JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const allow = (Action: string, more: object = {}) => ({ Effect: "Allow", Action, Resource: "*", ...more });
  const cases: [what: string, documents: string[], access: string][] = [
    ["nothing", [], "not allowed"],
    ["the action, in another case", [policy(allow("S3:getobject"))], "allowed"],
    ["a pattern", [policy(allow("s3:Get*"))], "allowed"],
    ["another action", [policy(allow("s3:PutObject"))], "not allowed"],
    ["all but another", [policy({ Effect: "Allow", NotAction: "iam:*", Resource: "*" })], "allowed"],
    ["another resource", [policy(allow("s3:GetObject", { Resource: "arn:aws:s3:::b/*" }))], "not allowed"],
    ["this resource", [policy(allow("s3:GetObject", { Resource: "arn:aws:s3:::a/*" }))], "allowed"],
    [
      "under a condition",
      [policy(allow("s3:*", { Condition: { Bool: { "aws:SecureTransport": "true" } } }))],
      "conditionally",
    ],
    [
      "denied in another policy",
      [policy(allow("s3:*")), policy({ Effect: "Deny", Action: "s3:Get*", Resource: "*" })],
      "denied",
    ],
  ];
  for (const [what, documents, access] of cases) {
    it(`${what}: ${access}`, () => {
      expect(accessOf(documents, "s3:GetObject", "arn:aws:s3:::a/key")).to.equal(access);
    });
  }
});
