import "@pulumi/aws/eks/index.js"; // registers its classes, without which the cluster's references stay bare ids
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { LaunchTemplate } from "@pulumi/aws/ec2/launchTemplate.js";
import { getAuthorizationTokenOutput } from "@pulumi/aws/ecr/getAuthorizationToken.js";
import { LifecyclePolicy } from "@pulumi/aws/ecr/lifecyclePolicy.js";
import { Repository } from "@pulumi/aws/ecr/repository.js";
import { Addon } from "@pulumi/aws/eks/addon.js";
import { getClusterOutput } from "@pulumi/aws/eks/getCluster.js";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import { getOpenIdConnectProviderOutput } from "@pulumi/aws/iam/getOpenIdConnectProvider.js";
import { OpenIdConnectProvider } from "@pulumi/aws/iam/openIdConnectProvider.js";
import { Policy } from "@pulumi/aws/iam/policy.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { RolePolicyAttachmentsExclusive } from "@pulumi/aws/iam/rolePolicyAttachmentsExclusive.js";
import { Image } from "@pulumi/docker/image.js";
import { Cluster } from "@pulumi/eks/cluster.js";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import type { Sdk } from "./resources.ts";

/** Every class from its own module. */
export const sdk: Sdk = {
  Addon,
  Cluster,
  Deployment,
  Image,
  LaunchTemplate,
  LifecyclePolicy,
  LogGroup,
  Namespace,
  NodeGroup,
  OpenIdConnectProvider,
  Policy,
  Provider,
  Repository,
  Role,
  RolePolicyAttachment,
  RolePolicyAttachmentsExclusive,
  ServiceAccount,
  getAuthorizationTokenOutput,
  getClusterOutput,
  getOpenIdConnectProviderOutput,
};
