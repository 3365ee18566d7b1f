import type { OpenIdConnectProviderArgs } from "@pulumi/aws/iam/openIdConnectProvider.js";
import type * as pulumi from "@pulumi/pulumi";
import { stsAudience } from "../iam/trust-policy.ts";

/** No thumbprint: AWS checks EKS's issuers by the certificate authorities that it trusts itself. */
export const oidcProvider = (
  url: pulumi.Input<string>,
  { audiences, tags }: { audiences: readonly string[]; tags?: Readonly<Record<string, string>> | undefined },
): OpenIdConnectProviderArgs => ({
  url,
  clientIdLists: [...new Set([stsAudience, ...audiences])],
  tags,
});
