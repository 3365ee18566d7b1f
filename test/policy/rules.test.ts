import { expect } from "chai";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import program from "../../index.ts";
import { type Resource, rules, type Settings } from "../../policy/rules.ts";
import { settingsFor } from "../../policy/stacks.ts";
import { issuer, oidcProviderArn, registry, setMocks, settled } from "../mocks.ts";
import { environments, stackConfig } from "../stack-files.ts";

describe("guard rails", () => {
  const violations = (resource: Resource, settings: Settings = {}): string[] =>
    rules.flatMap(({ name, check }) => check(resource, settings).map((violation) => `${name}: ${violation}`));

  const role = (trust: unknown, more: object = {}): Resource => ({
    type: "aws:iam/role:Role",
    props: { assumeRolePolicy: JSON.stringify(trust), ...more },
  });
  const trusting = (Condition: object, Action = "sts:AssumeRoleWithWebIdentity") =>
    role({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Federated: oidcProviderArn }, Action, Condition }],
    });
  const sub = { [`${issuer}:sub`]: "system:serviceaccount:a:b" };
  const aud = { [`${issuer}:aud`]: "sts.amazonaws.com" };
  const pod = (securityContext: object, container: object = {}, kind = "apps/v1:Deployment"): Resource => ({
    type: `kubernetes:${kind}`,
    props: {
      spec: {
        template: { spec: { securityContext, containers: [{ name: "app", securityContext: container }] } },
      },
    },
  });

  const running = (image: string): Resource => ({
    type: "kubernetes:core/v1:Pod",
    props: { spec: { containers: [{ name: "app", image, securityContext: { runAsNonRoot: true } }] } },
  });

  it("let through what the trust policies of this project say", () => {
    const subject = { namespace: "a", serviceAccount: "b" };
    expect(violations(role(trustPolicy({ oidcProviderArn, ...subject })))).to.deep.equal([]);
    expect(violations(role(podIdentityTrustPolicy([subject])))).to.deep.equal([]);
  });

  const like = { matching: "team-*" };
  const anyone = (document: object): Resource => ({
    type: "aws:iam/rolePolicy:RolePolicy",
    props: { policy: JSON.stringify({ Version: "2012-10-17", Statement: [document] }) },
  });

  const bad: [what: string, resource: Resource, violation: string, settings?: Settings][] = [
    ["no sub", trusting({ StringEquals: aud }), "trust-policy-claims: The trust policy does not check sub"],
    ["no aud", trusting({ StringEquals: sub }), "trust-policy-claims: The trust policy does not check aud"],
    [
      "claims that are denied and not asked for",
      trusting({ StringNotEquals: { ...sub, ...aud } }),
      "trust-policy-claims: The trust policy does not check sub",
    ],
    [
      "claims that may be absent",
      trusting({ StringEqualsIfExists: { ...sub, ...aud } }),
      "trust-policy-claims: The trust policy does not check sub",
    ],
    [
      "sts:* without claims",
      trusting({}, "sts:*"),
      "trust-policy-claims: The trust policy does not check sub",
    ],
    [
      "claims that may have no value",
      trusting({ "ForAllValues:StringEquals": { ...sub, ...aud } }),
      "trust-policy-claims: The trust policy does not check sub",
    ],
    [
      "an audience of any kind",
      trusting({ StringEquals: sub, StringLike: { [`${issuer}:aud`]: "*" } }),
      "trust-policy-claims: The trust policy does not check aud",
    ],
    [
      "claims with https:// before the issuer",
      trusting({ StringEquals: { [`https://${issuer}:sub`]: "system:serviceaccount:a:b", ...aud } }),
      `trust-policy-claims: The trust policy asks for https://${issuer.toLowerCase()}:sub, which no token has`,
    ],
    [
      "claims of the provider's ARN",
      trusting({ StringEquals: { ...sub, [`${oidcProviderArn}:aud`]: "sts.amazonaws.com" } }),
      `trust-policy-claims: The trust policy asks for ${oidcProviderArn.toLowerCase()}:aud, which no token has`,
    ],
    [
      "claims of another cluster",
      trusting({ StringEquals: { ...aud, "oidc.eks.eu-central-1.amazonaws.com/id/OTHER:sub": "x" } }),
      "trust-policy-claims: The trust policy asks for oidc.eks.eu-central-1.amazonaws.com/id/other:sub",
    ],
    [
      "an action in other letters",
      trusting({}, "STS:assumeRoleWith*"),
      "trust-policy-claims: The trust policy does not check sub",
    ],
    [
      "all actions but one",
      role({
        Statement: [
          { Effect: "Allow", Principal: { Federated: oidcProviderArn }, NotAction: "sts:TagSession" },
        ],
      }),
      "trust-policy-claims: The trust policy does not check sub",
    ],
    [
      "everybody's tokens",
      role({ Statement: { Effect: "Allow", Principal: "*", Action: "sts:AssumeRoleWithWebIdentity" } }),
      "trust-policy-claims: The trust policy does not check sub",
    ],
    [
      "the second of two statements",
      role({
        Statement: [
          ...trustPolicy({ oidcProviderArn, namespace: "a", serviceAccount: "b" }).Statement,
          {
            Effect: "Allow",
            Principal: { Federated: [oidcProviderArn] },
            Action: ["sts:TagSession", "sts:AssumeRoleWithWebIdentity"],
            Condition: { StringEquals: sub },
          },
        ],
      }),
      "trust-policy-claims: The trust policy does not check aud",
    ],
    [
      "a pattern of this project, until somebody allows it",
      role(trustPolicy({ oidcProviderArn, namespace: like, serviceAccount: "b" })),
      "no-wildcard-subject: The trust policy admits system:serviceaccount:team-*:b",
    ],
    [
      "a pattern for Pod Identity",
      role(podIdentityTrustPolicy([{ namespace: like, serviceAccount: "b" }])),
      "no-wildcard-subject: The trust policy admits system:serviceaccount:team-*:b",
    ],
    [
      "a pattern that may be absent",
      trusting({
        StringEquals: { ...sub, ...aud },
        StringLikeIfExists: { [`${issuer}:sub`]: "system:serviceaccount:a:?" },
      }),
      "no-wildcard-subject: The trust policy admits system:serviceaccount:a:?",
    ],
    [
      "a wildcard subject",
      trusting({ StringLike: { [`${issuer}:sub`]: "system:serviceaccount:*:*" }, StringEquals: aud }),
      "no-wildcard-subject: The trust policy admits system:serviceaccount:*:*",
    ],
    [
      "another wildcard than the allowed one",
      trusting({
        StringLike: { [`${issuer}:sub`]: ["system:serviceaccount:a:*", "system:serviceaccount:b:*"] },
        StringEquals: aud,
      }),
      "no-wildcard-subject: The trust policy admits system:serviceaccount:b:*",
      { allowedSubjects: ["system:serviceaccount:a:*"] },
    ],
    [
      "FullAccess",
      {
        type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        props: { policyArn: "arn:aws:iam::aws:policy/AmazonS3FullAccess" },
      },
      "no-full-access: arn:aws:iam::aws:policy/AmazonS3FullAccess allows",
    ],
    [
      "AdministratorAccess on the role itself",
      {
        type: "aws:iam/role:Role",
        props: { managedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"] },
      },
      "no-full-access: arn:aws:iam::aws:policy/AdministratorAccess allows",
    ],
    [
      "Action: *",
      {
        type: "aws:iam/rolePolicy:RolePolicy",
        props: { policy: JSON.stringify({ Statement: { Effect: "Allow", Action: "*", Resource: "*" } }) },
      },
      "no-full-access: The policy allows *",
    ],
    [
      "Action: s3:* in a managed policy",
      {
        type: "aws:iam/policy:Policy",
        props: {
          policy: { Statement: [{ Effect: "Allow", Action: ["s3:GetObject", "s3:*"], Resource: "*" }] },
        },
      },
      "no-full-access: The policy allows s3:*",
    ],
    [
      "a service in capitals",
      anyone({ Effect: "Allow", Action: "S3:*", Resource: "*" }),
      "no-full-access: The policy allows S3:*",
    ],
    [
      "*:*",
      anyone({ Effect: "Allow", Action: "*:*", Resource: "*" }),
      "no-full-access: The policy allows *:*",
    ],
    [
      "all but a few actions",
      anyone({ Effect: "Allow", NotAction: ["iam:*", "sts:*"], Resource: "*" }),
      "no-full-access: The policy allows all but iam:*, sts:*",
    ],
    [
      "Action: * in a policy inside the role",
      role(
        {},
        {
          inlinePolicies: [
            { name: "all", policy: '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}' },
          ],
        },
      ),
      "no-full-access: The policy allows *",
    ],
    [
      "FullAccess in a list of attachments",
      {
        type: "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
        props: { policyArns: ["arn:aws-cn:iam::aws:policy/AmazonEC2FullAccess"] },
      },
      "no-full-access: arn:aws-cn:iam::aws:policy/AmazonEC2FullAccess allows",
    ],
    [
      "a role without boundary, where one is asked for",
      role({}),
      "permissions-boundary: The role has no permissions boundary",
      { requireBoundary: true },
    ],
    [
      "an image that runs by its tag",
      running(`${registry}/app:1.2`),
      `images-by-digest: The container app runs ${registry}/app:1.2 by a tag, which can be moved; name it by its digest`,
    ],
    [
      "an image that runs by the tag latest, unsaid, from a FIPS endpoint",
      running("111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com/app"),
      "images-by-digest: The container app runs",
    ],
    ["a pod that says nothing of its user", pod({}), "no-root: The container app may run as root"],
    ["user 0", pod({ runAsNonRoot: true, runAsUser: 0 }), "no-root: The container app may run as root"],
    [
      "a container that overrules its pod",
      pod({ runAsNonRoot: true }, { runAsNonRoot: false }),
      "no-root: The container app may run as root",
    ],
    [
      "an init container",
      {
        type: "kubernetes:core/v1:Pod",
        props: {
          spec: {
            initContainers: [{ name: "setup" }],
            containers: [{ name: "app", securityContext: { runAsNonRoot: true } }],
          },
        },
      },
      "no-root: The container setup may run as root",
    ],
    [
      "a CronJob",
      {
        type: "kubernetes:batch/v1:CronJob",
        props: { spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: "app" }] } } } } } },
      },
      "no-root: The container app may run as root",
    ],
    ["a StatefulSet too", pod({}, {}, "apps/v1:StatefulSet"), "no-root: The container app may run as root"],
  ];
  for (const [what, resource, violation, settings] of bad) {
    it(`stop ${what}, and find nothing else`, () => {
      const found = violations(resource, settings);
      const rule = violation.split(":")[0];
      expect(found[0]).to.contain(violation);
      expect(found.filter((one) => !one.startsWith(`${rule}:`))).to.deep.equal([]);
    });
  }

  const good: [what: string, resource: Resource, settings?: Settings][] = [
    [
      "a wildcard that is allowed",
      trusting({ StringLike: { [`${issuer}:sub`]: "system:serviceaccount:a:*" }, StringEquals: aud }),
      { allowedSubjects: ["system:serviceaccount:a:*"] },
    ],
    [
      "a role that a service assumes",
      role({
        Statement: [
          { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
    ],
    [
      "an image by its digest, with a tag for people",
      running(`${registry}/app:1.2@sha256:${"ab".repeat(32)}`),
    ],
    ["an image of somebody else by its tag", running("maven:3.9-eclipse-temurin-21")],
    ["a repository whose tags can be moved", { type: "aws:ecr/repository:Repository", props: {} }],
    [
      "a role with its boundary",
      role({}, { permissionsBoundary: "arn:aws:iam::111122223333:policy/b" }),
      { requireBoundary: true },
    ],
    [
      "a Deny of everything",
      {
        type: "aws:iam/rolePolicy:RolePolicy",
        props: { policy: { Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }] } },
      },
    ],
    [
      "a pattern for Pod Identity that is allowed",
      role(podIdentityTrustPolicy([{ namespace: like, serviceAccount: "b" }])),
      { allowedSubjects: ["system:serviceaccount:team-*:b"] },
    ],
    [
      "keys in other letters",
      trusting({
        stringequals: { [`${issuer.toUpperCase()}:SUB`]: "system:serviceaccount:a:b", ...aud },
      }),
    ],
    [
      "claims with a set operator that needs a value",
      trusting({ "ForAnyValue:StringEquals": { ...sub, ...aud } }),
    ],
    [
      "tokens of Cognito, which have claims of their own",
      role({
        Statement: [
          {
            Effect: "Allow",
            Principal: { Federated: "cognito-identity.amazonaws.com" },
            Action: "sts:AssumeRoleWithWebIdentity",
            Condition: { StringEquals: { "cognito-identity.amazonaws.com:aud": "eu-west-1:1" } },
          },
        ],
      }),
    ],
    [
      "a Deny for web identities",
      role({
        Statement: [
          {
            Effect: "Deny",
            Principal: { Federated: oidcProviderArn },
            Action: "sts:AssumeRoleWithWebIdentity",
          },
        ],
      }),
    ],
    [
      "a * that is not one in StringEquals",
      trusting({ StringEquals: { ...aud, [`${issuer}:sub`]: "system:serviceaccount:a:*" } }),
    ],
    [
      "all the verbs of one kind",
      anyone({ Effect: "Allow", Action: ["s3:Get*", "s3:List*"], Resource: "*" }),
    ],
    [
      "a policy that no role has",
      {
        type: "aws:s3/bucketPolicy:BucketPolicy",
        props: { policy: { Statement: { Effect: "Allow", Action: "*" } } },
      },
    ],
    [
      "an attachment whose policy is not known yet",
      { type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment", props: {} },
    ],
    ["a container that is stricter than its pod", pod({}, { runAsNonRoot: true })],
    ["a Deployment without containers yet", { type: "kubernetes:apps/v1:Deployment", props: {} }],
    ["a named user", pod({ runAsUser: 1000 })],
    [
      "a policy that is not known yet",
      { type: "aws:iam/rolePolicy:RolePolicy", props: { policy: undefined } },
    ],
    ["a resource that is none of its business", { type: "aws:s3/bucket:Bucket", props: {} }],
  ];
  for (const [what, resource, settings] of good) {
    it(`let ${what} through`, () => {
      expect(violations(resource, settings)).to.deep.equal([]);
    });
  }

  for (const environment of environments) {
    it(`find nothing in what Pulumi.${environment}.yaml makes`, async () => {
      const registered = await setMocks({ stack: environment, config: stackConfig(environment) });
      await program();
      await settled(registered);
      const settings = settingsFor(`urn:pulumi:${environment}::eks-irsa::a:b:C::d`);
      const found = registered.flatMap(({ type, inputs }) => violations({ type, props: inputs }, settings));
      expect(found).to.deep.equal([]);
      expect(registered).to.have.length.greaterThan(20);
    });
  }

  it("are enforced in prod and nowhere else, whatever a resource is called", () => {
    const enforced = (urn: string) => settingsFor(urn).enforced ?? false;
    expect(enforced("urn:pulumi:prod::eks-irsa::aws:iam/role:Role::a")).to.equal(true);
    expect(enforced("urn:pulumi:dev::eks-irsa::aws:iam/role:Role::prod")).to.equal(false);
    expect(enforced("urn:pulumi:dev::prod::aws:iam/role:Role::urn:pulumi:prod::x")).to.equal(false);
    expect(enforced("urn:pulumi:constructor::eks-irsa::aws:iam/role:Role::a")).to.equal(false);
    expect(enforced("")).to.equal(false);
  });

  it("take what the pack's configuration says over what the stack does", () => {
    const urn = "urn:pulumi:prod::eks-irsa::aws:iam/role:Role::a";
    expect(settingsFor(urn, { requireBoundary: true })).to.deep.equal({
      enforced: true,
      requireBoundary: true,
    });
  });
});
