import { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { ServiceAccountPatch } from "@pulumi/kubernetes/core/v1/serviceAccountPatch.js";
import * as pulumi from "@pulumi/pulumi";
import { partitionOfArn } from "../iam/partition.ts";
import {
  awsManagedPolicyArn,
  type PolicyReference,
  policyWarnings,
  resolvePolicies,
} from "../iam/policies.ts";
import { automaticName, type NewRoleArgs, type RoleArgs, roleFaults } from "../iam/role.ts";
import {
  type Matching,
  podIdentityTrustPolicy,
  type Subject,
  stsAudience,
  trustPolicy,
  trustPolicyCharacters,
} from "../iam/trust-policy.ts";
import { forceFieldOwnership } from "./ownership.ts";

/** How a pod gets the role's credentials. */
export type IdentityMechanism = "irsa" | "pod-identity";

/** A ServiceAccount that the role admits beside the component's own. */
export interface SubjectArgs {
  readonly namespace: pulumi.Input<string> | Matching;
  readonly serviceAccount: pulumi.Input<string> | Matching;
}

export interface ServiceAccountOptions {
  /** Labels. Default none. */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;

  /** Annotations beside those of IRSA. Default none. */
  readonly annotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /** Seconds that a pod's token lives, 600 to 86,400. Default: the webhook's, 86,400. */
  readonly tokenExpirationSeconds?: number;

  /** Whether SDKs call STS in their own region. Default: the webhook's, true. */
  readonly stsRegionalEndpoints?: boolean;

  /**
   * Whether pods get a token for the Kubernetes API too. Default false: a pod that does not call it needs none. Has no
   * meaning with `adopt`.
   */
  readonly automountToken?: boolean;
}

export interface IrsaServiceAccountArgs {
  /**
   * ARN of the IAM OIDC provider of the cluster that the ServiceAccount lives in. It also tells the partition. With
   * several, the role can be assumed from each of these clusters; the ServiceAccount is made in the one that the
   * component's Kubernetes provider talks to.
   */
  readonly oidcProviderArn: pulumi.Input<string> | readonly pulumi.Input<string>[];

  /** Namespace of the ServiceAccount; it must exist. */
  readonly namespace: pulumi.Input<string>;

  /** Name of the ServiceAccount. Default: the component's own name. */
  readonly serviceAccountName?: pulumi.Input<string>;

  /**
   * What the role may do. At most ten managed policies and 10,240 characters of inline ones, which are IAM's quotas.
   * Plain values, since they decide which resources there are. Default nothing.
   *
   * @example ["AmazonS3ReadOnlyAccess", { name: "table", arn: tablePolicy.arn }]
   */
  readonly policies?: readonly PolicyReference[];

  /**
   * How the role is made, or which one is there already.
   *
   * @example { namePrefix: "reader-", path: "/team-a/", maxSessionDuration: 7200 }
   * @example { arn: "arn:aws:iam::111122223333:role/reader" }
   */
  readonly role?: RoleArgs;

  /** More ServiceAccounts that the role admits. They are not made. Default none. */
  readonly otherSubjects?: readonly SubjectArgs[];

  /** Audience of the token; the OIDC provider must list it. Default `sts.amazonaws.com`. */
  readonly audience?: string;

  /** Characters that the account's quota allows a trust policy, at most 4,096. Default 2,048. */
  readonly maxTrustPolicyCharacters?: number;

  /** Make the role only, for a chart that brings its ServiceAccount: give it the `roleArn`. Default false. */
  readonly roleOnly?: boolean;

  /**
   * Annotate a ServiceAccount that is there already, whoever made it. Only the fields set here are taken over, and on
   * destroy they are given back; the ServiceAccount itself is never deleted. Default false.
   */
  readonly adopt?: boolean;

  readonly serviceAccount?: ServiceAccountOptions;

  /**
   * `irsa`, or `pod-identity`: EKS Pod Identity, which needs the agent add-on in the cluster and `clusterName`. To
   * switch replaces neither the role nor the ServiceAccount; pods take it up when they restart. Default `irsa`.
   */
  readonly identity?: IdentityMechanism;

  /** Name of the EKS cluster; only `pod-identity` needs it. */
  readonly clusterName?: pulumi.Input<string>;

  /** Tags of the role. Default none. */
  readonly tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Arguments that cannot be used; nothing was registered. */
export class IrsaArgumentError extends Error {
  /** The argument, with its path: `role.maxSessionDuration`. */
  readonly key: string;

  constructor(key: string, holds: unknown, problem: string) {
    super(holds === undefined ? `${key}: ${problem}.` : `${key} holds ${JSON.stringify(holds)}; ${problem}.`);
    this.key = key;
    this.name = "IrsaArgumentError";
  }
}

/**
 * A Kubernetes ServiceAccount whose pods have the permissions of an IAM role of their own, and no keys.
 *
 * It makes the role, whose trust policy admits just this ServiceAccount of just this cluster; one attachment or
 * inline policy for each entry of `policies`; and the ServiceAccount with the `eks.amazonaws.com/role-arn`
 * annotation, by which EKS's pod identity webhook gives a pod the token and the environment that AWS SDKs look for.
 *
 * Give a workload that uses it `{ dependsOn: thisComponent }`, so that no pod starts before the role has its policies.
 *
 * @throws PolicyError, IrsaArgumentError at once, before anything is registered, when an argument is wrong.
 */
export class IrsaServiceAccount extends pulumi.ComponentResource {
  /** The IAM role; undefined when it was there already. */
  readonly role?: Role;
  /** The ServiceAccount; undefined with `roleOnly`. */
  readonly serviceAccount?: ServiceAccount | ServiceAccountPatch;
  /** With `pod-identity`: what ties the role to the ServiceAccount. */
  readonly association?: PodIdentityAssociation;

  readonly roleArn: pulumi.Output<string>;
  readonly roleName: pulumi.Output<string>;
  readonly namespace: pulumi.Output<string>;
  readonly serviceAccountName: pulumi.Output<string>;

  constructor(name: string, args: IrsaServiceAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    const policies = resolvePolicies(args.policies ?? []);
    checkArguments(args);
    super("eks-irsa:index:IrsaServiceAccount", name, {}, opts);
    const parent = { parent: this };
    for (const warning of policyWarnings(policies)) void pulumi.log.warn(warning, this);

    const providers = [args.oidcProviderArn].flat() as pulumi.Input<string>[];
    const serviceAccountName = args.serviceAccountName ?? name;

    if (args.role !== undefined && "arn" in args.role) {
      this.roleArn = pulumi.output(args.role.arn);
      this.roleName = this.roleArn.apply((arn) => arn.replace(/^.*\//, ""));
    } else {
      this.role = new Role(
        `${name}-role`,
        {
          ...automaticNameUnlessGiven(`${name}-role`, args.role),
          description: pulumi.interpolate`Assumed by the Kubernetes ServiceAccount ${args.namespace}/${serviceAccountName}`,
          ...args.role,
          assumeRolePolicy: pulumi.jsonStringify(trustOf(args, providers, serviceAccountName)),
          tags: args.tags,
        },
        parent,
      );
      this.roleArn = this.role.arn;
      this.roleName = this.role.name;
    }

    const partition = pulumi.output(providers[0] ?? "").apply(partitionOfArn);
    for (const policy of policies) {
      if (policy.kind === "inline") {
        new RolePolicy(
          `${name}-${policy.name}`,
          {
            role: this.roleName,
            name: policy.name,
            policy: partition.apply((partition) => JSON.stringify(policy.document(partition))),
          },
          parent,
        );
      } else {
        const policyArn =
          policy.kind === "managed"
            ? policy.arn
            : partition.apply((partition) => awsManagedPolicyArn(partition, policy.path));
        new RolePolicyAttachment(`${name}-${policy.name}`, { role: this.roleName, policyArn }, parent);
      }
    }

    this.namespace = pulumi.output(args.namespace);
    this.serviceAccountName = pulumi.output(serviceAccountName);
    if (!args.roleOnly) {
      const metadata = {
        name: serviceAccountName,
        namespace: args.namespace,
        labels: args.serviceAccount?.labels,
        annotations: annotationsOf(args, this.roleArn),
      };
      this.serviceAccount = args.adopt
        ? new ServiceAccountPatch(`${name}-service-account`, { metadata }, parent)
        : new ServiceAccount(
            `${name}-service-account`,
            {
              metadata: { ...metadata, annotations: { ...metadata.annotations, ...forceFieldOwnership } },
              automountServiceAccountToken: args.serviceAccount?.automountToken ?? false,
            },
            parent,
          );
      // From the object, so that what uses these names waits until it is there.
      this.namespace = this.serviceAccount.metadata.namespace;
      this.serviceAccountName = this.serviceAccount.metadata.name;
    }
    if (args.identity === "pod-identity") {
      this.association = new PodIdentityAssociation(
        `${name}-association`,
        {
          clusterName: args.clusterName ?? "",
          namespace: this.namespace,
          serviceAccount: this.serviceAccountName,
          roleArn: this.roleArn,
          tags: args.tags,
        },
        parent,
      );
    }

    this.registerOutputs({
      roleArn: this.roleArn,
      roleName: this.roleName,
      namespace: this.namespace,
      serviceAccountName: this.serviceAccountName,
    });
  }
}

/** Finds what the types cannot: these values may come from a configuration file. */
function checkArguments(args: IrsaServiceAccountArgs): void {
  const fail = (key: string, holds: unknown, problem: string): never => {
    throw new IrsaArgumentError(key, holds, problem);
  };
  const [fault] = args.role ? roleFaults(args.role) : [];
  if (fault) fail(`role.${fault.key}`, (args.role as Record<string, unknown>)[fault.key], fault.problem);
  const existing = args.role !== undefined && "arn" in args.role;
  if (existing && (args.policies ?? []).length > 0) {
    fail("policies", undefined, "a role that is there already keeps its policies; leave these out");
  }
  if (existing && args.roleOnly)
    fail("roleOnly", true, "with a role that is there already nothing is left to make");
  if (args.roleOnly && args.adopt)
    fail("adopt", true, "with roleOnly there is no ServiceAccount to adopt; leave out one of the two");
  if (Array.isArray(args.oidcProviderArn) && args.oidcProviderArn.length === 0) {
    fail("oidcProviderArn", [], "it must name at least one OIDC provider");
  }
  const limit = args.maxTrustPolicyCharacters;
  const { default: least, most } = trustPolicyCharacters;
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= least && limit <= most)) {
    fail("maxTrustPolicyCharacters", limit, `it must be a whole number from ${least} to ${most}`);
  }
  if (args.identity === "pod-identity") {
    if (args.clusterName === undefined)
      fail("clusterName", undefined, "EKS Pod Identity needs the name of the cluster");
    if (args.audience !== undefined)
      fail("audience", args.audience, "EKS Pod Identity has no audience; leave it out");
  }
  const { annotations = {}, tokenExpirationSeconds: seconds } = args.serviceAccount ?? {};
  const reserved = Object.keys(annotations).find((key) => key.startsWith("eks.amazonaws.com/"));
  if (reserved !== undefined) {
    fail(
      `serviceAccount.annotations["${reserved}"]`,
      annotations[reserved],
      "the component sets it by its own arguments; leave it out",
    );
  }
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 600 && seconds <= 86_400)) {
    fail(
      "serviceAccount.tokenExpirationSeconds",
      seconds,
      "it must be a whole number of seconds from 600 to 86400",
    );
  }
}

const automaticNameUnlessGiven = (resourceName: string, role: NewRoleArgs | undefined) =>
  role?.name === undefined && role?.namePrefix === undefined ? automaticName(resourceName) : {};

function trustOf(
  args: IrsaServiceAccountArgs,
  providers: readonly pulumi.Input<string>[],
  serviceAccount: pulumi.Input<string>,
) {
  const own: SubjectArgs = { namespace: args.namespace, serviceAccount };
  const others = args.otherSubjects ?? [];
  return pulumi
    .all([pulumi.all([...providers]), pulumi.output([own, ...others])])
    .apply(([oidcProviderArn, subjects]) => {
      if (args.identity === "pod-identity") return podIdentityTrustPolicy(subjects as Subject[]);
      const [first, ...otherSubjects] = subjects as [Subject, ...Subject[]];
      return trustPolicy({
        ...first,
        oidcProviderArn,
        otherSubjects,
        audience: args.audience,
        maxCharacters: args.maxTrustPolicyCharacters,
      });
    });
}

/** Source: README of github.com/aws/amazon-eks-pod-identity-webhook. */
function annotationsOf(
  { identity, audience, serviceAccount = {} }: IrsaServiceAccountArgs,
  roleArn: pulumi.Output<string>,
): Record<string, pulumi.Input<string>> {
  const { annotations, tokenExpirationSeconds, stsRegionalEndpoints } = serviceAccount;
  // Under Pod Identity the association says it all, and an annotated pod would get both.
  if (identity === "pod-identity") return { ...annotations };
  return {
    ...annotations,
    "eks.amazonaws.com/role-arn": roleArn,
    ...(audience !== undefined && audience !== stsAudience ? { "eks.amazonaws.com/audience": audience } : {}),
    ...(tokenExpirationSeconds !== undefined
      ? { "eks.amazonaws.com/token-expiration": String(tokenExpirationSeconds) }
      : {}),
    ...(stsRegionalEndpoints !== undefined
      ? { "eks.amazonaws.com/sts-regional-endpoints": String(stsRegionalEndpoints) }
      : {}),
  };
}
