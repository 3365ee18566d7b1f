import { getCluster } from "@pulumi/aws/eks/getCluster.js";
import { getOpenIdConnectProvider } from "@pulumi/aws/iam/getOpenIdConnectProvider.js";
import { OpenIdConnectProvider } from "@pulumi/aws/iam/openIdConnectProvider.js";
import type { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { check } from "../iam/validation.ts";
import { lookForAgent } from "./agent-addon.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { type ExistingClusterArgs, existingClusterArguments } from "./cluster-arguments.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { ownObjectsProvider } from "./kubernetes-provider.ts";
import { LookupError, lookUp } from "./lookup.ts";
import { oidcProvider } from "./oidc-provider.ts";
import { checkReachable } from "./reachability.ts";

export type { ExistingClusterArgs } from "./cluster-arguments.ts";
export type { CredentialsArgs } from "./kubeconfig.ts";

/**
 * An EKS cluster that is there already, made by whatever tool. It is only read. Its IAM OIDC provider is looked up, or
 * made where none is.
 */
export class ExistingCluster extends pulumi.ComponentResource implements ClusterAccess {
  readonly clusterName: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly oidcProviderArn: pulumi.Output<string>;
  readonly provider: Provider;

  constructor(name: string, given: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = check(existingClusterArguments, given);
    super("eks-irsa:index:ExistingCluster", name, {}, opts);
    const parent = { parent: this };

    const cluster = pulumi.output(
      lookUp(() => getCluster({ name: args.clusterName }, parent), {
        what: `the EKS cluster ${args.clusterName} in ${args.region}`,
        needs: "eks:DescribeCluster",
        missing: {
          said: /couldn't find resource|ResourceNotFoundException/,
          instead:
            `\`aws eks list-clusters --region ${args.region}\` lists those that there are, ` +
            "`aws sts get-caller-identity` says in which account.",
        },
      }),
    );
    const url = cluster.identities.apply((identities) => {
      const issuer = identities[0]?.oidcs[0]?.issuer;
      if (issuer === undefined) {
        throw new LookupError(
          `There is no OIDC issuer of the EKS cluster ${args.clusterName}: EKS gives it one.`,
        );
      }
      return issuer;
    });

    this.clusterName = args.podIdentityAgent
      ? pulumi
          .all([cluster.name, cluster.computeConfigs])
          .apply(([name, compute]) =>
            lookForAgent(name, this, parent, { auto: compute.some(({ enabled }) => enabled) }),
          )
      : cluster.name;
    this.kubeconfig = pulumi.secret(
      pulumi
        .all([cluster.endpoint, cluster.certificateAuthorities, cluster.status])
        .apply(([endpoint, authorities, status]) => {
          const certificateAuthority = authorities[0]?.data;
          if (!endpoint || !certificateAuthority) {
            throw new LookupError(
              `There is no API server of the EKS cluster ${args.clusterName} yet: its status is ${status}. Wait until it is ACTIVE.`,
            );
          }
          const { region, credentials } = args;
          return kubeconfig({
            cluster: args.clusterName,
            endpoint,
            certificateAuthority,
            region,
            credentials,
          });
        }),
    );
    this.oidcProviderArn = args.createOidcProvider
      ? new OpenIdConnectProvider(`${name}-oidc-provider`, oidcProvider(url, args), parent).arn
      : url.apply((issuer) => registeredProvider(issuer, parent));
    const usable = pulumi
      .all([this.kubeconfig, cluster.endpoint, cluster.vpcConfig])
      .apply(async ([kubeconfig, endpoint, { endpointPublicAccess }]) => {
        if (!endpointPublicAccess) {
          await checkReachable({ cluster: args.clusterName, endpoint, admitted: [] });
        }
        return kubeconfig;
      });
    this.provider = ownObjectsProvider(`${name}-kubernetes`, usable, parent);
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      oidcProviderArn: this.oidcProviderArn,
    });
  }
}

/** @throws LookupError that says what to do when the issuer has no provider. */
const registeredProvider = async (url: string, opts: pulumi.InvokeOptions): Promise<string> =>
  (
    await lookUp(() => getOpenIdConnectProvider({ url }, opts), {
      what: `the IAM OIDC provider of the issuer ${url} in this account`,
      needs: "iam:ListOpenIDConnectProviders and iam:GetOpenIDConnectProvider",
      missing: {
        said: /not found|couldn't find resource/i,
        instead: "If nobody makes one elsewhere, set the cluster's createOidcProvider to true.",
      },
    })
  ).arn;
