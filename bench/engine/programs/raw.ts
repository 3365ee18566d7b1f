import "@pulumi/aws/eks"; // registers its classes, without which the cluster's references stay bare ids
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { LaunchTemplate } from "@pulumi/aws/ec2/launchTemplate";
import { getAuthorizationTokenOutput } from "@pulumi/aws/ecr/getAuthorizationToken";
import { LifecyclePolicy } from "@pulumi/aws/ecr/lifecyclePolicy";
import { Repository } from "@pulumi/aws/ecr/repository";
import { getClusterOutput } from "@pulumi/aws/eks/getCluster";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup";
import { getOpenIdConnectProviderOutput } from "@pulumi/aws/iam/getOpenIdConnectProvider";
import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment";
import { Image } from "@pulumi/docker/image";
import { Cluster } from "@pulumi/eks/cluster";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import { Provider } from "@pulumi/kubernetes/provider";
import { register } from "./resources";

// The floor: every class from its own module, and compiled ahead.

export = register({
  Cluster,
  Deployment,
  Image,
  LaunchTemplate,
  LifecyclePolicy,
  LogGroup,
  Namespace,
  NodeGroup,
  Provider,
  Repository,
  Role,
  RolePolicy,
  RolePolicyAttachment,
  ServiceAccount,
  getAuthorizationTokenOutput,
  getClusterOutput,
  getOpenIdConnectProviderOutput,
});
