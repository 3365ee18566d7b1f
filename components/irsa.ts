import type { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation.js";
import type { Role } from "@pulumi/aws/iam/role.js";
import type { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import type { ServiceAccountPatch } from "@pulumi/kubernetes/core/v1/serviceAccountPatch.js";
import * as pulumi from "@pulumi/pulumi";
import { policyWarnings } from "../iam/policies.ts";
import { enforceAdmission } from "./admission.ts";
import { homePartition, inPartition } from "./home-partition.ts";
import { checkIrsaArguments, type IrsaServiceAccountArgs } from "./irsa-arguments.ts";
import { associations } from "./irsa-associations.ts";
import { givePolicies, rolePolicies } from "./irsa-policies.ts";
import { newRole } from "./irsa-role.ts";
import { annotatedServiceAccount } from "./irsa-service-account.ts";
import {
  allowNextRoles,
  associatedTrustPolicy,
  chainConfig,
  chainedTrustPolicy,
  nextRoles,
} from "./next-role.ts";
import { type PodAdditions, podAdditions } from "./pod-additions.ts";
import { podAnnotations } from "./pod-annotations.ts";

export type {
  AdmissionMode,
  IrsaServiceAccountArgs,
  NewRoleArgs,
  PolicyReference,
  RoleArgs,
  SubjectArgs,
} from "./irsa-arguments.ts";
export type {
  ChainArgs,
  IdentityArgs,
  IdentityMechanism,
  MigratingIdentity,
  SessionArgs,
  TargetRoleArgs,
} from "./irsa-identity.ts";

/**
 * A Kubernetes ServiceAccount whose pods have the permissions of an IAM role of their own, and no keys.
 *
 * It makes the role, whose trust policy admits just this ServiceAccount of just this cluster; gives it what `policies`
 * says; and makes the ServiceAccount with the `eks.amazonaws.com/role-arn` annotation, by which EKS's pod identity webhook
 * gives a pod the token and the environment that AWS SDKs look for.
 *
 * A role made here has the managed policies that are said here and no others: one that is no longer said is detached before
 * a workload that depends on this component is touched, so that none is proved with permissions that then go; and one that
 * somebody attached by hand is drift, which a refresh finds and the next `up` takes away. An inline one that is no longer
 * said goes last, after the workload was proved with it: say `attach: "managed"` of what that must not happen to. A role
 * that is there already keeps what it has.
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
  /** With `pod-identity`: what ties the role to each of `otherSubjects`, in their order. */
  readonly otherAssociations: readonly PodIdentityAssociation[] = [];

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
  /**
   * With `chain`, or on the way from one mechanism to another: what a pod's template must have beside `podAnnotations`, as
   * `env` and `volumeMounts` of each container and `volumes` of the pod. Absent where the webhook gives all that is needed.
   */
  readonly podAdditions?: PodAdditions;
  /** With `targetRole` or `chain`: what the trust policy of that role must hold, as JSON, for whoever owns it. */
  readonly targetTrustPolicy?: pulumi.Output<string>;

  constructor(name: string, given: IrsaServiceAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = checkIrsaArguments(name, given);
    super("eks-irsa:index:IrsaServiceAccount", name, {}, opts);
    const parent = { parent: this };
    for (const warning of policyWarnings(args.policies)) void pulumi.log.warn(warning, this);

    const partition = homePartition(args);
    const policies = rolePolicies(name, args, partition, parent);
    const next = nextRoles(args, partition);
    const permissions: pulumi.Resource[] = [];
    if (args.role !== undefined && "arn" in args.role) {
      this.roleArn = inPartition(partition, ["role", "arn"], args.role.arn);
      this.roleName = this.roleArn.apply((arn) => arn.replace(/^.*\//, ""));
    } else {
      this.role = newRole(name, args, args.role, { partition, policies: policies.own }, parent);
      this.roleArn = this.role.arn;
      this.roleName = this.role.name;
      permissions.push(
        ...givePolicies(name, this.role, policies, parent),
        ...allowNextRoles(name, this.role, args, next, parent),
      );
    }

    const { roleArn } = this;
    const { namespace, serviceAccount, phase } = args;
    const guard =
      args.admission === "enforced"
        ? enforceAdmission(
            name,
            {
              namespace,
              serviceAccount,
              mechanism: phase.mechanism,
              roleArn,
              chained: next.chained !== undefined,
            },
            parent,
          )
        : undefined;
    if (!args.roleOnly) {
      // Without the guard there could be pods before it: no pod is admitted before its ServiceAccount is there.
      const guarded = { ...parent, dependsOn: guard };
      this.serviceAccount = annotatedServiceAccount(name, args, roleArn, guarded);
    }
    // From the object, so that what uses these names waits until it is there.
    this.namespace = this.serviceAccount?.metadata.namespace ?? pulumi.output(namespace);
    this.serviceAccountName = this.serviceAccount?.metadata.name ?? pulumi.output(serviceAccount);

    if (phase.associated) {
      const own = { namespace: this.namespace, serviceAccount: this.serviceAccountName };
      const roles = { roleArn, targetRoleArn: next.target };
      const { association, otherAssociations } = associations(name, args, own, roles, parent);
      this.association = association;
      this.otherAssociations = otherAssociations;
      if (next.target) this.targetTrustPolicy = associatedTrustPolicy(roleArn, association, args);
    } else {
      const { audience, tokenExpirationSeconds } = args;
      const config = next.chained && chainConfig(name, { roleArn, ...next.chained }, this.namespace, parent);
      this.podAdditions = podAdditions({
        roleArn,
        webIdentity: phase.webIdentityInTemplate ? { audience, tokenExpirationSeconds } : undefined,
        configMap: config?.metadata.name,
      });
      if (next.chained) this.targetTrustPolicy = chainedTrustPolicy(roleArn, next.chained);
    }
    const settled = this.association ? [...permissions, this.association] : permissions;
    this.podAnnotations = podAnnotations(args, policies, roleArn, settled);

    this.registerOutputs({
      roleArn: this.roleArn,
      roleName: this.roleName,
      namespace: this.namespace,
      serviceAccountName: this.serviceAccountName,
      podAnnotations: this.podAnnotations,
    });
  }
}
