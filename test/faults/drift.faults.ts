import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as ec2 from "@aws-sdk/client-ec2";
import * as ecr from "@aws-sdk/client-ecr";
import * as eks from "@aws-sdk/client-eks";
import * as iam from "@aws-sdk/client-iam";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { expect } from "chai";
import type { ProgramStack } from "../../automation/index.ts";
import { type KubernetesObject, Live, nameOf, type Step, stepsOf } from "./live.ts";
import { Tally } from "./run.ts";

// Every attribute that matters, changed or deleted behind the engine's back: a refresh finds each, an `up` mends each.
// Changes that do not get in each other's way share a refresh and an `up`; each is looked at by itself.

interface Drift {
  readonly what: string;
  /** The resource, by its name in the program. */
  readonly resource: string;
  /** Path of the property that a refresh must name; the resource is deleted where there is none. */
  readonly property?: string;
  /** How it is without the change, and again after the `up`. */
  readonly live: () => Promise<unknown>;
  readonly change: () => Promise<unknown>;
}

const namespace = "drift";
const bindings = JSON.stringify([
  {
    namespace,
    serviceAccount: "app",
    createNamespace: true,
    policies: [
      "AmazonS3ReadOnlyAccess",
      "AmazonSQSReadOnlyAccess",
      {
        name: "queue",
        document: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: "*" }],
        },
      },
    ],
    role: {
      maxSessionDuration: 7200,
      description: "as it should be",
      permissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess",
    },
    labels: { team: "a", tier: "one" },
  },
  { namespace, serviceAccount: "gone", policies: ["AmazonS3ReadOnlyAccess"] },
  { namespace, serviceAccount: "pod-identity", policies: [], identity: "pod-identity" },
]);
const cluster = "eks-irsa";

describe("drift", function () {
  this.timeout("15m");

  const tally = new Tally("drift");
  let live: Live;
  let stack: ProgramStack;
  let roles: Record<string, string>;
  let outputs: Record<string, string>;

  const up = async (): Promise<void> => {
    const done = await stack.up();
    roles = done.outputs.bindings?.value as Record<string, string>;
    outputs = Object.fromEntries(
      Object.entries(done.outputs).map(([name, { value }]) => [name, String(value)]),
    );
  };
  before(async () => {
    live = await Live.up();
    stack = await live.open(
      `bindings=${bindings}`,
      'cluster.logs={"types":["api","audit"],"retentionDays":7}',
      'cluster.endpoint={"allowedCidrs":["203.0.113.0/24"]}',
    );
    await up();
  });
  after(async () => {
    tally.print();
    stack = await live.open();
    await stack.up();
  });

  // ---- how things are

  const last = (arn: string | undefined) => (arn ?? "").replace(/^.*\//, "");
  const roleName = (binding: string) => last(binding === "lister" ? outputs.roleArn : roles[binding]);
  const role = async (binding: string) =>
    (await live.iam().send(new iam.GetRoleCommand({ RoleName: roleName(binding) }))).Role;
  const trust = async (binding: string) =>
    JSON.parse(decodeURIComponent((await role(binding))?.AssumeRolePolicyDocument ?? ""));
  const tagsOf = (list: { Key?: string; Value?: string }[] | undefined) =>
    Object.fromEntries((list ?? []).map(({ Key = "", Value }) => [Key, Value]));
  const roleTags = async (binding: string) =>
    tagsOf((await live.iam().send(new iam.ListRoleTagsCommand({ RoleName: roleName(binding) }))).Tags);
  const attached = async (binding: string) =>
    (
      (await live.iam().send(new iam.ListAttachedRolePoliciesCommand({ RoleName: roleName(binding) })))
        .AttachedPolicies ?? []
    )
      .map(({ PolicyName }) => PolicyName)
      .sort();
  const inline = async (binding: string, PolicyName: string) => {
    const found = await live
      .iam()
      .send(new iam.GetRolePolicyCommand({ RoleName: roleName(binding), PolicyName }))
      .catch(absent);
    return found && JSON.parse(decodeURIComponent(found.PolicyDocument ?? ""));
  };
  const absent = (error: Error): undefined => {
    if (!/NoSuchEntity|NotFound/.test(error.name)) throw error;
  };
  const provider = () => outputs.oidcProviderArn ?? "";
  const oidcProvider = async () =>
    live
      .iam()
      .send(new iam.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: provider() }))
      .catch(absent);
  const repository = () => last(outputs.repositoryUrl);
  const theRepository = async () =>
    (
      await live
        .ecr()
        .send(new ecr.DescribeRepositoriesCommand({ repositoryNames: [repository()] }))
        .catch(absent)
    )?.repositories?.[0];
  const lifecycle = async () => {
    const found = await live
      .ecr()
      .send(new ecr.GetLifecyclePolicyCommand({ repositoryName: repository() }))
      .catch(absent);
    return found && JSON.parse(found.lifecyclePolicyText ?? "");
  };
  const logGroupName = `/aws/eks/${cluster}/cluster`;
  const logGroup = async () =>
    (
      await live.logs().send(new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }))
    ).logGroups?.find((one) => one.logGroupName === logGroupName);
  const theCluster = async () =>
    (await live.eks().send(new eks.DescribeClusterCommand({ name: cluster }))).cluster;
  const enabledLogs = async () =>
    (await theCluster())?.logging?.clusterLogging?.find(({ enabled }) => enabled)?.types?.sort();
  const nodeGroupName = async () =>
    (await live.eks().send(new eks.ListNodegroupsCommand({ clusterName: cluster }))).nodegroups?.[0];
  const nodeGroup = async () => {
    const nodegroupName = await nodeGroupName();
    if (nodegroupName === undefined) return undefined;
    return (await live.eks().send(new eks.DescribeNodegroupCommand({ clusterName: cluster, nodegroupName })))
      .nodegroup;
  };
  const launchTemplate = async () =>
    (await live.ec2().send(new ec2.DescribeLaunchTemplatesCommand({}))).LaunchTemplates?.find(
      ({ LaunchTemplateName }) => LaunchTemplateName?.startsWith("cluster-nodes-"),
    );
  const hopLimit = async () => {
    const { LaunchTemplateId } = (await launchTemplate()) ?? {};
    const { LaunchTemplateVersions } = await live
      .ec2()
      .send(new ec2.DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions: ["$Default"] }));
    return LaunchTemplateVersions?.[0]?.LaunchTemplateData?.MetadataOptions?.HttpPutResponseHopLimit;
  };
  const associations = async () =>
    (
      await live.eks().send(new eks.ListPodIdentityAssociationsCommand({ clusterName: cluster }))
    ).associations?.map(({ serviceAccount }) => serviceAccount);
  const account = (name: string) =>
    live.object("serviceaccount", name === "s3-irsa" ? "s3-irsa" : namespace, name);
  const metadata = async (name: string) => (await account(name))?.metadata as KubernetesObject | undefined;
  const deployment = async (): Promise<KubernetesObject> =>
    (await live.object("deployment", "s3-irsa", "s3-lister")) ?? {};
  const pod = async (): Promise<KubernetesObject> => (await deployment()).spec.template.spec;
  const container = async (): Promise<KubernetesObject> => (await pod()).containers[0];

  // ---- how they are changed

  const patchRole = (binding: string, change: Omit<iam.UpdateRoleCommandInput, "RoleName">) =>
    role(binding).then((now) =>
      live.iam().send(
        new iam.UpdateRoleCommand({
          RoleName: roleName(binding),
          Description: now?.Description,
          MaxSessionDuration: now?.MaxSessionDuration,
          ...change,
        }),
      ),
    );
  const elsewhere = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
  });
  const everything = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
  });
  const patchDeployment = (path: string, value: unknown) =>
    live.kubectl(
      ...["patch", "deployment", "-n", "s3-irsa", "s3-lister", "--type=json", "-p"],
      JSON.stringify([{ op: "replace", path, value }]),
    );
  const inContainer = (path: string, value: unknown) =>
    patchDeployment(`/spec/template/spec/containers/0/${path}`, value);
  const inAccount = (name: string, patch: object) =>
    live.kubectl(
      ...["patch", "serviceaccount", "-n", name === "s3-irsa" ? "s3-irsa" : namespace, name],
      ...["--type=merge", "-p", JSON.stringify(patch)],
    );
  const configure = (change: Omit<eks.UpdateClusterConfigCommandInput, "name">) =>
    live.eks().send(new eks.UpdateClusterConfigCommand({ name: cluster, ...change }));
  const configureNodes = async (change: Partial<eks.UpdateNodegroupConfigCommandInput>) =>
    live.eks().send(
      new eks.UpdateNodegroupConfigCommand({
        clusterName: cluster,
        nodegroupName: await nodeGroupName(),
        ...change,
      }),
    );
  async function deleteRole(binding: string): Promise<void> {
    const RoleName = roleName(binding);
    const policies = await live.iam().send(new iam.ListAttachedRolePoliciesCommand({ RoleName }));
    for (const { PolicyArn } of policies.AttachedPolicies ?? []) {
      await live.iam().send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn }));
    }
    await live.iam().send(new iam.DeleteRoleCommand({ RoleName }));
  }

  // ---- the table

  const app = `${namespace}.app`;
  const roleDrift: Drift[] = [
    {
      what: "trust policy",
      resource: `${app}-role`,
      property: "assumeRolePolicy",
      live: () => trust("drift/app"),
      change: () =>
        live.iam().send(
          new iam.UpdateAssumeRolePolicyCommand({
            RoleName: roleName("drift/app"),
            PolicyDocument: elsewhere,
          }),
        ),
    },
    {
      what: "trust policy of the lister: another ServiceAccount admitted",
      resource: "s3-irsa-role",
      property: "assumeRolePolicy",
      live: () => trust("lister"),
      change: async () => {
        const policy = JSON.stringify(await trust("lister")).replace("s3-irsa:s3-irsa", "s3-irsa:thief");
        await live
          .iam()
          .send(
            new iam.UpdateAssumeRolePolicyCommand({ RoleName: roleName("lister"), PolicyDocument: policy }),
          );
      },
    },
    {
      what: "longest session",
      resource: `${app}-role`,
      property: "maxSessionDuration",
      live: async () => (await role("drift/app"))?.MaxSessionDuration,
      change: () => patchRole("drift/app", { MaxSessionDuration: 43_200 }),
    },
    {
      what: "description",
      resource: `${app}-role`,
      property: "description",
      live: async () => (await role("drift/app"))?.Description,
      change: () => patchRole("drift/app", { Description: "changed by hand" }),
    },
    {
      what: "permissions boundary replaced",
      resource: `${app}-role`,
      property: "permissionsBoundary",
      live: async () => (await role("drift/app"))?.PermissionsBoundary?.PermissionsBoundaryArn,
      change: () =>
        live.iam().send(
          new iam.PutRolePermissionsBoundaryCommand({
            RoleName: roleName("drift/app"),
            PermissionsBoundary: "arn:aws:iam::aws:policy/AdministratorAccess",
          }),
        ),
    },
    {
      what: "permissions boundary put where none belongs",
      resource: "s3-irsa-role",
      property: "permissionsBoundary",
      live: async () => (await role("lister"))?.PermissionsBoundary?.PermissionsBoundaryArn,
      change: () =>
        live.iam().send(
          new iam.PutRolePermissionsBoundaryCommand({
            RoleName: roleName("lister"),
            PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess",
          }),
        ),
    },
    {
      what: "role tag changed",
      resource: `${app}-role`,
      property: "tags.environment",
      live: () => roleTags("drift/app"),
      change: () =>
        live.iam().send(
          new iam.TagRoleCommand({
            RoleName: roleName("drift/app"),
            Tags: [{ Key: "environment", Value: "prod" }],
          }),
        ),
    },
    {
      what: "role tag added",
      resource: `${namespace}.gone-role`,
      property: "tags.extra",
      live: () => roleTags("drift/gone"),
      change: () =>
        live.iam().send(
          new iam.TagRoleCommand({
            RoleName: roleName("drift/gone"),
            Tags: [{ Key: "extra", Value: "1" }],
          }),
        ),
    },
    {
      what: "role tag removed",
      resource: "s3-irsa-role",
      property: "tags",
      live: () => roleTags("lister"),
      change: () =>
        live.iam().send(new iam.UntagRoleCommand({ RoleName: roleName("lister"), TagKeys: ["environment"] })),
    },
    {
      what: "inline policy's content",
      resource: `${app}-queue`,
      property: "policy",
      live: () => inline("drift/app", "queue"),
      change: () =>
        live.iam().send(
          new iam.PutRolePolicyCommand({
            RoleName: roleName("drift/app"),
            PolicyName: "queue",
            PolicyDocument: everything,
          }),
        ),
    },
    {
      what: "attachment removed",
      resource: `${app}-AmazonSQSReadOnlyAccess`,
      live: () => attached("drift/app"),
      change: () =>
        live.iam().send(
          new iam.DetachRolePolicyCommand({
            RoleName: roleName("drift/app"),
            PolicyArn: "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess",
          }),
        ),
    },
  ];
  const oidcDrift: Drift[] = [
    {
      what: "OIDC provider: audience removed",
      resource: "cluster-cluster-oidcProvider",
      property: "clientIdLists",
      live: async () => (await oidcProvider())?.ClientIDList,
      change: async () => {
        const OpenIDConnectProviderArn = provider();
        await live.iam().send(
          new iam.AddClientIDToOpenIDConnectProviderCommand({
            OpenIDConnectProviderArn,
            ClientID: "sigstore",
          }),
        );
        await live.iam().send(
          new iam.RemoveClientIDFromOpenIDConnectProviderCommand({
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
      live: async () => tagsOf((await oidcProvider())?.Tags),
      change: () =>
        live.iam().send(
          new iam.TagOpenIDConnectProviderCommand({
            OpenIDConnectProviderArn: provider(),
            Tags: [{ Key: "extra", Value: "1" }],
          }),
        ),
    },
  ];
  const accountDrift: Drift[] = [
    {
      what: "ServiceAccount: another role in the annotation",
      resource: `${app}-service-account`,
      property: 'metadata.annotations["eks.amazonaws.com/role-arn"]',
      live: async () => (await metadata("app"))?.annotations,
      change: () =>
        inAccount("app", {
          metadata: { annotations: { "eks.amazonaws.com/role-arn": roles["drift/gone"] } },
        }),
    },
    {
      what: "ServiceAccount: annotation removed",
      resource: "s3-irsa-service-account",
      property: 'metadata.annotations["eks.amazonaws.com/role-arn"]',
      live: async () => (await metadata("s3-irsa"))?.annotations,
      change: () =>
        inAccount("s3-irsa", { metadata: { annotations: { "eks.amazonaws.com/role-arn": null } } }),
    },
    {
      what: "ServiceAccount: label changed",
      resource: `${app}-service-account`,
      property: "metadata.labels.team",
      live: async () => (await metadata("app"))?.labels?.team,
      change: () => inAccount("app", { metadata: { labels: { team: "b" } } }),
    },
    {
      what: "ServiceAccount: label removed",
      resource: `${app}-service-account`,
      property: "metadata.labels.tier",
      live: async () => (await metadata("app"))?.labels?.tier,
      change: () => inAccount("app", { metadata: { labels: { tier: null } } }),
    },
    {
      what: "ServiceAccount: API token mounted",
      resource: `${app}-service-account`,
      property: "automountServiceAccountToken",
      live: async () => (await account("app"))?.automountServiceAccountToken,
      change: () => inAccount("app", { automountServiceAccountToken: true }),
    },
  ];
  const inPod = "spec.template.spec";
  const inFirst = `${inPod}.containers[0]`;
  const deploymentDrift: Drift[] = [
    {
      what: "Deployment: image",
      resource: "s3-lister-deployment",
      property: `${inFirst}.image`,
      live: async () => (await container()).image,
      change: () => inContainer("image", "example.invalid/other:latest"),
    },
    {
      what: "Deployment: arguments",
      resource: "s3-lister-deployment",
      property: `${inFirst}.args[0]`,
      live: async () => (await container()).args,
      change: () => inContainer("args", ["--interval=3600s"]),
    },
    {
      what: "Deployment: environment",
      resource: "s3-lister-deployment",
      property: `${inFirst}.env[0].value`,
      live: async () => (await container()).env,
      change: () => inContainer("env/0/value", "us-east-1"),
    },
    {
      what: "Deployment: resources",
      resource: "s3-lister-deployment",
      property: `${inFirst}.resources.limits.memory`,
      live: async () => (await container()).resources,
      change: () => inContainer("resources/limits/memory", "128Mi"),
    },
    {
      what: "Deployment: container's security context",
      resource: "s3-lister-deployment",
      property: `${inFirst}.securityContext.readOnlyRootFilesystem`,
      live: async () => (await container()).securityContext,
      change: () => inContainer("securityContext/readOnlyRootFilesystem", false),
    },
    {
      what: "Deployment: readiness probe",
      resource: "s3-lister-deployment",
      property: `${inFirst}.readinessProbe.httpGet.path`,
      live: async () => (await container()).readinessProbe,
      change: () => inContainer("readinessProbe/httpGet/path", "/healthz"),
    },
    {
      what: "Deployment: pods' security context",
      resource: "s3-lister-deployment",
      property: `${inPod}.securityContext.fsGroup`,
      live: async () => (await pod()).securityContext,
      change: () => patchDeployment("/spec/template/spec/securityContext/fsGroup", 1),
    },
    {
      what: "Deployment: ServiceAccount",
      resource: "s3-lister-deployment",
      property: `${inPod}.serviceAccountName`,
      live: async () => (await pod()).serviceAccountName,
      change: () => patchDeployment("/spec/template/spec/serviceAccountName", "default"),
    },
    {
      what: "Deployment: API token mounted",
      resource: "s3-lister-deployment",
      property: `${inPod}.automountServiceAccountToken`,
      live: async () => (await pod()).automountServiceAccountToken,
      change: () => patchDeployment("/spec/template/spec/automountServiceAccountToken", true),
    },
    {
      what: "Deployment: replicas",
      resource: "s3-lister-deployment",
      property: "spec.replicas",
      live: async () => (await deployment()).spec.replicas,
      change: () => live.kubectl("scale", "deployment", "-n", "s3-irsa", "s3-lister", "--replicas=0"),
    },
    {
      what: "Deployment: label",
      resource: "s3-lister-deployment",
      property: 'metadata.labels["app.kubernetes.io/name"]',
      live: async () => (await deployment()).metadata.labels,
      change: () => patchDeployment("/metadata/labels/app.kubernetes.io~1name", "other"),
    },
  ];
  const registryDrift: Drift[] = [
    {
      what: "ECR: scan on push",
      resource: "s3-lister-repository",
      property: "imageScanningConfiguration.scanOnPush",
      live: async () => (await theRepository())?.imageScanningConfiguration?.scanOnPush,
      change: () =>
        live.ecr().send(
          new ecr.PutImageScanningConfigurationCommand({
            repositoryName: repository(),
            imageScanningConfiguration: { scanOnPush: false },
          }),
        ),
    },
    {
      what: "ECR: tag mutability",
      resource: "s3-lister-repository",
      property: "imageTagMutability",
      live: async () => (await theRepository())?.imageTagMutability,
      change: () =>
        live.ecr().send(
          new ecr.PutImageTagMutabilityCommand({
            repositoryName: repository(),
            imageTagMutability: "IMMUTABLE",
          }),
        ),
    },
    {
      what: "ECR: tag",
      resource: "s3-lister-repository",
      property: "tags.environment",
      live: async () =>
        tagsOf(
          (
            await live
              .ecr()
              .send(
                new ecr.ListTagsForResourceCommand({ resourceArn: (await theRepository())?.repositoryArn }),
              )
          ).tags,
        ),
      change: async () =>
        live.ecr().send(
          new ecr.TagResourceCommand({
            resourceArn: (await theRepository())?.repositoryArn,
            tags: [{ Key: "environment", Value: "prod" }],
          }),
        ),
    },
    {
      what: "ECR: lifecycle policy's content",
      resource: "s3-lister-lifecycle",
      property: "policy",
      live: lifecycle,
      change: async () => {
        const lifecyclePolicyText = JSON.stringify(await lifecycle()).replace(
          '"countNumber":20',
          '"countNumber":1',
        );
        await live
          .ecr()
          .send(new ecr.PutLifecyclePolicyCommand({ repositoryName: repository(), lifecyclePolicyText }));
      },
    },
  ];
  const clusterDrift: Drift[] = [
    {
      what: "log group: retention",
      resource: "cluster-logs",
      property: "retentionInDays",
      live: async () => (await logGroup())?.retentionInDays,
      change: () => live.logs().send(new logs.DeleteRetentionPolicyCommand({ logGroupName })),
    },
    {
      what: "EKS: tag",
      resource: "cluster-cluster-eksCluster",
      property: "tags.environment",
      live: async () => (await theCluster())?.tags?.environment,
      change: async () =>
        live.eks().send(
          new eks.TagResourceCommand({
            resourceArn: (await theCluster())?.arn,
            tags: { environment: "prod" },
          }),
        ),
    },
    {
      what: "EKS: control plane logs",
      resource: "cluster-cluster-eksCluster",
      property: "enabledClusterLogTypes",
      live: enabledLogs,
      change: () => configure({ logging: { clusterLogging: [{ types: ["audit"], enabled: false }] } }),
    },
    {
      what: "EKS: who reaches the API server",
      resource: "cluster-cluster-eksCluster",
      property: "vpcConfig.publicAccessCidrs",
      live: async () => (await theCluster())?.resourcesVpcConfig?.publicAccessCidrs,
      change: () => configure({ resourcesVpcConfig: { publicAccessCidrs: ["0.0.0.0/0"] } }),
    },
    {
      what: "EKS: private endpoint",
      resource: "cluster-cluster-eksCluster",
      property: "vpcConfig.endpointPrivateAccess",
      live: async () => (await theCluster())?.resourcesVpcConfig?.endpointPrivateAccess,
      change: () => configure({ resourcesVpcConfig: { endpointPrivateAccess: false } }),
    },
    {
      what: "nodes: scaling",
      resource: "cluster-node-group",
      property: "scalingConfig.maxSize",
      live: async () => (await nodeGroup())?.scalingConfig,
      change: () => configureNodes({ scalingConfig: { minSize: 1, maxSize: 9, desiredSize: 1 } }),
    },
    {
      what: "nodes: more hops to their credentials",
      resource: "cluster-nodes",
      property: "metadataOptions.httpPutResponseHopLimit",
      live: hopLimit,
      change: async () => {
        const { LaunchTemplateId } = (await launchTemplate()) ?? {};
        const { LaunchTemplateVersion } = await live.ec2().send(
          new ec2.CreateLaunchTemplateVersionCommand({
            LaunchTemplateId,
            LaunchTemplateData: {
              MetadataOptions: {
                HttpEndpoint: "enabled",
                HttpTokens: "required",
                HttpPutResponseHopLimit: 2,
              },
            },
          }),
        );
        const DefaultVersion = String(LaunchTemplateVersion?.VersionNumber);
        await live.ec2().send(new ec2.ModifyLaunchTemplateCommand({ LaunchTemplateId, DefaultVersion }));
      },
    },
    {
      what: "Pod Identity: another role in the association",
      resource: `${namespace}.pod-identity-association`,
      property: "roleArn",
      live: async () => (await association())?.roleArn,
      change: async () =>
        live.eks().send(
          new eks.UpdatePodIdentityAssociationCommand({
            clusterName: cluster,
            associationId: (await association())?.associationId,
            roleArn: outputs.roleArn,
          }),
        ),
    },
  ];
  const association = async () => {
    const { associations: found } = await live
      .eks()
      .send(new eks.ListPodIdentityAssociationsCommand({ clusterName: cluster }));
    const associationId = found?.[0]?.associationId;
    if (associationId === undefined) return undefined;
    return (
      await live
        .eks()
        .send(new eks.DescribePodIdentityAssociationCommand({ clusterName: cluster, associationId }))
    ).association;
  };
  const there = (found: unknown) => (found === undefined ? "not there" : "there");
  const deletions: Drift[] = [
    {
      what: "role deleted, with its policies",
      resource: `${namespace}.gone-role`,
      live: async () => {
        const name = roleName("drift/gone");
        const found = await live
          .iam()
          .send(new iam.GetRoleCommand({ RoleName: name }))
          .catch(absent);
        return found && { trust: await trust("drift/gone"), attached: await attached("drift/gone") };
      },
      change: () => deleteRole("drift/gone"),
    },
    {
      what: "inline policy deleted",
      resource: `${app}-queue`,
      live: () => inline("drift/app", "queue"),
      change: () =>
        live
          .iam()
          .send(new iam.DeleteRolePolicyCommand({ RoleName: roleName("drift/app"), PolicyName: "queue" })),
    },
    {
      what: "OIDC provider deleted",
      resource: "cluster-cluster-oidcProvider",
      live: async () => (await oidcProvider())?.ClientIDList,
      change: () =>
        live.iam().send(new iam.DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: provider() })),
    },
    {
      what: "ServiceAccount deleted",
      resource: `${app}-service-account`,
      live: async () => {
        const { annotations, labels } = (await metadata("app")) ?? {};
        return { annotations, labels };
      },
      change: () => live.kubectl("delete", "serviceaccount", "-n", namespace, "app"),
    },
    {
      what: "Deployment deleted",
      resource: "s3-lister-deployment",
      live: async () => there(await live.object("deployment", "s3-irsa", "s3-lister")),
      change: () => live.kubectl("delete", "deployment", "-n", "s3-irsa", "s3-lister"),
    },
    {
      what: "ECR: lifecycle policy deleted",
      resource: "s3-lister-lifecycle",
      live: lifecycle,
      change: () => live.ecr().send(new ecr.DeleteLifecyclePolicyCommand({ repositoryName: repository() })),
    },
    {
      what: "log group deleted",
      resource: "cluster-logs",
      live: async () => (await logGroup())?.retentionInDays,
      change: () => live.logs().send(new logs.DeleteLogGroupCommand({ logGroupName })),
    },
    {
      what: "launch template deleted",
      resource: "cluster-nodes",
      live: async () => there(await launchTemplate()),
      change: async () => {
        const { LaunchTemplateId } = (await launchTemplate()) ?? {};
        await live.ec2().send(new ec2.DeleteLaunchTemplateCommand({ LaunchTemplateId }));
      },
    },
    {
      what: "Pod Identity association deleted",
      resource: `${namespace}.pod-identity-association`,
      live: associations,
      change: async () =>
        live.eks().send(
          new eks.DeletePodIdentityAssociationCommand({
            clusterName: cluster,
            associationId: (await association())?.associationId,
          }),
        ),
    },
  ];
  const largeDeletions: Drift[] = [
    {
      what: "namespace deleted, with what was in it",
      resource: `namespace-${namespace}`,
      live: async () => there(await account("app")),
      change: () => live.kubectl("delete", "namespace", namespace),
    },
    {
      what: "ECR repository deleted, with its images",
      resource: "s3-lister-repository",
      live: async () => there(await theRepository()),
      change: () =>
        live.ecr().send(new ecr.DeleteRepositoryCommand({ repositoryName: repository(), force: true })),
    },
    {
      what: "node group deleted",
      resource: "cluster-node-group",
      live: async () => there(await nodeGroup()),
      change: async () =>
        live
          .eks()
          .send(
            new eks.DeleteNodegroupCommand({ clusterName: cluster, nodegroupName: await nodeGroupName() }),
          ),
    },
  ];

  /** Makes the changes, refreshes, ups, and looks at each. */
  async function cycle(drifts: readonly Drift[]): Promise<void> {
    const before = await Promise.all(drifts.map((one) => one.live()));
    for (const { change } of drifts) await change();
    const changed = await Promise.all(drifts.map((one) => one.live()));
    const events: EngineEvent[] = [];
    await stack.stack.refresh({ onEvent: (event) => events.push(event) });
    const steps = stepsOf(events);
    await up();
    const mended = await Promise.all(drifts.map((one) => one.live()));
    const wrong: string[] = [];
    for (const [index, one] of drifts.entries()) {
      const faults = [
        ...(equal(before[index], changed[index]) ? ["the change had no effect"] : []),
        ...(found(one, steps) ? [] : [`refresh did not find it: ${shown(one, steps)}`]),
        ...(equal(before[index], mended[index])
          ? []
          : [`up left it at ${JSON.stringify(mended[index])} and not ${JSON.stringify(before[index])}`]),
      ];
      tally.note(one.what, faults.length === 0);
      wrong.push(...faults.map((fault) => `${one.what}: ${fault}`));
    }
    expect(wrong).to.deep.equal([]);
    expect((await stack.preview()).changes).to.have.all.keys("same");
  }
  const equal = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right);
  const stepOf = ({ resource }: Drift, steps: readonly Step[]) =>
    steps.find(({ urn }) => nameOf(urn) === resource);
  function found(drift: Drift, steps: readonly Step[]): boolean {
    const step = stepOf(drift, steps);
    if (drift.property === undefined) return step?.op === "delete";
    const paths = Object.keys(step?.detailedDiff ?? {});
    return paths.some((path) => path === drift.property || path.startsWith(`${drift.property}[`));
  }
  const shown = (drift: Drift, steps: readonly Step[]) => {
    const step = stepOf(drift, steps);
    return step ? `${step.op} ${Object.keys(step.detailedDiff ?? {}).join(", ")}` : "nothing at all";
  };

  if (process.env.FAULTS === "short") {
    it("is found and mended: a handful", () =>
      cycle(
        [roleDrift, oidcDrift, accountDrift, registryDrift, clusterDrift].flatMap((all) => all.slice(0, 2)),
      ));
    return;
  }
  it("of roles and policies is found and mended", () => cycle([...roleDrift, ...oidcDrift]));
  it("of ServiceAccounts and the Deployment is found and mended", () =>
    cycle([...accountDrift, ...deploymentDrift]));
  it("of registry, cluster and nodes is found and mended", () => cycle([...registryDrift, ...clusterDrift]));
  it("by deletion is found and mended", () => cycle(deletions));
  it("by deletion of what holds other things is found and mended", () => cycle(largeDeletions));
});
