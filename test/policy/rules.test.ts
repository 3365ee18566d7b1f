import { expect } from "chai";
import { trustPolicy } from "../../components/trust-policy";
import { program } from "../../index";
import { type Resource, rules, type Settings } from "../../policy/rules";
import { issuer, oidcProviderArn, setMocks, settled } from "../mocks";
import { environments, stackConfig } from "../stack-files";

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

  it("let through what the trust policy of this project says", () => {
    expect(
      violations(role(trustPolicy({ oidcProviderArn, namespace: "a", serviceAccount: "b" }))),
    ).to.deep.equal([]);
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
      "a role without boundary, where one is asked for",
      role({}),
      "permissions-boundary: The role has no permissions boundary",
      { requireBoundary: true },
    ],
    [
      "tags that move",
      { type: "aws:ecr/repository:Repository", props: { imageTagMutability: "MUTABLE" } },
      "immutable-image-tags: Tags of the repository can be moved",
    ],
    [
      "tags that move by default",
      { type: "aws:ecr/repository:Repository", props: {} },
      "immutable-image-tags: Tags of the repository can be moved",
    ],
    ["a pod that says nothing of its user", pod({}), "no-root: The container app may run as root"],
    ["user 0", pod({ runAsNonRoot: true, runAsUser: 0 }), "no-root: The container app may run as root"],
    [
      "a container that overrules its pod",
      pod({ runAsNonRoot: true }, { runAsNonRoot: false }),
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
      const found = registered.flatMap(({ type, inputs }) => violations({ type, props: inputs }));
      expect(found).to.deep.equal([]);
      expect(registered).to.have.length.greaterThan(20);
    });
  }
});
