// Actions by which a workload's permissions become more than they look, or what it may reach is worth the most.

/** What an action opens, in words. */
export type Danger =
  | "gives itself permissions"
  | "passes a role on"
  | "becomes another role"
  | "runs code under another role"
  | "opens a cluster"
  | "reads secrets"
  | "hands out credentials"
  | "destroys";

/** Those that give whoever calls them permissions that he did not have, by themselves. Source: "AWS IAM Privilege Escalation", Rhino Security Labs. */
export const grantingActions = [
  "iam:AddUserToGroup",
  "iam:AttachGroupPolicy",
  "iam:AttachRolePolicy",
  "iam:AttachUserPolicy",
  "iam:CreateAccessKey",
  "iam:CreateLoginProfile",
  "iam:CreatePolicyVersion",
  "iam:PutGroupPolicy",
  "iam:PutRolePolicy",
  "iam:PutUserPolicy",
  "iam:SetDefaultPolicyVersion",
  "iam:UpdateAssumeRolePolicy",
  "iam:UpdateLoginProfile",
] as const;

/** Those that run something under a role that is passed to them with `iam:PassRole`, and the service that takes it. */
export const actionsTakingRole: Readonly<Record<string, string>> = {
  "apprunner:CreateService": "tasks.apprunner.amazonaws.com",
  "batch:RegisterJobDefinition": "ecs-tasks.amazonaws.com",
  "cloudformation:CreateStack": "cloudformation.amazonaws.com",
  "codebuild:CreateProject": "codebuild.amazonaws.com",
  "datapipeline:CreatePipeline": "datapipeline.amazonaws.com",
  "ec2:RunInstances": "ec2.amazonaws.com",
  "ecs:RegisterTaskDefinition": "ecs-tasks.amazonaws.com",
  "eks:CreateNodegroup": "ec2.amazonaws.com",
  "eks:CreatePodIdentityAssociation": "pods.eks.amazonaws.com",
  "glue:CreateDevEndpoint": "glue.amazonaws.com",
  "glue:CreateJob": "glue.amazonaws.com",
  "lambda:CreateFunction": "lambda.amazonaws.com",
  "sagemaker:CreateNotebookInstance": "sagemaker.amazonaws.com",
  "sagemaker:CreateProcessingJob": "sagemaker.amazonaws.com",
  "sagemaker:CreateTrainingJob": "sagemaker.amazonaws.com",
  "scheduler:CreateSchedule": "scheduler.amazonaws.com",
  "ssm:StartAutomationExecution": "ssm.amazonaws.com",
  "states:CreateStateMachine": "states.amazonaws.com",
};

/** Those that run code of the caller's where another role already is. */
export const actionsRunningCode = [
  "cloudformation:UpdateStack",
  "ec2-instance-connect:SendSSHPublicKey",
  "ecs:ExecuteCommand",
  "glue:UpdateJob",
  "lambda:UpdateFunctionCode",
  "sagemaker:CreatePresignedNotebookInstanceUrl",
  "ssm:SendCommand",
  "ssm:StartSession",
] as const;

/** Those that make the caller an administrator of a cluster. */
export const clusterOpeningActions = ["eks:AssociateAccessPolicy", "eks:CreateAccessEntry"] as const;

/** Those that read what is kept secret. */
export const secretReadingActions = [
  "kms:Decrypt",
  "secretsmanager:BatchGetSecretValue",
  "secretsmanager:GetSecretValue",
  "ssm:GetParameter",
  "ssm:GetParameters",
  "ssm:GetParametersByPath",
] as const;

const dangers: readonly (readonly [Danger, readonly string[]])[] = [
  ["gives itself permissions", grantingActions],
  ["gives itself permissions", ["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"]],
  ["passes a role on", ["iam:PassRole"]],
  ["becomes another role", ["sts:AssumeRole"]],
  ["runs code under another role", actionsRunningCode],
  ["opens a cluster", clusterOpeningActions],
  ["reads secrets", secretReadingActions],
  [
    "hands out credentials",
    ["iam:AddClientIDToOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider", "sts:GetFederationToken"],
  ],
  [
    "destroys",
    [
      "dynamodb:DeleteTable",
      "kms:ScheduleKeyDeletion",
      "rds:DeleteDBCluster",
      "rds:DeleteDBInstance",
      "s3:DeleteBucket",
      "s3:PutBucketPolicy",
    ],
  ],
];

/** The sensitive actions, and what each opens. */
export const sensitiveActions: ReadonlyMap<string, Danger> = new Map(
  dangers.flatMap(([danger, actions]) => actions.map((action) => [action, danger] as const)),
);
