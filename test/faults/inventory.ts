import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as ec2 from "@aws-sdk/client-ec2";
import * as ecr from "@aws-sdk/client-ecr";
import * as eks from "@aws-sdk/client-eks";
import * as iam from "@aws-sdk/client-iam";
import type { KubernetesObject, Live } from "./live.ts";

/** Everything that a stack can have made, by kind and name: what two runs of one program must have in common. */
export type Inventory = Readonly<Record<string, unknown>>;

/** Namespaces that Kubernetes has by itself, and that of local's proofs, whose end they do not wait for. */
const notOfStacks = /^(default|kube-system|kube-public|kube-node-lease|proof-[0-9a-f]+)$/;

/** What there is in AWS and Kubernetes. Random digits of names, ids and times are left out. */
export async function inventory(live: Live): Promise<Inventory> {
  const parts = await Promise.all(
    [roles, providers, repositories, clusters, logGroups, launchTemplates, kubernetes].map((part) =>
      part(live),
    ),
  );
  return Object.assign({}, ...parts.map((part) => withoutRandomDigits(part)));
}

/** Seven behind a dash in names, and ids of AWS. */
const withoutRandomDigits = (found: unknown): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(found)
      .replaceAll(/-[0-9a-f]{7}(?![0-9a-z-])/g, "-*")
      .replaceAll(/\blt-[0-9a-f]+/g, "lt-*"),
  ) as Record<string, unknown>;

const tagsOf = (list: readonly { Key?: string; Value?: string }[] | undefined) =>
  sorted(Object.fromEntries((list ?? []).map(({ Key = "", Value }) => [Key, Value])));

const sorted = (values: Record<string, unknown> | undefined) =>
  Object.fromEntries(Object.entries(values ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));

async function roles(live: Live) {
  const client = live.iam();
  const { Roles = [], IsTruncated } = await client.send(new iam.ListRolesCommand({ MaxItems: 1000 }));
  if (IsTruncated) throw new Error("there are more than 1,000 roles");
  const found: Record<string, unknown> = {};
  for (const { RoleName = "" } of Roles) {
    const { Role } = await client.send(new iam.GetRoleCommand({ RoleName }));
    const { AttachedPolicies } = await client.send(new iam.ListAttachedRolePoliciesCommand({ RoleName }));
    const { PolicyNames = [] } = await client.send(new iam.ListRolePoliciesCommand({ RoleName }));
    const inline: Record<string, unknown> = {};
    for (const PolicyName of PolicyNames) {
      const policy = await client.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName }));
      inline[PolicyName] = decodeURIComponent(policy.PolicyDocument ?? "");
    }
    const entry = {
      path: Role?.Path,
      trust: decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ""),
      description: Role?.Description,
      maxSession: Role?.MaxSessionDuration,
      boundary: Role?.PermissionsBoundary?.PermissionsBoundaryArn,
      tags: tagsOf((await client.send(new iam.ListRoleTagsCommand({ RoleName }))).Tags),
      attached: (AttachedPolicies ?? []).map(({ PolicyArn }) => PolicyArn).sort(),
      inline: sorted(inline),
    };
    found[unique(found, `role ${RoleName.replace(/-[0-9a-f]{7}$/, "")}`)] = entry;
  }
  const { Policies = [] } = await client.send(new iam.ListPoliciesCommand({ Scope: "Local" }));
  for (const { PolicyName } of Policies) found[unique(found, `policy ${PolicyName}`)] = {};
  return found;
}

/** A second thing of one name is one too many, and must show. */
function unique(found: Record<string, unknown>, name: string): string {
  let free = name;
  for (let number = 2; free in found; number++) free = `${name} (${number})`;
  return free;
}

async function providers(live: Live) {
  const client = live.iam();
  const { OpenIDConnectProviderList = [] } = await client.send(new iam.ListOpenIDConnectProvidersCommand({}));
  const found: Record<string, unknown> = {};
  for (const { Arn } of OpenIDConnectProviderList) {
    const one = await client.send(new iam.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: Arn }));
    found[`OIDC provider ${one.Url}`] = {
      audiences: one.ClientIDList,
      thumbprints: one.ThumbprintList,
      tags: tagsOf(one.Tags),
    };
  }
  return found;
}

async function repositories(live: Live) {
  const client = live.ecr();
  const { repositories: all = [] } = await client.send(new ecr.DescribeRepositoriesCommand({}));
  const found: Record<string, unknown> = {};
  for (const one of all) {
    const lifecycle = await client
      .send(new ecr.GetLifecyclePolicyCommand({ repositoryName: one.repositoryName }))
      .catch(() => undefined);
    const { tags } = await client.send(
      new ecr.ListTagsForResourceCommand({ resourceArn: one.repositoryArn }),
    );
    found[unique(found, `repository ${one.repositoryName?.replace(/-[0-9a-f]{7}$/, "")}`)] = {
      mutability: one.imageTagMutability,
      scan: one.imageScanningConfiguration?.scanOnPush,
      encryption: one.encryptionConfiguration?.encryptionType,
      lifecycle: lifecycle?.lifecyclePolicyText,
      tags: tagsOf(tags),
    };
  }
  return found;
}

async function clusters(live: Live) {
  const client = live.eks();
  const found: Record<string, unknown> = {};
  for (const name of (await client.send(new eks.ListClustersCommand({}))).clusters ?? []) {
    const { cluster } = await client.send(new eks.DescribeClusterCommand({ name }));
    found[`cluster ${name}`] = {
      version: cluster?.version,
      role: cluster?.roleArn,
      logging: cluster?.logging?.clusterLogging,
      public: cluster?.resourcesVpcConfig?.publicAccessCidrs,
      tags: sorted(cluster?.tags),
    };
    const { nodegroups = [] } = await client.send(new eks.ListNodegroupsCommand({ clusterName: name }));
    for (const nodegroupName of nodegroups) {
      const { nodegroup } = await client.send(
        new eks.DescribeNodegroupCommand({ clusterName: name, nodegroupName }),
      );
      found[unique(found, `node group ${nodegroupName.replace(/-[0-9a-f]{7}$/, "")}`)] = {
        role: nodegroup?.nodeRole,
        scaling: nodegroup?.scalingConfig,
        tags: sorted(nodegroup?.tags),
      };
    }
    const { associations = [] } = await client.send(
      new eks.ListPodIdentityAssociationsCommand({ clusterName: name }),
    );
    for (const { namespace, serviceAccount } of associations) {
      found[unique(found, `association ${namespace}/${serviceAccount}`)] = {};
    }
    for (const addon of (await client.send(new eks.ListAddonsCommand({ clusterName: name }))).addons ?? []) {
      found[`add-on ${addon}`] = {};
    }
  }
  return found;
}

async function logGroups(live: Live) {
  const { logGroups: all = [] } = await live.logs().send(new logs.DescribeLogGroupsCommand({}));
  return Object.fromEntries(
    all.map((one) => [`log group ${one.logGroupName}`, { retention: one.retentionInDays }]),
  );
}

/** What their default versions say; the number of versions grows with each change, there and back. */
async function launchTemplates(live: Live) {
  const client = live.ec2();
  const { LaunchTemplates = [] } = await client.send(new ec2.DescribeLaunchTemplatesCommand({}));
  const found: Record<string, unknown> = {};
  for (const { LaunchTemplateId, LaunchTemplateName } of LaunchTemplates) {
    const { LaunchTemplateVersions = [] } = await client.send(
      new ec2.DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions: ["$Default"] }),
    );
    found[unique(found, `launch template ${LaunchTemplateName?.replace(/-[0-9a-f]{7}$/, "")}`)] =
      LaunchTemplateVersions[0]?.LaunchTemplateData;
  }
  return found;
}

async function kubernetes(live: Live) {
  const { items } = JSON.parse(
    await live.kubectl("get", "namespaces,serviceaccounts,deployments", "--all-namespaces", "-o", "json"),
  ) as { items: KubernetesObject[] };
  const found: Record<string, unknown> = {};
  for (const { kind, metadata, spec, automountServiceAccountToken } of items) {
    const namespace = kind === "Namespace" ? metadata.name : metadata.namespace;
    // Every namespace has an account of this name.
    if (notOfStacks.test(namespace) || (kind === "ServiceAccount" && metadata.name === "default")) continue;
    const { "deployment.kubernetes.io/revision": _, ...annotations } = metadata.annotations ?? {};
    found[`${kind} ${[metadata.namespace, metadata.name].filter(Boolean).join("/")}`] = {
      annotations,
      labels: metadata.labels,
      automountServiceAccountToken,
      spec: kind === "Deployment" ? spec : undefined,
    };
  }
  return found;
}
