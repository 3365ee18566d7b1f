import type { AssociationFacts, Estate, RoleFacts, ServiceAccountFacts } from "../../adopt/estate.ts";
import { issuerHost } from "../../iam/trust-policy.ts";
import { oidcProviderArn as mocked } from "../mocks.ts";

// ServiceAccounts and roles as other tools leave them behind, as they are read of a cluster and its account. Sources:
// eksctl `pkg/cfn/builder/iam.go`, terraform-aws-iam `modules/iam-role-for-service-accounts` 6, aws-cdk-lib
// `aws-eks/lib/service-account.ts`, @pulumi/aws-iam `RoleForServiceAccountsEks`.

export const accountId = "111122223333";
export const region = "eu-central-1";

export interface Laid {
  readonly role: RoleFacts;
  readonly account?: ServiceAccountFacts;
  readonly association?: AssociationFacts;
}

const sub = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;

export function accountOf(
  namespace: string,
  name: string,
  roleArn: string | undefined,
  more: Partial<ServiceAccountFacts> = {},
): ServiceAccountFacts {
  return {
    namespace,
    name,
    labels: {},
    owners: [],
    otherMetadata: [],
    ...more,
    annotations: { ...(roleArn && { "eks.amazonaws.com/role-arn": roleArn }), ...more.annotations },
  };
}

/** The layouts, for the cluster of an OIDC provider. */
export function layoutsFor(oidcProviderArn: string) {
  const issuer = issuerHost(oidcProviderArn);
  const accountId = oidcProviderArn.split(":")[4];

  /** A trust policy for tokens, under the operators given. */
  const tokenTrust = (conditions: object, action: string | string[] = "sts:AssumeRoleWithWebIdentity") =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { Federated: oidcProviderArn }, Action: action, Condition: conditions },
      ],
    });

  const claims = (namespace: string, name: string) => ({
    [`${issuer}:sub`]: sub(namespace, name),
    [`${issuer}:aud`]: "sts.amazonaws.com",
  });

  function roleLike(name: string, more: Partial<RoleFacts> = {}): RoleFacts {
    const { path = "/" } = more;
    return {
      name,
      arn: `arn:aws:iam::${accountId}:role${path}${name}`,
      path,
      description: "",
      maxSessionDuration: 3600,
      trustPolicy: "",
      tags: {},
      inlinePolicies: [],
      attachedPolicies: [],
      ...more,
    };
  }
  /** One stack of CloudFormation for each, whose role has a generated name; the ServiceAccount says that eksctl manages it. */
  function eksctl(namespace: string, name: string, more: Partial<RoleFacts> = {}): Laid {
    const role = roleLike(`eksctl-dev-addon-iamserviceaccount-${namespace}-${name}-Role1-AbC`.slice(0, 64), {
      trustPolicy: tokenTrust({ StringEquals: claims(namespace, name) }, ["sts:AssumeRoleWithWebIdentity"]),
      tags: {
        "alpha.eksctl.io/cluster-name": "dev",
        "alpha.eksctl.io/iamserviceaccount-name": `${namespace}/${name}`,
        "aws:cloudformation:stack-name": `eksctl-dev-addon-iamserviceaccount-${namespace}-${name}`,
      },
      attachedPolicies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
      inlinePolicies: [
        {
          name: `eksctl-dev-${name}-Policy1`,
          document: JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: "arn:aws:s3:::bucket/*" }],
          }),
        },
      ],
      ...more,
    });
    return {
      role,
      account: accountOf(namespace, name, role.arn, { labels: { "app.kubernetes.io/managed-by": "eksctl" } }),
    };
  }

  /** A name by prefix, a path, policies of its own; the ServiceAccount by `kubernetes_service_account`, which says automount. */
  function terraform(namespace: string, name: string, more: Partial<RoleFacts> = {}): Laid {
    const role = roleLike(`${name}-20260101000000000000000001`, {
      path: "/irsa/",
      description: `IRSA role for ${name}`,
      maxSessionDuration: 7200,
      permissionsBoundary: `arn:aws:iam::${accountId}:policy/boundary`,
      trustPolicy: tokenTrust({ StringEquals: claims(namespace, name) }),
      tags: { Terraform: "true" },
      attachedPolicies: [
        `arn:aws:iam::${accountId}:policy/irsa/${name}-20260101000000000000000002`,
        "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
      ],
      ...more,
    });
    return { role, account: accountOf(namespace, name, role.arn, { automountToken: true }) };
  }

  /** Under `assume_role_condition_test = "StringLike"` the module compares the audience so too. */
  const terraformLike = (namespace: string, name: string): Laid =>
    terraform(namespace, name, { trustPolicy: tokenTrust({ StringLike: claims(namespace, `${name}*`) }) });

  /** Applied by kubectl, from a manifest. */
  function cdk(namespace: string, name: string): Laid {
    const role = roleLike(`Dev-Cluster${name.replace("-", "")}Role0123ABCD-xYz`, {
      trustPolicy: tokenTrust({ StringEquals: claims(namespace, name) }),
      tags: { "aws:cloudformation:logical-id": "Role" },
      inlinePolicies: [
        {
          name: "DefaultPolicyA1B2C3",
          document: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              { Action: "s3:GetObject*", Effect: "Allow", Resource: ["arn:aws:s3:::a", "arn:aws:s3:::a/*"] },
              {
                Action: "kms:Decrypt",
                Effect: "Allow",
                Resource: "*",
                Condition: { Bool: { "aws:SecureTransport": true } },
              },
            ],
          }),
        },
      ],
    });
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}\n" };
    return {
      role,
      account: accountOf(namespace, name, role.arn, {
        labels: { "app.kubernetes.io/name": name },
        annotations,
      }),
    };
  }

  /** Its condition keys hold the provider's ARN, so that nobody can assume the role. */
  function pulumiAwsIam(namespace: string, name: string): Laid {
    const role = roleLike(`${name}-a1b2c3d`, {
      description: "",
      trustPolicy: tokenTrust({
        StringEquals: {
          [`${oidcProviderArn}:sub`]: [sub(namespace, name)],
          [`${oidcProviderArn}:aud`]: ["sts.amazonaws.com"],
        },
      }),
    });
    return { role, account: accountOf(namespace, name, role.arn) };
  }

  /** A role for EKS Pod Identity as eksctl, CDK and the Terraform module write its trust policy: for any association. */
  function podIdentity(namespace: string, name: string, more: Partial<ServiceAccountFacts> = {}): Laid {
    const role = roleLike(`pod-${name}`, {
      trustPolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "pods.eks.amazonaws.com" },
            Action: ["sts:AssumeRole", "sts:TagSession"],
          },
        ],
      }),
    });
    const association = {
      id: `a-${name}`,
      namespace,
      serviceAccount: name,
      roleArn: role.arn,
      tags: { team: "a" },
    };
    return { role, account: accountOf(namespace, name, undefined, more), association };
  }
  return { tokenTrust, claims, roleLike, eksctl, terraform, terraformLike, cdk, pulumiAwsIam, podIdentity };
}

export const layouts = layoutsFor(mocked);

export function estateOf(laid: readonly Laid[], more: Partial<Estate> = {}): Estate {
  const roles = new Map(laid.map(({ role }) => [role.arn, role]));
  return {
    cluster: {
      name: "dev",
      region,
      arn: `arn:aws:eks:${region}:${accountId}:cluster/dev`,
      endpoint: "https://0123.gr7.eu-central-1.eks.amazonaws.com",
      certificateAuthority: "Q0E=",
      issuer: `https://${issuerHost(mocked)}`,
    },
    oidcProviderArn: mocked,
    serviceAccounts: laid.flatMap(({ account }) => account ?? []),
    associations: laid.flatMap(({ association }) => association ?? []),
    roles: [...roles.values()],
    ...more,
  };
}
