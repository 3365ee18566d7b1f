import { stsAudience } from "../../iam/trust-policy.ts";
import { type Finding, holds, type Link } from "../chain.ts";
import type { OidcProvider } from "../world.ts";

/** The cluster is an OIDC issuer, and signs in that name. */
export const issuer: Link = {
  id: "issuer",
  title: "The cluster is an OIDC issuer",
  async examine(seen, { kubernetes }, { cluster, region }): Promise<Finding> {
    if (!seen.issuer) {
      return {
        state: "broken",
        cause: "issuer-missing",
        what: "EKS gives no OIDC issuer for the cluster.",
        mend: [`aws eks describe-cluster --region ${region} --name ${cluster} --query cluster.identity`],
      };
    }
    const own = await kubernetes.issuer().catch(() => undefined);
    if (own !== undefined && own !== seen.issuer) {
      return {
        state: "broken",
        cause: "issuer-differs",
        what: "The API server signs tokens in another name than EKS says.",
        disagreement: {
          wanted: { name: "issuer by EKS", value: seen.issuer },
          found: { name: "issuer by the API server", value: own },
        },
        mend: ["kubectl get --raw /.well-known/openid-configuration"],
      };
    }
    return holds(seen.issuer);
  },
};

/** IAM knows exactly that issuer, with the audience of its tokens. */
export const oidcProvider: Link = {
  id: "oidc-provider",
  title: "IAM knows the issuer",
  async examine(seen, { iam, kubernetes }, { namespace, serviceAccount }): Promise<Finding> {
    const url = withoutScheme(seen.issuer ?? "");
    const providers = await iam.oidcProviders();
    const provider = providers.find((one) => withoutScheme(one.url) === url);
    if (provider === undefined) {
      const like = nearest(providers, url);
      return {
        state: "broken",
        cause: "provider-missing",
        what: "The account has no IAM OIDC provider for exactly this issuer.",
        disagreement: {
          wanted: { name: "the cluster's issuer", value: seen.issuer ?? "" },
          found: {
            name: like ? "the provider that comes nearest" : "providers of the account",
            value: like?.url ?? "none",
          },
        },
        mend: [
          `aws iam create-open-id-connect-provider --url ${seen.issuer} --client-id-list ${stsAudience}`,
        ],
      };
    }
    seen.providerArn = provider.arn;
    const account = await kubernetes.serviceAccount(namespace, serviceAccount);
    seen.audience = account?.annotations["eks.amazonaws.com/audience"] ?? stsAudience;
    if (!provider.audiences.includes(seen.audience)) {
      return {
        state: "broken",
        cause: "provider-audience",
        what: "The provider does not list the audience of the tokens.",
        disagreement: {
          wanted: { name: "audience of the tokens", value: seen.audience },
          found: { name: "audiences of the provider", value: provider.audiences.join(", ") || "none" },
        },
        mend: [
          `aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${provider.arn} --client-id ${seen.audience}`,
        ],
      };
    }
    return holds(provider.arn, `audience ${seen.audience}`);
  },
};

const withoutScheme = (url: string): string => url.replace(/^https:\/\//, "");

/** The provider that somebody may have meant: the same but for a slash, the region, or the last part. */
function nearest(providers: readonly OidcProvider[], url: string): OidcProvider | undefined {
  const common = (other: string): number => {
    let length = 0;
    while (length < other.length && other[length] === url[length]) length++;
    return length;
  };
  return [...providers].sort((a, b) => common(withoutScheme(b.url)) - common(withoutScheme(a.url)))[0];
}
