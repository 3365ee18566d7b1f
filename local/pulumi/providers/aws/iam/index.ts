import type { AwsTypes } from "../calls.ts";
import { openIdConnectProvider } from "./open-id-connect-provider.ts";
import { policy } from "./policy.ts";
import { role } from "./role.ts";
import { rolePolicy } from "./role-policy.ts";
import { rolePolicyAttachment } from "./role-policy-attachment.ts";
import { rolePolicyAttachmentsExclusive } from "./role-policy-attachments-exclusive.ts";

export const iamTypes: AwsTypes = {
  "aws:iam/role:Role": role,
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": rolePolicyAttachment,
  "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": rolePolicyAttachmentsExclusive,
  "aws:iam/rolePolicy:RolePolicy": rolePolicy,
  "aws:iam/policy:Policy": policy,
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": openIdConnectProvider,
};
