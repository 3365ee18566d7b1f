import * as aws from "@pulumi/aws";
import * as docker from "@pulumi/docker";
import * as eks from "@pulumi/eks";
import * as k8s from "@pulumi/kubernetes";
import { register } from "./resources";

// As `pulumi new aws-typescript` lays a program out: whole packages, TypeScript compiled by Pulumi's runner at the start.

export = register({
  Addon: aws.eks.Addon,
  Cluster: eks.Cluster,
  Deployment: k8s.apps.v1.Deployment,
  Image: docker.Image,
  LaunchTemplate: aws.ec2.LaunchTemplate,
  LifecyclePolicy: aws.ecr.LifecyclePolicy,
  LogGroup: aws.cloudwatch.LogGroup,
  Namespace: k8s.core.v1.Namespace,
  NodeGroup: aws.eks.NodeGroup,
  OpenIdConnectProvider: aws.iam.OpenIdConnectProvider,
  Policy: aws.iam.Policy,
  Provider: k8s.Provider,
  Repository: aws.ecr.Repository,
  Role: aws.iam.Role,
  RolePolicyAttachment: aws.iam.RolePolicyAttachment,
  RolePolicyAttachmentsExclusive: aws.iam.RolePolicyAttachmentsExclusive,
  ServiceAccount: k8s.core.v1.ServiceAccount,
  getAuthorizationTokenOutput: aws.ecr.getAuthorizationTokenOutput,
  getClusterOutput: aws.eks.getClusterOutput,
  getOpenIdConnectProviderOutput: aws.iam.getOpenIdConnectProviderOutput,
});
