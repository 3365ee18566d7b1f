import { createHash } from "node:crypto";
import { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation.js";
import { Policy } from "@pulumi/aws/iam/policy.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { ServiceAccountPatch } from "@pulumi/kubernetes/core/v1/serviceAccountPatch.js";
import * as pulumi from "@pulumi/pulumi";
import { partitionIn, partitionOfArn, partitionRule } from "../iam/partition.ts";
import { awsManagedPolicyArn, policyWarnings } from "../iam/policies.ts";
import { automaticName } from "../iam/role.ts";
import { type Subject, stsAudience } from "../iam/trust-policy.ts";
import { ArgumentError } from "../iam/validation.ts";
import {
  type CheckedIrsaArguments,
  checkIrsaArguments,
  type IrsaServiceAccountArgs,
  placementFaults,
  trustPolicyFor,
} from "./irsa-arguments.ts";

export type {
  IdentityMechanism,
  IrsaServiceAccountArgs,
  NewRoleArgs,
  PolicyReference,
  RoleArgs,
  SubjectArgs,
} from "./irsa-arguments.ts";

/** Characters that IAM takes in the name of a managed policy. */
const longestPolicyName = 128;

/**
 * A Kubernetes ServiceAccount whose pods have the permissions of an IAM role of their own, and no keys.
 *
 * It makes the role, whose trust policy admits just this ServiceAccount of just this cluster; one attachment or
 * inline policy for each entry of `policies`; and the ServiceAccount with the `eks.amazonaws.com/role-arn`
 * annotation, by which EKS's pod identity webhook gives a pod the token and the environment that AWS SDKs look for.
 *
 * Give a workload that uses it `{ dependsOn: thisComponent }`, so that no pod starts before the role has its policies.
 *
 * Give it a Kubernetes provider with `enableServerSideApply: false`, as a cluster's `provider` here has: with server-side
 * apply Pulumi takes a ServiceAccount of that name over, where there is one, and deletes it with the stack. (Not with `adopt`.)
 *
 * @throws ArgumentError at once, before anything is registered, when an argument is wrong; it names each.
 */
export class IrsaServiceAccount extends pulumi.ComponentResource {
  /** The IAM role; undefined when it was there already. */
  readonly role?: Role;
  /** The ServiceAccount; undefined with `roleOnly`. */
  readonly serviceAccount?: ServiceAccount | ServiceAccountPatch;
  /** With `pod-identity`: what ties the role to the ServiceAccount. */
  readonly association?: PodIdentityAssociation;

  /** ARN of the role. */
  readonly roleArn: pulumi.Output<string>;
  /** Name of the role. */
  readonly roleName: pulumi.Output<string>;
  /** Namespace of the ServiceAccount. */
  readonly namespace: pulumi.Output<string>;
  /** Name of the ServiceAccount, once it is there. */
  readonly serviceAccountName: pulumi.Output<string>;
  /**
   * What a pod is admitted with, as annotations for its template: the role's ARN, the mechanism, and a digest of all that
   * decides what the role allows and the token is for. A pod keeps what it was admitted with, so a change must make it
   * anew: with these in its template its controller does, and a rollout that waits for readiness then proves the new.
   *
   * @example template: { metadata: { labels, annotations: irsa.podAnnotations } }
   */
  readonly podAnnotations: pulumi.Output<Record<string, string>>;

  constructor(name: string, given: IrsaServiceAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = checkIrsaArguments(name, given);
    super("eks-irsa:index:IrsaServiceAccount", name, {}, opts);
    const parent = { parent: this };
    const { policies, role, tags } = args;
    for (const warning of policyWarnings(policies)) void pulumi.log.warn(warning, this);

    const partition = pulumi.output(args.oidcProviderArns[0] ?? "").apply(partitionOfArn);
    /** An ARN that is known later is judged then. */
    const inPartition = (path: readonly PropertyKey[], arn: pulumi.Input<string>): pulumi.Output<string> =>
      pulumi.all([arn, partition]).apply(([arn, partition]) => {
        if (partitionIn(arn) === partition) return arn;
        throw new ArgumentError([{ path, holds: arn, problem: partitionRule(partition) }]);
      });

    if (role !== undefined && "arn" in role) {
      this.roleArn = inPartition(["role", "arn"], role.arn);
      this.roleName = this.roleArn.apply((arn) => arn.replace(/^.*\//, ""));
    } else {
      const boundary = role?.permissionsBoundary;
      this.role = new Role(
        `${name}-role`,
        {
          ...(role?.name === undefined && role?.namePrefix === undefined
            ? automaticName(`${name}-role`)
            : {}),
          description:
            args.description ??
            pulumi.interpolate`Assumed by the Kubernetes ServiceAccount ${args.namespace}/${args.serviceAccount}`,
          ...role,
          permissionsBoundary:
            typeof boundary === "object" ? inPartition(["role", "permissionsBoundary"], boundary) : boundary,
          assumeRolePolicy: pulumi.jsonStringify(trustPolicyOf(args)),
          tags,
        },
        parent,
      );
      this.roleArn = this.role.arn;
      this.roleName = this.role.name;
    }

    const allowed: pulumi.Output<unknown>[] = [];
    for (const policy of policies) {
      const resource = `${name}-${policy.name}`;
      const attach = (policyArn: pulumi.Input<string>): void => {
        allowed.push(pulumi.output(policyArn));
        new RolePolicyAttachment(resource, { role: this.roleName, policyArn }, parent);
      };
      switch (policy.kind) {
        case "aws-managed":
          attach(partition.apply((partition) => awsManagedPolicyArn(partition, policy.path)));
          break;
        case "managed":
          // A plain one stays known in a preview, which else would show a replacement where the provider is not.
          attach(
            typeof policy.arn === "string"
              ? policy.arn
              : inPartition(["policies", policy.reference ?? 0, "arn"], policy.arn),
          );
          break;
        default: {
          const document = partition.apply((partition) => JSON.stringify(policy.document(partition)));
          allowed.push(document);
          if (policy.kind === "inline") {
            new RolePolicy(resource, { role: this.roleName, name: policy.name, policy: document }, parent);
          } else {
            const unique = automaticName(resource, longestPolicyName);
            attach(new Policy(resource, { ...unique, policy: document, tags }, parent).arn);
          }
        }
      }
    }

    this.namespace = pulumi.output(args.namespace);
    this.serviceAccountName = pulumi.output(args.serviceAccount);
    if (!args.roleOnly) {
      const metadata = {
        name: args.serviceAccount,
        namespace: args.namespace,
        labels: args.labels,
        annotations: annotationsOf(args, this.roleArn),
      };
      this.serviceAccount = args.adopt
        ? adopted(name, metadata, parent)
        : new ServiceAccount(
            `${name}-service-account`,
            { metadata, automountServiceAccountToken: args.automountToken },
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
          tags,
        },
        parent,
      );
    }

    // As given, not as AWS tells it back: the same program makes the same digest, whatever had drifted.
    const decisive = {
      policies: allowed,
      permissionsBoundary: role !== undefined && "arn" in role ? undefined : role?.permissionsBoundary,
      trust: this.role && trustPolicyOf(args),
      serviceAccount: args.serviceAccount,
      audience: args.audience,
      tokenExpirationSeconds: args.tokenExpirationSeconds,
      stsRegionalEndpoints: args.stsRegionalEndpoints,
    };
    this.podAnnotations = pulumi.all([this.roleArn, pulumi.jsonStringify(decisive)]).apply(
      ([arn, all]): Record<string, string> => ({
        "eks-irsa/role-arn": arn,
        "eks-irsa/identity": args.identity,
        "eks-irsa/digest": createHash("sha256").update(all).digest("hex").slice(0, 12),
      }),
    );

    this.registerOutputs({
      roleArn: this.roleArn,
      roleName: this.roleName,
      namespace: this.namespace,
      serviceAccountName: this.serviceAccountName,
      podAnnotations: this.podAnnotations,
    });
  }
}

function trustPolicyOf(args: CheckedIrsaArguments) {
  return pulumi
    .all([pulumi.all(args.oidcProviderArns), pulumi.output([args, ...args.otherSubjects].map(subjectOf))])
    .apply(([oidcProviderArns, subjects]) => {
      // A provider that was not known before tells the partition now.
      const faults = placementFaults(args, {
        partition: partitionOfArn(oidcProviderArns[0] ?? ""),
        oidcProviderArns,
      });
      if (faults.length > 0) throw new ArgumentError(faults);
      return trustPolicyFor(args, oidcProviderArns, subjects as Subject[]);
    });
}

/**
 * Annotates a ServiceAccount that is there. It is looked up first, which fails, in a preview too, where it is not: to patch
 * what is missing would make it, and nobody would ever delete it.
 */
function adopted(
  name: string,
  metadata: { readonly name: pulumi.Input<string>; readonly namespace: pulumi.Input<string> },
  parent: pulumi.CustomResourceOptions,
): ServiceAccountPatch {
  const id = pulumi.interpolate`${metadata.namespace}/${metadata.name}`;
  const found = ServiceAccount.get(`${name}-to-adopt`, id, parent);
  // Without it the patch could come first, and make the ServiceAccount that is then found.
  return new ServiceAccountPatch(`${name}-service-account`, { metadata }, { ...parent, dependsOn: found });
}

const subjectOf = <T>({
  namespace,
  serviceAccount,
}: {
  readonly namespace: T;
  readonly serviceAccount: T;
}) => ({
  namespace,
  serviceAccount,
});

/** Source: README of github.com/aws/amazon-eks-pod-identity-webhook. */
function annotationsOf(
  { identity, audience, annotations, tokenExpirationSeconds, stsRegionalEndpoints }: CheckedIrsaArguments,
  roleArn: pulumi.Output<string>,
): Record<string, pulumi.Input<string>> {
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
