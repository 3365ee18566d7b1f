import { createHash } from "node:crypto";
import { isIPv4 } from "node:net";
import { validateIdentityPolicy, validateTrustPolicy } from "@cloud-copilot/iam-policy";
import { violationsOf } from "../local/aws/model-rules.ts";
import type { Model, Models } from "../local/aws/models.ts";
import type { Registered } from "./mocks.ts";

// What AWS would say to what a program registers. Requests are judged by AWS's own models, policies by @cloud-copilot's
// reading of IAM's grammar. Of our own are only the rules that neither has, each with its source.

/** What an account lets a role have. */
export interface RoleQuotas {
  readonly policies: number;
  readonly trust: number;
}

type Inputs = Readonly<Record<string, unknown>>;

/** A call of a service that a resource ends in, in the words of its model. */
interface Call {
  readonly service: string;
  readonly operation: string;
  readonly input: Inputs;
}

const call = (service: string, operation: string, input: Inputs): Call => ({ service, operation, input });

/** As Pulumi's AWS provider names what has no name. */
const automatic = (name: string): string => `${name}-1234567`;
/** The name of a role or a policy: its own, one that AWS makes unique, or one that Pulumi does. */
export function nameGiven(resource: string, { name, namePrefix }: Inputs): string {
  const suffix = createHash("sha256").update(resource).digest("hex").slice(0, 26);
  return String(name ?? (namePrefix ? `${namePrefix}${suffix}` : automatic(resource)));
}

const tagList = (tags: unknown) =>
  tags && Object.entries(tags as Record<string, string>).map(([Key, Value]) => ({ Key, Value }));
/** Terraform's provider leaves out a map that is empty. */
const tagMap = (tags: unknown) => (Object.keys(tags ?? {}).length === 0 ? undefined : tags);

/** The calls that make a resource, as Terraform's AWS provider makes them. */
const callsOf: Readonly<Record<string, (inputs: Inputs, name: string) => readonly Call[]>> = {
  "aws:iam/role:Role": (inputs, name) => [
    call("iam", "CreateRole", {
      RoleName: nameGiven(name, inputs),
      Path: inputs.path,
      AssumeRolePolicyDocument: inputs.assumeRolePolicy,
      Description: inputs.description,
      MaxSessionDuration: inputs.maxSessionDuration,
      PermissionsBoundary: inputs.permissionsBoundary,
      Tags: tagList(inputs.tags),
    }),
  ],
  "aws:iam/rolePolicy:RolePolicy": (inputs) => [
    call("iam", "PutRolePolicy", {
      RoleName: inputs.role,
      PolicyName: inputs.name,
      PolicyDocument: inputs.policy,
    }),
  ],
  "aws:iam/policy:Policy": (inputs, name) => [
    call("iam", "CreatePolicy", {
      PolicyName: nameGiven(name, inputs),
      PolicyDocument: inputs.policy,
      Description: inputs.description,
      Tags: tagList(inputs.tags),
    }),
  ],
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (inputs) => [
    call("iam", "AttachRolePolicy", { RoleName: inputs.role, PolicyArn: inputs.policyArn }),
  ],
  "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": ({ roleName, policyArns }) =>
    (policyArns as string[]).map((PolicyArn) =>
      call("iam", "AttachRolePolicy", { RoleName: roleName, PolicyArn }),
    ),
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": (inputs) => [
    call("iam", "CreateOpenIDConnectProvider", {
      Url: inputs.url,
      ClientIDList: inputs.clientIdLists,
      Tags: tagList(inputs.tags),
    }),
  ],
  "eks:index:Cluster": (inputs) => [
    call("eks", "CreateCluster", {
      name: inputs.name,
      version: inputs.version,
      roleArn: "arn:aws:iam::111122223333:role/cluster",
      resourcesVpcConfig: {
        subnetIds: [inputs.subnetIds, inputs.publicSubnetIds, inputs.privateSubnetIds]
          .flat()
          .filter((one) => one !== undefined),
        endpointPublicAccess: inputs.endpointPublicAccess,
        endpointPrivateAccess: inputs.endpointPrivateAccess,
        publicAccessCidrs: inputs.publicAccessCidrs,
      },
      logging: { clusterLogging: [{ enabled: true, types: inputs.enabledClusterLogTypes }] },
      upgradePolicy: inputs.upgradePolicy,
      accessConfig: { authenticationMode: inputs.authenticationMode },
      deletionProtection: inputs.deletionProtection,
      tags: tagMap(inputs.tags),
    }),
  ],
  "aws:eks/nodeGroup:NodeGroup": (inputs, name) => [
    call("eks", "CreateNodegroup", {
      clusterName: inputs.clusterName,
      nodegroupName: automatic(name),
      scalingConfig: inputs.scalingConfig,
      subnets: inputs.subnetIds,
      instanceTypes: inputs.instanceTypes,
      amiType: inputs.amiType,
      nodeRole: inputs.nodeRoleArn,
      launchTemplate: inputs.launchTemplate,
      version: inputs.version,
      tags: tagMap(inputs.tags),
    }),
  ],
  "aws:eks/addon:Addon": (inputs) => [
    call("eks", "CreateAddon", {
      clusterName: inputs.clusterName,
      addonName: inputs.addonName,
      addonVersion: inputs.addonVersion,
      resolveConflicts: inputs.resolveConflictsOnCreate,
      tags: tagMap(inputs.tags),
    }),
  ],
  "aws:eks/accessEntry:AccessEntry": (inputs) => [
    call("eks", "CreateAccessEntry", {
      clusterName: inputs.clusterName,
      principalArn: inputs.principalArn,
      tags: tagMap(inputs.tags),
    }),
  ],
  "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": (inputs) => [
    call("eks", "AssociateAccessPolicy", { ...inputs }),
  ],
  "aws:eks/podIdentityAssociation:PodIdentityAssociation": (inputs) => [
    call("eks", "CreatePodIdentityAssociation", { ...inputs, tags: tagMap(inputs.tags) }),
  ],
  "aws:ecr/repository:Repository": (inputs, name) => [
    call("ecr", "CreateRepository", {
      repositoryName: automatic(name),
      imageTagMutability: inputs.imageTagMutability,
      imageScanningConfiguration: inputs.imageScanningConfiguration,
      encryptionConfiguration: (inputs.encryptionConfigurations as unknown[])[0],
      tags: tagList(inputs.tags),
    }),
  ],
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": (inputs) => [
    call("ecr", "PutLifecyclePolicy", {
      repositoryName: inputs.repository,
      lifecyclePolicyText: inputs.policy,
    }),
  ],
  "aws:cloudwatch/logGroup:LogGroup": (inputs) => [
    call("logs", "CreateLogGroup", { logGroupName: inputs.name, tags: tagMap(inputs.tags) }),
    call("logs", "PutRetentionPolicy", {
      logGroupName: inputs.name,
      retentionInDays: inputs.retentionInDays,
    }),
  ],
  "aws:ec2/launchTemplate:LaunchTemplate": (inputs, name) => [
    call("ec2", "CreateLaunchTemplate", {
      LaunchTemplateName: automatic(name),
      LaunchTemplateData: {
        TagSpecifications: (inputs.tagSpecifications as Inputs[] | undefined)?.map((one) => ({
          ResourceType: one.resourceType,
          Tags: tagList(one.tags),
        })),
      },
    }),
  ],
  "aws:ec2/securityGroupRule:SecurityGroupRule": (inputs) => [
    call("ec2", "AuthorizeSecurityGroupIngress", {
      GroupId: inputs.securityGroupId,
      IpPermissions: [
        {
          IpProtocol: inputs.protocol,
          FromPort: inputs.fromPort,
          ToPort: inputs.toPort,
          IpRanges: (inputs.cidrBlocks as string[] | undefined)?.map((CidrIp) => ({ CidrIp })),
          UserIdGroupPairs: inputs.sourceSecurityGroupId && [{ GroupId: inputs.sourceSecurityGroupId }],
        },
      ],
    }),
  ],
};

/** Services whose models are asked. */
const services = ["iam", "eks", "ecr", "logs", "ec2"] as const;

/** What would be refused of what was registered, a line each. The quotas are those of a component's role, by its name. */
export type Judge = (
  registered: readonly Registered[],
  quotas: (component: string) => RoleQuotas,
) => string[];

/** A judge; undefined where the models are not there. */
export async function awsJudge(models: Models): Promise<Judge | undefined> {
  const found = new Map<string, Model>();
  for (const service of services) {
    const model = await models(service);
    if (model === undefined) return undefined;
    found.set(service, model);
  }
  return (registered, quotas) => [
    ...registered.flatMap((one) => refusedByModels(one, found)),
    ...registered.flatMap(refusedByRules),
    ...overQuotas(registered, quotas),
    ...namedTwice(registered),
    ...associatedTwice(registered),
  ];
}

function refusedByModels({ type, name, inputs }: Registered, models: ReadonlyMap<string, Model>): string[] {
  if (!/^(aws|eks):/.test(type)) return [];
  const calls = callsOf[type];
  if (calls === undefined) return [`${name}: the judge knows no call that makes a ${type}`];
  return calls(inputs, name).flatMap(({ service, operation, input }) => {
    const model = models.get(service) as Model;
    const modelled = model.operations.find((one) => one.name === operation);
    if (modelled === undefined) return [`${name}: ${service} has no ${operation}`];
    return violationsOf(model, { operation: modelled, input }).map(
      ({ path, held, rule }) => `${name}: ${operation} ${path} ${held} ${JSON.stringify(rule)}`,
    );
  });
}

const length = (json: string): number => json.replace(/\s/g, "").length;

/** What the models do not say of a resource. */
function refusedByRules({ type, name, inputs }: Registered): string[] {
  const faults: string[] = [];
  const judge = (ok: boolean, what: string): void => {
    if (!ok) faults.push(`${name}: ${what}`);
  };
  // Source: "Tag naming limits and requirements", Tagging AWS Resources; TagRole, IAM API Reference.
  const tags = Object.entries((inputs.tags ?? {}) as Record<string, string>);
  judge(tags.length <= 50, `${tags.length} tags`);
  judge(new Set(tags.map(([key]) => key.toLowerCase())).size === tags.length, "tag keys of one spelling");
  for (const [key, value] of tags) judge(!/^aws:/i.test(key) && !/^aws:/i.test(value), `tag ${key} ${value}`);

  // Source: PolicyArn and PermissionsBoundary in "IAM identifiers", IAM User Guide: names and paths in ARNs have no blanks.
  const arns = [inputs.policyArn ?? [], inputs.policyArns ?? [], inputs.permissionsBoundary ?? []].flat();
  for (const arn of type.includes("accessPolicy") ? [] : arns) {
    judge(/^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\/[\x21-\x7e]+$/.test(String(arn)), `ARN ${arn}`);
  }
  const list = (inputs.policyArns ?? []) as string[];
  judge(new Set(list).size === list.length, "one ARN twice");
  // Source: "Network quotas" and VpcConfigRequest, Amazon EKS API Reference.
  const blocks = [inputs.publicAccessCidrs ?? [], inputs.cidrBlocks ?? []].flat() as string[];
  judge(blocks.length <= 40, `${blocks.length} blocks`);
  for (const block of blocks) judge(isBlock(block), `block ${block}`);

  if (typeof inputs.assumeRolePolicy === "string") faults.push(...malformed(name, inputs.assumeRolePolicy));
  if (typeof inputs.policy === "string" && type.startsWith("aws:iam/"))
    faults.push(...malformed(name, inputs.policy));
  return faults;
}

function isBlock(block: string): boolean {
  const [address = "", mask = "", ...more] = block.split("/");
  // Node.js refuses leading zeros.
  if (!isIPv4(address) || !/^\d{1,2}$/.test(mask) || more.length > 0) return false;
  const bits = address
    .split(".")
    .map((octet) => Number(octet).toString(2).padStart(8, "0"))
    .join("");
  return Number(mask) <= 32 && !bits.slice(Number(mask)).includes("1");
}

interface Statement {
  readonly Sid?: string;
  readonly Principal?: unknown;
  readonly Resource?: string | string[];
  readonly NotResource?: string | string[];
}

/** What IAM's grammar has against a policy. */
function malformed(name: string, json: string): string[] {
  const policy = JSON.parse(json) as { Statement: Statement[] };
  const isTrust = policy.Statement.some(({ Principal }) => Principal !== undefined);
  const errors = isTrust ? validateTrustPolicy(policy) : validateIdentityPolicy(policy);
  const faults = errors.map(({ path, message }) => `${name}: ${path} ${message}`);
  // Source: "IAM JSON policy elements: Sid" and "Resource", IAM User Guide. The library leaves both to others.
  const ids = policy.Statement.flatMap(({ Sid }) => (Sid ? [Sid] : []));
  if (!ids.every((id) => /^[A-Za-z0-9]+$/.test(id)) || new Set(ids).size < ids.length)
    faults.push(`${name}: Sid ${ids}`);
  if (policy.Statement.length === 0) faults.push(`${name}: no statement`);
  for (const one of policy.Statement.flatMap(({ Resource, NotResource }) => [
    Resource ?? [],
    NotResource ?? [],
  ]).flat()) {
    if (one !== "*" && !/^arn:[^:]+:[^:]+:/.test(one)) faults.push(`${name}: Resource ${one}`);
  }
  return faults;
}

/** What a role has too much of. Source: "IAM and AWS STS quotas", IAM User Guide. */
function overQuotas(registered: readonly Registered[], quotasOf: Parameters<Judge>[1]): string[] {
  const inlinedOf = new Map<unknown, number>();
  const attachedTo = new Map<unknown, number>();
  return registered.flatMap(({ type, name, inputs, parent }) => {
    const quotas = quotasOf(parent.replace(/^.*::/, ""));
    const over = (what: string, found: number, most: number) =>
      found > most ? [`${name}: ${what} of ${found}, over ${most}`] : [];
    switch (type) {
      case "aws:iam/role:Role":
        return over("trust policy", length(String(inputs.assumeRolePolicy)), quotas.trust);
      case "aws:iam/policy:Policy":
        return over("managed policy", length(String(inputs.policy)), 6144);
      case "aws:iam/rolePolicy:RolePolicy": {
        const sum = (inlinedOf.get(inputs.role) ?? 0) + length(String(inputs.policy));
        inlinedOf.set(inputs.role, sum);
        return over("inline policies", sum, 10_240);
      }
      case "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
        const count = (attachedTo.get(inputs.role) ?? 0) + 1;
        attachedTo.set(inputs.role, count);
        return over("managed policies", count, quotas.policies);
      }
      case "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive":
        return over("managed policies", (inputs.policyArns as string[]).length, quotas.policies);
      default:
        return [];
    }
  });
}

/** Resources that the engine would take for one: their URNs are of the types of their parents, their own, and their name. */
function namedTwice(registered: readonly Registered[]): string[] {
  const seen = new Set<string>();
  return registered.flatMap(({ type, name, parent }) => {
    const urn = `${parent.split("::")[2] ?? ""}$${type}::${name}`;
    if (seen.has(urn)) return [`${name}: there is a ${type} of this name already`];
    seen.add(urn);
    return [];
  });
}

/** Source: ResourceInUseException, CreatePodIdentityAssociation, Amazon EKS API Reference. */
function associatedTwice(registered: readonly Registered[]): string[] {
  const seen = new Set<string>();
  return registered.flatMap(({ type, name, inputs: { namespace, serviceAccount } }) => {
    if (!type.endsWith(":PodIdentityAssociation")) return [];
    const account = `${namespace}/${serviceAccount}`;
    if (seen.has(account)) return [`${name}: ${account} has an association already`];
    seen.add(account);
    return [];
  });
}
