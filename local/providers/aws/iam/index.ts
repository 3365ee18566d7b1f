import type { AwsTypes } from "../common";
import { openIdConnectProvider } from "./open-id-connect-provider";
import { policy } from "./policy";
import { role } from "./role";
import { rolePolicy } from "./role-policy";
import { rolePolicyAttachment } from "./role-policy-attachment";

export const iamTypes: AwsTypes = {
  "aws:iam/role:Role": role,
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": rolePolicyAttachment,
  "aws:iam/rolePolicy:RolePolicy": rolePolicy,
  "aws:iam/policy:Policy": policy,
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": openIdConnectProvider,
};
