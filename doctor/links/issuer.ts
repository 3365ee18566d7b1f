import { disagreement, holds, type Link } from "../chain.ts";
import type { OidcProvider } from "../world.ts";
import { iamCommand } from "./mend.ts";

/** The cluster is an OIDC issuer, and signs in that name. */
export const issuer: Link<"cluster" | "apiIssuer", "issuer"> = {
  id: "issuer",
  title: "The cluster is an OIDC issuer",
  needs: ["cluster", "apiIssuer"],
  gives: ["issuer"],
  async examine({ cluster: { issuer }, apiIssuer }, _, { cluster, region }) {
    if (issuer === undefined) {
      return {
        state: "broken",
        cause: "issuer-missing",
        what: "EKS gives no OIDC issuer for the cluster.",
        mend: [],
        advice: ["Every cluster of EKS has one: ask AWS Support."],
        look: [`aws eks describe-cluster --region ${region} --name ${cluster} --query cluster.identity`],
      };
    }
    if (apiIssuer !== undefined && apiIssuer !== issuer) {
      return {
        state: "broken",
        cause: "issuer-differs",
        what: "The API server signs tokens in another name than EKS says.",
        disagreement: disagreement("issuer by EKS", issuer, "issuer by the API server", apiIssuer),
        mend: [],
        advice: ["Both are EKS's own to set: ask AWS Support."],
        look: ["kubectl get --raw /.well-known/openid-configuration"],
      };
    }
    return holds({ issuer }, issuer);
  },
};

/** The account of the role knows exactly that issuer, with the audience of its tokens. */
export const oidcProvider: Link<"issuer" | "role" | "audience", "provider"> = {
  id: "oidc-provider",
  title: "The role's account knows the issuer",
  needs: ["issuer", "role", "audience"],
  gives: ["provider"],
  shownBy: "sts",
  async examine({ issuer, role, audience }, { iam }, { profiles }) {
    const url = withoutScheme(issuer);
    const providers = await iam.oidcProviders();
    const provider = providers.find((one) => withoutScheme(one.url) === url);
    if (provider === undefined) {
      const like = nearest(providers, url);
      return {
        state: "broken",
        cause: "provider-missing",
        what: `The account ${role.arn.split(":")[4]} has no IAM OIDC provider for exactly this issuer.`,
        disagreement: disagreement(
          "the cluster's issuer",
          issuer,
          like ? "the provider that comes nearest" : "providers of the account",
          like?.url ?? "none",
        ),
        mend: [
          iamCommand(
            `create-open-id-connect-provider --url ${issuer} --client-id-list ${audience}`,
            profiles?.role,
          ),
        ],
      };
    }
    if (!provider.audiences.includes(audience)) {
      return {
        state: "broken",
        cause: "provider-audience",
        what: "The provider does not list the audience of the tokens.",
        disagreement: disagreement(
          "audience of the tokens",
          audience,
          "audiences of the provider",
          provider.audiences.join(", ") || "none",
        ),
        mend: [
          iamCommand(
            `add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${provider.arn} --client-id ${audience}`,
            profiles?.role,
          ),
        ],
      };
    }
    return holds({ provider }, provider.arn, `audience ${audience}`);
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
