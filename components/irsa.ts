import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import * as pulumi from "@pulumi/pulumi";
import { partitionOfArn } from "./partition";
import { awsManagedPolicyArn, type PolicyReference, resolvePolicies } from "./policies";
import { trustPolicy } from "./trust-policy";

export interface IrsaServiceAccountArgs {
  /** ARN of the IAM OIDC provider of the cluster that the ServiceAccount lives in. It also tells the partition. */
  readonly oidcProviderArn: pulumi.Input<string>;

  /** Namespace of the ServiceAccount; it must exist. */
  readonly namespace: pulumi.Input<string>;

  /** Name of the ServiceAccount. Default: the component's own name. */
  readonly serviceAccountName?: pulumi.Input<string>;

  /**
   * What the role may do. At most ten managed policies and 10,240 characters of inline ones, which are IAM's quotas.
   * Plain values, since they decide which resources there are.
   *
   * @example ["AmazonS3ReadOnlyAccess", { name: "table", arn: tablePolicy.arn }]
   */
  readonly policies: readonly PolicyReference[];

  /** Tags of the role. Default none. */
  readonly tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * A Kubernetes ServiceAccount whose pods have the permissions of an IAM role of their own, and no keys (IRSA).
 *
 * It makes the role, whose trust policy admits just this ServiceAccount of just this cluster; one attachment or
 * inline policy for each entry of `policies`; and the ServiceAccount with the `eks.amazonaws.com/role-arn`
 * annotation, by which EKS's pod identity webhook gives a pod the token and the environment that AWS SDKs look for.
 *
 * Give a workload that uses it `{ dependsOn: thisComponent }`, so that no pod starts before the role has its policies.
 *
 * @throws PolicyError at once, before anything is registered, when an entry of `policies` is wrong.
 */
export class IrsaServiceAccount extends pulumi.ComponentResource {
  /** The IAM role. */
  readonly role: Role;
  /** The annotated ServiceAccount. */
  readonly serviceAccount: ServiceAccount;

  readonly roleArn: pulumi.Output<string>;
  readonly roleName: pulumi.Output<string>;
  readonly namespace: pulumi.Output<string>;
  readonly serviceAccountName: pulumi.Output<string>;

  constructor(name: string, args: IrsaServiceAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    const policies = resolvePolicies(args.policies);
    super("eks-irsa:index:IrsaServiceAccount", name, {}, opts);
    const parent = { parent: this };

    const serviceAccountName = args.serviceAccountName ?? name;
    const partition = pulumi.output(args.oidcProviderArn).apply(partitionOfArn);
    const trust = pulumi
      .all([args.oidcProviderArn, args.namespace, serviceAccountName])
      .apply(([oidcProviderArn, namespace, serviceAccount]) =>
        trustPolicy({ oidcProviderArn, namespace, serviceAccount }),
      );

    this.role = new Role(
      `${name}-role`,
      {
        description: pulumi.interpolate`Assumed by the Kubernetes ServiceAccount ${args.namespace}/${serviceAccountName}`,
        assumeRolePolicy: pulumi.jsonStringify(trust),
        tags: args.tags,
      },
      parent,
    );

    for (const policy of policies) {
      if (policy.kind === "inline") {
        new RolePolicy(
          `${name}-${policy.name}`,
          { role: this.role.name, name: policy.name, policy: JSON.stringify(policy.document) },
          parent,
        );
      } else {
        const policyArn =
          policy.kind === "managed"
            ? policy.arn
            : partition.apply((partition) => awsManagedPolicyArn(partition, policy.path));
        new RolePolicyAttachment(`${name}-${policy.name}`, { role: this.role.name, policyArn }, parent);
      }
    }

    this.serviceAccount = new ServiceAccount(
      `${name}-service-account`,
      {
        metadata: {
          name: serviceAccountName,
          namespace: args.namespace,
          annotations: { "eks.amazonaws.com/role-arn": this.role.arn },
        },
      },
      parent,
    );

    this.roleArn = this.role.arn;
    this.roleName = this.role.name;
    this.namespace = this.serviceAccount.metadata.namespace;
    this.serviceAccountName = this.serviceAccount.metadata.name;
    this.registerOutputs({
      roleArn: this.roleArn,
      roleName: this.roleName,
      namespace: this.namespace,
      serviceAccountName: this.serviceAccountName,
    });
  }
}
