import type { LogGroup } from "@pulumi/aws/cloudwatch/index.js";
import type { LaunchTemplate } from "@pulumi/aws/ec2/index.js";
import type { getAuthorizationTokenOutput, LifecyclePolicy, Repository } from "@pulumi/aws/ecr/index.js";
import type { Addon, getClusterOutput, NodeGroup } from "@pulumi/aws/eks/index.js";
import type {
  getOpenIdConnectProviderOutput,
  OpenIdConnectProvider,
  Policy,
  Role,
  RolePolicyAttachment,
  RolePolicyAttachmentsExclusive,
} from "@pulumi/aws/iam/index.js";
import type { Image } from "@pulumi/docker";
import type { Cluster } from "@pulumi/eks";
import type { Provider } from "@pulumi/kubernetes";
import type { Deployment } from "@pulumi/kubernetes/apps/v1/index.js";
import type { Namespace, ServiceAccount } from "@pulumi/kubernetes/core/v1/index.js";
import * as pulumi from "@pulumi/pulumi";

// The resources of this project's program with nothing above the SDK's own classes: no configuration schema, no checks,
// no components but their bare registrations. What it registers is compared with what the program registers, so it
// cannot fall behind. How the classes are loaded is the difference between the two programs that use it.

export interface Sdk {
  readonly Addon: typeof Addon;
  readonly Cluster: typeof Cluster;
  readonly Deployment: typeof Deployment;
  readonly Image: typeof Image;
  readonly LaunchTemplate: typeof LaunchTemplate;
  readonly LifecyclePolicy: typeof LifecyclePolicy;
  readonly LogGroup: typeof LogGroup;
  readonly Namespace: typeof Namespace;
  readonly NodeGroup: typeof NodeGroup;
  readonly OpenIdConnectProvider: typeof OpenIdConnectProvider;
  readonly Policy: typeof Policy;
  readonly Provider: typeof Provider;
  readonly Repository: typeof Repository;
  readonly Role: typeof Role;
  readonly RolePolicyAttachment: typeof RolePolicyAttachment;
  readonly RolePolicyAttachmentsExclusive: typeof RolePolicyAttachmentsExclusive;
  readonly ServiceAccount: typeof ServiceAccount;
  readonly getAuthorizationTokenOutput: typeof getAuthorizationTokenOutput;
  readonly getClusterOutput: typeof getClusterOutput;
  readonly getOpenIdConnectProviderOutput: typeof getOpenIdConnectProviderOutput;
}

const region = "eu-central-1";
const tags = { environment: "bench" };

const component = (type: string, name: string): pulumi.ComponentResource =>
  new pulumi.ComponentResource(`eks-irsa:index:${type}`, name);

interface Found {
  readonly oidcProviderArn: pulumi.Output<string>;
  readonly provider: Provider;
}

/** Registers everything, by the stack's configuration: `bindings`, how many; or none, then the whole of the program. */
export function register(sdk: Sdk): Record<string, unknown> {
  const config = new pulumi.Config("bench");
  const bindings = config.getNumber("bindings");
  return bindings === undefined ? whole(sdk, config.require("imageTag")) : bound(sdk, bindings);
}

function whole(sdk: Sdk, imageTag: string): Record<string, unknown> {
  const clusterComponent = component("Cluster", "cluster");
  const inCluster = { parent: clusterComponent };
  const logs = new sdk.LogGroup(
    "cluster-logs-bench",
    { name: "/aws/eks/bench/cluster", retentionInDays: 30, tags },
    inCluster,
  );
  const cluster = new sdk.Cluster(
    "cluster-cluster",
    {
      name: "bench",
      authenticationMode: "API",
      createOidcProvider: false,
      skipDefaultNodeGroup: true,
      upgradePolicy: { supportType: "STANDARD" },
      kubeProxyAddonOptions: { enabled: false },
      useDefaultVpcCni: true,
      endpointPublicAccess: true,
      endpointPrivateAccess: true,
      enabledClusterLogTypes: [],
      deletionProtection: false,
      tags,
    },
    { ...inCluster, dependsOn: logs },
  );
  const nodeRole = new sdk.Role(
    "cluster-node-role",
    {
      description: "Nodes of the EKS cluster bench",
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
      tags,
    },
    inCluster,
  );
  const policies = [
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
  ].map(
    (policy) =>
      new sdk.RolePolicyAttachment(
        `cluster-node-${policy}`,
        { role: nodeRole.name, policyArn: `arn:aws:iam::aws:policy/${policy}` },
        inCluster,
      ),
  );
  const template = new sdk.LaunchTemplate(
    "cluster-nodes",
    {
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      updateDefaultVersion: true,
      tagSpecifications: ["instance", "volume", "network-interface"].map((resourceType) => ({
        resourceType,
        tags,
      })),
      tags,
    },
    inCluster,
  );
  const nodes = new sdk.NodeGroup(
    "cluster-node-group",
    {
      clusterName: cluster.eksCluster.name,
      nodeRoleArn: nodeRole.arn,
      subnetIds: cluster.core.subnetIds,
      version: cluster.eksCluster.version,
      amiType: "AL2023_x86_64_STANDARD",
      instanceTypes: ["t3.medium"],
      scalingConfig: { minSize: 1, maxSize: 3, desiredSize: 1 },
      launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
      tags,
    },
    { ...inCluster, dependsOn: policies },
  );
  for (const addonName of ["kube-proxy", "vpc-cni"]) {
    const overwrite = { resolveConflictsOnCreate: "OVERWRITE", resolveConflictsOnUpdate: "OVERWRITE" };
    new sdk.Addon(
      `cluster-cluster-${addonName}`,
      { clusterName: cluster.eksCluster.name, addonName, preserve: true, ...overwrite, tags },
      inCluster,
    );
  }
  const oidcProvider = new sdk.OpenIdConnectProvider(
    "cluster-cluster-oidcProvider",
    { url: cluster.oidcProviderUrl, clientIdLists: ["sts.amazonaws.com"], tags },
    inCluster,
  );
  const kubeconfig = pulumi.secret(cluster.kubeconfigJson);
  const provider = new sdk.Provider(
    "cluster-kubernetes",
    { kubeconfig, enableServerSideApply: false },
    inCluster,
  );
  const namespace = new sdk.Namespace("namespace-s3-irsa", { metadata: { name: "s3-irsa" } }, { provider });

  const inImage = { parent: component("Image", "s3-lister") };
  const repository = new sdk.Repository(
    "s3-lister-repository",
    {
      imageTagMutability: "MUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfigurations: [{ encryptionType: "AES256" }],
      forceDelete: true,
      tags,
    },
    inImage,
  );
  const rule = {
    rulePriority: 1,
    description: "Keep the 20 newest images",
    selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 20 },
    action: { type: "expire" },
  };
  new sdk.LifecyclePolicy(
    "s3-lister-lifecycle",
    { repository: repository.name, policy: JSON.stringify({ rules: [rule] }) },
    inImage,
  );
  const token = sdk.getAuthorizationTokenOutput({ registryId: repository.registryId }, inImage);
  const image = new sdk.Image(
    "s3-lister-image",
    {
      imageName: pulumi.interpolate`${repository.repositoryUrl}:${imageTag}`,
      build: {
        context: "app/go",
        dockerfile: "app/go/Dockerfile",
        args: {},
        platform: "linux/amd64",
      },
      registry: {
        server: repository.repositoryUrl,
        username: token.userName,
        password: pulumi.secret(token.password),
      },
    },
    inImage,
  );

  const { serviceAccount, role, irsa } = binding(
    sdk,
    { oidcProviderArn: oidcProvider.arn, provider },
    {
      name: "s3-irsa",
      namespace: namespace.metadata.name,
      serviceAccount: "s3-irsa",
      policy: "list-buckets",
    },
  );

  const listerComponent = new pulumi.ComponentResource(
    "eks-irsa:index:S3Lister",
    "s3-lister",
    {},
    { dependsOn: [irsa, nodes] },
  );
  const selector = { "app.kubernetes.io/name": "s3-lister", "app.kubernetes.io/instance": "s3-lister" };
  const probe = (path: string, periodSeconds: number) => ({
    httpGet: { path, port: "http" },
    timeoutSeconds: 2,
    periodSeconds,
    failureThreshold: 3,
  });
  const deployment = new sdk.Deployment(
    "s3-lister-deployment",
    {
      metadata: {
        name: "s3-lister",
        namespace: serviceAccount.metadata.namespace,
        labels: selector,
      },
      spec: {
        replicas: 1,
        progressDeadlineSeconds: 300,
        selector: { matchLabels: selector },
        template: {
          metadata: {
            labels: selector,
            annotations: {
              "kubectl.kubernetes.io/default-container": "lister",
              "eks-irsa/role-arn": role.arn,
              "eks-irsa/identity": "irsa",
            },
          },
          spec: {
            serviceAccountName: serviceAccount.metadata.name,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 65532,
              runAsGroup: 65532,
              fsGroup: 65532,
              seccompProfile: { type: "RuntimeDefault" },
            },
            terminationGracePeriodSeconds: 30,
            containers: [
              {
                name: "lister",
                image: image.repoDigest,
                args: ["--interval=60s"],
                env: [
                  { name: "AWS_REGION", value: region },
                  { name: "AWS_EC2_METADATA_DISABLED", value: "true" },
                ],
                ports: [{ name: "http", containerPort: 8080 }],
                resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                readinessProbe: probe("/readyz", 2),
                livenessProbe: probe("/healthz", 10),
              },
            ],
          },
        },
      },
    },
    { parent: listerComponent, provider, dependsOn: [irsa, nodes] },
  );

  return {
    clusterName: cluster.eksCluster.name,
    kubeconfig,
    oidcProviderArn: oidcProvider.arn,
    roleArn: role.arn,
    image: image.repoDigest,
    repositoryUrl: repository.repositoryUrl,
    deployment: deployment.metadata.name,
  };
}

function bound(sdk: Sdk, count: number): Record<string, unknown> {
  const inCluster = { parent: component("ExistingCluster", "cluster") };
  const cluster = sdk.getClusterOutput({ name: "bench" }, inCluster);
  const url = cluster.identities.apply(([identity]) => identity?.oidcs[0]?.issuer ?? "");
  const oidcProviderArn = sdk.getOpenIdConnectProviderOutput({ url }, inCluster).arn;
  const kubeconfig = pulumi.secret(
    pulumi.all([cluster.endpoint, cluster.certificateAuthorities]).apply(([endpoint, authorities]) =>
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
          {
            name: "bench",
            cluster: { server: endpoint, "certificate-authority-data": authorities[0]?.data ?? "" },
          },
        ],
        users: [
          {
            name: "bench",
            user: {
              exec: {
                apiVersion: "client.authentication.k8s.io/v1beta1",
                command: "aws",
                args: ["--region", region, "eks", "get-token", "--cluster-name", "bench", "--output", "json"],
              },
            },
          },
        ],
        contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
        "current-context": "bench",
      }),
    ),
  );
  const provider = new sdk.Provider(
    "cluster-kubernetes",
    { kubeconfig, enableServerSideApply: false },
    inCluster,
  );
  const roles: Record<string, pulumi.Output<string>> = {};
  for (let index = 0; index < count; index++) {
    const [namespace, serviceAccount] = [`team-${index % 10}`, `app-${index}`];
    const { role } = binding(
      sdk,
      { oidcProviderArn, provider },
      {
        name: `${namespace}.${serviceAccount}`,
        namespace,
        serviceAccount,
        policy: "AmazonS3ReadOnlyAccess",
      },
    );
    roles[`${namespace}/${serviceAccount}`] = role.arn;
  }
  return { clusterName: cluster.name, kubeconfig, oidcProviderArn, bindings: roles };
}

function binding(
  sdk: Sdk,
  { oidcProviderArn, provider }: Found,
  args: {
    readonly name: string;
    readonly namespace: pulumi.Input<string>;
    readonly serviceAccount: string;
    readonly policy: string;
  },
) {
  const { name, namespace, serviceAccount, policy } = args;
  const irsa = component("IrsaServiceAccount", name);
  const parent = { parent: irsa };
  const Statement = [{ Sid: "ListBuckets", Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }];
  const own =
    policy === "list-buckets"
      ? new sdk.Policy(
          `${name}-${policy}`,
          { policy: JSON.stringify({ Version: "2012-10-17", Statement }), tags },
          parent,
        )
      : undefined;
  const role = new sdk.Role(
    `${name}-role`,
    {
      description: pulumi.interpolate`Assumed by the Kubernetes ServiceAccount ${namespace}/${serviceAccount}`,
      forceDetachPolicies: true,
      assumeRolePolicy: pulumi.jsonStringify(
        pulumi.all([oidcProviderArn, namespace]).apply(([arn, namespaceName]) => {
          const issuer = arn.replace(/^.*:oidc-provider\//, "");
          return {
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Principal: { Federated: arn },
                Action: "sts:AssumeRoleWithWebIdentity",
                Condition: {
                  StringEquals: {
                    [`${issuer}:sub`]: `system:serviceaccount:${namespaceName}:${serviceAccount}`,
                    [`${issuer}:aud`]: "sts.amazonaws.com",
                  },
                },
              },
            ],
          };
        }),
      ),
      tags,
    },
    { ...parent, dependsOn: own === undefined ? [] : [own] },
  );
  new sdk.RolePolicyAttachmentsExclusive(
    `${name}-managed-policies`,
    { roleName: role.name, policyArns: [own?.arn ?? `arn:aws:iam::aws:policy/${policy}`] },
    parent,
  );
  const account = new sdk.ServiceAccount(
    `${name}-service-account`,
    {
      metadata: {
        name: serviceAccount,
        namespace,
        annotations: { "eks.amazonaws.com/role-arn": role.arn },
      },
      automountServiceAccountToken: false,
    },
    { ...parent, provider },
  );
  return { irsa, role, serviceAccount: account };
}
