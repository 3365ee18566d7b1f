import {
  AddClientIDToOpenIDConnectProviderCommand,
  AttachRolePolicyCommand,
  DeleteOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListRoleTagsCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  TagOpenIDConnectProviderCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
  type UpdateRoleCommandInput,
} from "@aws-sdk/client-iam";
import { absent, app, type Drift, lastPart, namespace, type Target, tagsOf } from "./target.ts";

const roleName = (target: Target, binding: string) => lastPart(target.roleArn(binding));

const role = async (target: Target, binding: string) =>
  (await target.live.iam().send(new GetRoleCommand({ RoleName: roleName(target, binding) }))).Role;

const trust = async (target: Target, binding: string) =>
  JSON.parse(decodeURIComponent((await role(target, binding))?.AssumeRolePolicyDocument ?? ""));

const boundary = async (target: Target, binding: string) =>
  (await role(target, binding))?.PermissionsBoundary?.PermissionsBoundaryArn;

const roleTags = async (target: Target, binding: string) =>
  tagsOf(
    (await target.live.iam().send(new ListRoleTagsCommand({ RoleName: roleName(target, binding) }))).Tags,
  );

async function attached(target: Target, binding: string) {
  const RoleName = roleName(target, binding);
  const { AttachedPolicies } = await target.live
    .iam()
    .send(new ListAttachedRolePoliciesCommand({ RoleName }));
  return (AttachedPolicies ?? []).map(({ PolicyName }) => PolicyName).sort();
}

async function inline(target: Target, binding: string, PolicyName: string) {
  const found = await target.live
    .iam()
    .send(new GetRolePolicyCommand({ RoleName: roleName(target, binding), PolicyName }))
    .catch(absent);
  return found && JSON.parse(decodeURIComponent(found.PolicyDocument ?? ""));
}

const oidcProviderArn = (target: Target) => target.output("oidcProviderArn");

const theOidcProvider = (target: Target) =>
  target.live
    .iam()
    .send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: oidcProviderArn(target) }))
    .catch(absent);

const trustIn = (target: Target, binding: string, PolicyDocument: string) =>
  target.live
    .iam()
    .send(new UpdateAssumeRolePolicyCommand({ RoleName: roleName(target, binding), PolicyDocument }));

const putBoundary = (target: Target, binding: string, PermissionsBoundary: string) =>
  target.live
    .iam()
    .send(
      new PutRolePermissionsBoundaryCommand({ RoleName: roleName(target, binding), PermissionsBoundary }),
    );

/** IAM forgets what an update does not name: so the rest is said as it is. */
async function updateRole(
  target: Target,
  binding: string,
  change: Omit<UpdateRoleCommandInput, "RoleName">,
): Promise<void> {
  const now = await role(target, binding);
  await target.live.iam().send(
    new UpdateRoleCommand({
      RoleName: roleName(target, binding),
      Description: now?.Description,
      MaxSessionDuration: now?.MaxSessionDuration,
      ...change,
    }),
  );
}

const tagRole = (target: Target, binding: string, Key: string, Value: string) =>
  target.live.iam().send(new TagRoleCommand({ RoleName: roleName(target, binding), Tags: [{ Key, Value }] }));

async function deleteRole(target: Target, binding: string): Promise<void> {
  const RoleName = roleName(target, binding);
  const policies = await target.live.iam().send(new ListAttachedRolePoliciesCommand({ RoleName }));
  for (const { PolicyArn } of policies.AttachedPolicies ?? []) {
    await target.live.iam().send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
  }
  await target.live.iam().send(new DeleteRoleCommand({ RoleName }));
}

const trustsEc2 = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const allowsEverything = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
});

export const roles: readonly Drift[] = [
  {
    what: "trust policy",
    resource: `${app}-role`,
    property: "assumeRolePolicy",
    read: (target) => trust(target, "drift/app"),
    change: (target) => trustIn(target, "drift/app", trustsEc2),
  },
  {
    what: "trust policy of the lister: another ServiceAccount admitted",
    resource: "s3-irsa-role",
    property: "assumeRolePolicy",
    read: (target) => trust(target, "lister"),
    change: async (target) => {
      const policy = JSON.stringify(await trust(target, "lister"));
      await trustIn(target, "lister", policy.replace("s3-irsa:s3-irsa", "s3-irsa:thief"));
    },
  },
  {
    what: "longest session",
    resource: `${app}-role`,
    property: "maxSessionDuration",
    read: async (target) => (await role(target, "drift/app"))?.MaxSessionDuration,
    change: (target) => updateRole(target, "drift/app", { MaxSessionDuration: 43_200 }),
  },
  {
    what: "description",
    resource: `${app}-role`,
    property: "description",
    read: async (target) => (await role(target, "drift/app"))?.Description,
    change: (target) => updateRole(target, "drift/app", { Description: "changed by hand" }),
  },
  {
    what: "permissions boundary replaced",
    resource: `${app}-role`,
    property: "permissionsBoundary",
    read: (target) => boundary(target, "drift/app"),
    change: (target) => putBoundary(target, "drift/app", "arn:aws:iam::aws:policy/AdministratorAccess"),
  },
  {
    what: "permissions boundary put where none belongs",
    resource: "s3-irsa-role",
    property: "permissionsBoundary",
    read: (target) => boundary(target, "lister"),
    change: (target) => putBoundary(target, "lister", "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"),
  },
  {
    what: "role tag changed",
    resource: `${app}-role`,
    property: "tags.environment",
    read: (target) => roleTags(target, "drift/app"),
    change: (target) => tagRole(target, "drift/app", "environment", "prod"),
  },
  {
    what: "role tag added",
    resource: `${namespace}.gone-role`,
    property: "tags.extra",
    read: (target) => roleTags(target, "drift/gone"),
    change: (target) => tagRole(target, "drift/gone", "extra", "1"),
  },
  {
    what: "role tag removed",
    resource: "s3-irsa-role",
    property: "tags",
    read: (target) => roleTags(target, "lister"),
    change: (target) =>
      target.live
        .iam()
        .send(new UntagRoleCommand({ RoleName: roleName(target, "lister"), TagKeys: ["environment"] })),
  },
  {
    what: "inline policy's content",
    resource: `${app}-queue`,
    property: "policy",
    read: (target) => inline(target, "drift/app", "queue"),
    change: (target) =>
      target.live.iam().send(
        new PutRolePolicyCommand({
          RoleName: roleName(target, "drift/app"),
          PolicyName: "queue",
          PolicyDocument: allowsEverything,
        }),
      ),
  },
  {
    what: "managed policy detached",
    resource: `${app}-managed-policies`,
    property: "policyArns",
    read: (target) => attached(target, "drift/app"),
    change: (target) =>
      target.live.iam().send(
        new DetachRolePolicyCommand({
          RoleName: roleName(target, "drift/app"),
          PolicyArn: "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess",
        }),
      ),
  },
  {
    what: "managed policy attached",
    resource: "s3-irsa-managed-policies",
    property: "policyArns",
    read: (target) => attached(target, "lister"),
    change: (target) =>
      target.live.iam().send(
        new AttachRolePolicyCommand({
          RoleName: roleName(target, "lister"),
          PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
        }),
      ),
  },
];

export const oidcProvider: readonly Drift[] = [
  {
    what: "OIDC provider: audience removed",
    resource: "cluster-cluster-oidcProvider",
    property: "clientIdLists",
    read: async (target) => (await theOidcProvider(target))?.ClientIDList,
    change: async (target) => {
      const OpenIDConnectProviderArn = oidcProviderArn(target);
      await target.live
        .iam()
        .send(
          new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, ClientID: "sigstore" }),
        );
      await target.live.iam().send(
        new RemoveClientIDFromOpenIDConnectProviderCommand({
          OpenIDConnectProviderArn,
          ClientID: "sts.amazonaws.com",
        }),
      );
    },
  },
  {
    what: "OIDC provider: tag added",
    resource: "cluster-cluster-oidcProvider",
    property: "tags.extra",
    read: async (target) => tagsOf((await theOidcProvider(target))?.Tags),
    change: (target) =>
      target.live.iam().send(
        new TagOpenIDConnectProviderCommand({
          OpenIDConnectProviderArn: oidcProviderArn(target),
          Tags: [{ Key: "extra", Value: "1" }],
        }),
      ),
  },
];

export const deletions: readonly Drift[] = [
  {
    what: "role deleted, with its policies",
    resource: `${namespace}.gone-role`,
    read: async (target) => {
      const found = await target.live
        .iam()
        .send(new GetRoleCommand({ RoleName: roleName(target, "drift/gone") }))
        .catch(absent);
      return (
        found && {
          trust: await trust(target, "drift/gone"),
          attached: await attached(target, "drift/gone"),
        }
      );
    },
    change: (target) => deleteRole(target, "drift/gone"),
  },
  {
    what: "inline policy deleted",
    resource: `${app}-queue`,
    read: (target) => inline(target, "drift/app", "queue"),
    change: (target) =>
      target.live
        .iam()
        .send(new DeleteRolePolicyCommand({ RoleName: roleName(target, "drift/app"), PolicyName: "queue" })),
  },
  {
    what: "OIDC provider deleted",
    resource: "cluster-cluster-oidcProvider",
    read: async (target) => (await theOidcProvider(target))?.ClientIDList,
    change: (target) =>
      target.live
        .iam()
        .send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: oidcProviderArn(target) })),
  },
];
