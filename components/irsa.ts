import { createHash } from "node:crypto";
import { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation.js";
import { Policy } from "@pulumi/aws/iam/policy.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { RolePolicyAttachmentsExclusive } from "@pulumi/aws/iam/rolePolicyAttachmentsExclusive.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { ServiceAccountPatch } from "@pulumi/kubernetes/core/v1/serviceAccountPatch.js";
import * as pulumi from "@pulumi/pulumi";
import { partitionIn, partitionOfArn, partitionRule } from "../iam/partition.ts";
import { awsManagedPolicyArn, policyWarnings } from "../iam/policies.ts";
import { automaticName } from "../iam/role.ts";
import { assumeRolePolicy, targetTrustPolicy } from "../iam/role-chaining.ts";
import type { Subject } from "../iam/trust-policy.ts";
import { ArgumentError } from "../iam/validation.ts";
import { enforceAdmission } from "./admission.ts";
import {
  annotationsOf,
  assumeRolePolicyName,
  type CheckedIrsaArguments,
  checkIrsaArguments,
  type IrsaServiceAccountArgs,
  placementFaults,
  policyResource,
  trustPolicyFor,
} from "./irsa-arguments.ts";

import { type AwsConfig, awsConfig, type PodAdditions, podAdditions } from "./pod-additions.ts";
import { goesFirst } from "./replacement.ts";

export type {
  AdmissionMode,
  ChainArgs,
  IdentityArgs,
  IdentityMechanism,
  IrsaServiceAccountArgs,
  MigratingIdentity,
  NewRoleArgs,
  PolicyReference,
  RoleArgs,
  SessionArgs,
  SubjectArgs,
  TargetRoleArgs,
} from "./irsa-arguments.ts";

/** Characters that IAM takes in the name of a managed policy. */
const longestPolicyName = 128;

/**
 * A Kubernetes ServiceAccount whose pods have the permissions of an IAM role of their own, and no keys.
 *
 * It makes the role, whose trust policy admits just this ServiceAccount of just this cluster; gives it what `policies`
 * says; and makes the ServiceAccount with the `eks.amazonaws.com/role-arn` annotation, by which EKS's pod identity webhook
 * gives a pod the token and the environment that AWS SDKs look for.
 *
 * A role made here has the managed policies that are said here and no others: one that is no longer said is detached before
 * a workload that depends on this component is touched, so that none is proved with permissions that then go; and one that
 * somebody attached by hand is drift, which a refresh finds and the next `up` takes away. A role that is there already keeps
 * what it has.
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
    const { policies, role, tags, phase, session } = args;
    for (const warning of policyWarnings(policies)) void pulumi.log.warn(warning, this);

    const partition = pulumi.output(args.oidcProviderArns[0] ?? "").apply(partitionOfArn);
    /** An ARN that is known later is judged then. */
    const inPartition = (path: readonly PropertyKey[], arn: pulumi.Input<string>): pulumi.Output<string> =>
      pulumi.all([arn, partition]).apply(([arn, partition]) => {
        if (partitionIn(arn) === partition) return arn;
        throw new ArgumentError([{ path, holds: arn, problem: partitionRule(partition) }]);
      });

    const policyArns: pulumi.Input<string>[] = [];
    const documents: pulumi.Output<string>[] = [];
    const inline: { readonly name: string; readonly policy: pulumi.Output<string> }[] = [];
    const ownPolicies: Policy[] = [];
    for (const policy of policies) {
      switch (policy.kind) {
        case "aws-managed":
          policyArns.push(partition.apply((partition) => awsManagedPolicyArn(partition, policy.path)));
          break;
        case "managed":
          // A plain one stays known in a preview, which else would show a change where the provider is not.
          policyArns.push(
            typeof policy.arn === "string"
              ? policy.arn
              : inPartition(["policies", policy.reference ?? 0, "arn"], policy.arn),
          );
          break;
        default: {
          const document = partition.apply((partition) => JSON.stringify(policy.document(partition)));
          documents.push(document);
          if (policy.kind === "inline") {
            inline.push({ name: policy.name, policy: document });
          } else {
            const resource = policyResource(name, policy);
            const unique = automaticName(resource, longestPolicyName);
            ownPolicies.push(new Policy(resource, { ...unique, policy: document, tags }, parent));
          }
        }
      }
    }

    if (role !== undefined && "arn" in role) {
      this.roleArn = inPartition(["role", "arn"], role.arn);
      this.roleName = this.roleArn.apply((arn) => arn.replace(/^.*\//, ""));
    } else {
      const boundary = role?.permissionsBoundary;
      this.role = new Role(
        // By its own name, where it has one, so that of two names each is a resource: a change that failed can be taken back.
        typeof role?.name === "string" ? `${name}-role-${role.name}` : `${name}-role`,
        {
          ...(role?.name === undefined && role?.namePrefix === undefined
            ? automaticName(`${name}-role`)
            : {}),
          description:
            args.description ??
            pulumi.interpolate`Assumed by the Kubernetes ServiceAccount ${args.namespace}/${args.serviceAccount}`,
          // All policies of the role are ours: they go with it.
          forceDetachPolicies: true,
          ...role,
          permissionsBoundary:
            typeof boundary === "object" ? inPartition(["role", "permissionsBoundary"], boundary) : boundary,
          assumeRolePolicy: pulumi.jsonStringify(trustPolicyOf(args)),
          tags,
        },
        // On destroy the role lets go of them, and IAM deletes none that is attached.
        { ...parent, dependsOn: ownPolicies },
      );
      this.roleArn = this.role.arn;
      this.roleName = this.role.name;
    }

    const permissions: pulumi.Resource[] = inline.map(
      (policy) => new RolePolicy(policyResource(name, policy), { role: this.roleName, ...policy }, parent),
    );
    if (this.role) {
      // One list and not a resource each: an `up` deletes last, and so would detach after it has proved the workload.
      permissions.push(
        new RolePolicyAttachmentsExclusive(
          `${name}-managed-policies`,
          { roleName: this.roleName, policyArns: [...policyArns, ...ownPolicies.map(({ arn }) => arn)] },
          parent,
        ),
      );
    }

    const target = args.targetRole && inPartition(["targetRole", "arn"], args.targetRole.arn);
    const chained = args.chain && inPartition(["chain", "role"], args.chain.role);
    if (this.role !== undefined && (target ?? chained) !== undefined) {
      // EKS's own hop under Pod Identity; under IRSA that of the pod's SDK, which has no tags to pass on.
      const hops = [
        ...(target ? [{ arn: target, sessionTags: session === undefined }] : []),
        ...(chained ? [{ arn: chained, sessionTags: false }] : []),
      ];
      const document = pulumi.all(hops).apply((hops) => JSON.stringify(assumeRolePolicy(hops)));
      permissions.push(
        new RolePolicy(
          `${name}-${assumeRolePolicyName}`,
          { role: this.roleName, name: assumeRolePolicyName, policy: document },
          parent,
        ),
      );
    }

    this.namespace = pulumi.output(args.namespace);
    this.serviceAccountName = pulumi.output(args.serviceAccount);
    const { namespace, serviceAccount } = args;
    const guard =
      args.admission === "enforced"
        ? enforceAdmission(
            name,
            { namespace, serviceAccount, mechanism: phase.mechanism, roleArn: this.roleArn },
            parent,
          )
        : undefined;
    // Without the guard there could be pods before it: no pod is admitted before its ServiceAccount is there.
    const guarded = { ...parent, dependsOn: guard };
    if (!args.roleOnly) {
      const metadata = {
        name: args.serviceAccount,
        namespace: args.namespace,
        labels: args.labels,
        annotations: annotationsOf(args, this.roleArn),
      };
      this.serviceAccount = args.adopt
        ? adopted(name, metadata, guarded)
        : new ServiceAccount(
            `${name}-service-account`,
            {
              metadata,
              automountServiceAccountToken: args.automountToken === "unset" ? undefined : args.automountToken,
            },
            // Others add these to a ServiceAccount that was imported with them: Kubernetes before 1.24, an administrator.
            { ...guarded, ...goesFirst, ignoreChanges: ["secrets", "imagePullSecrets"] },
          );
      // From the object, so that what uses these names waits until it is there.
      this.namespace = this.serviceAccount.metadata.namespace;
      this.serviceAccountName = this.serviceAccount.metadata.name;
    }
    if (phase.associated) {
      const [clusterName = ""] = args.clusterNames;
      const associate = (resource: string, subject: ReturnType<typeof subjectOf<pulumi.Input<string>>>) =>
        new PodIdentityAssociation(
          resource,
          {
            clusterName,
            ...subject,
            roleArn: this.roleArn,
            targetRoleArn: target,
            disableSessionTags: session?.disableTags,
            policy: session?.policy && JSON.stringify(session.policy),
            tags,
          },
          { ...parent, ...goesFirst },
        );
      this.association = associate(`${name}-association`, {
        namespace: this.namespace,
        serviceAccount: this.serviceAccountName,
      });
      this.otherAssociations = args.otherSubjects.map((subject) => {
        const { namespace, serviceAccount } = subject as Subject & Record<keyof Subject, string>;
        return associate(`${name}-association-${namespace}.${serviceAccount}`, { namespace, serviceAccount });
      });
    }

    const { roleArn } = this;
    const configMap =
      chained && phase.mechanism === "irsa"
        ? chainConfig(
            name,
            { roleArn, target: chained, externalId: args.chain?.externalId },
            this.namespace,
            parent,
          )
        : undefined;
    if (configMap || phase.webIdentityInTemplate) {
      const { audience, tokenExpirationSeconds } = args;
      const webIdentity = { roleArn, audience, tokenExpirationSeconds };
      this.podAdditions = podAdditions({
        webIdentity: phase.webIdentityInTemplate ? webIdentity : undefined,
        configMap: configMap?.metadata.name,
      });
    }
    if (configMap) {
      const { externalId } = args.chain ?? {};
      this.targetTrustPolicy = roleArn.apply((roleArn) =>
        JSON.stringify(targetTrustPolicy({ roleArn, externalId })),
      );
    } else if (target && this.association) {
      const { externalId, clusterName, namespace, serviceAccount } = this.association;
      // The tags say what EKS's external id says, each by its name.
      const caller = session ? { externalId } : { session: { clusterName, namespace, serviceAccount } };
      this.targetTrustPolicy = pulumi
        .output({ roleArn, ...caller })
        .apply((caller) => JSON.stringify(targetTrustPolicy(caller)));
    }

    // As given, not as AWS tells it back: the same program makes the same digest, whatever had drifted.
    const decisive = {
      policies: [policyArns, documents],
      permissionsBoundary: role !== undefined && "arn" in role ? undefined : role?.permissionsBoundary,
      trust: this.role && trustPolicyOf(args),
      serviceAccount: args.serviceAccount,
      audience: args.audience,
      tokenExpirationSeconds: args.tokenExpirationSeconds,
      stsRegionalEndpoints: args.stsRegionalEndpoints,
      targetRole: args.targetRole,
      session: args.session,
      chain: args.chain,
    };
    // By their URNs, what takes the annotations waits for all that they are about.
    const settled = [...permissions, this.association].map((resource) => resource?.urn);
    this.podAnnotations = pulumi.all([this.roleArn, pulumi.jsonStringify(decisive), settled]).apply(
      ([arn, all]): Record<string, string> => ({
        "eks-irsa/role-arn": arn,
        "eks-irsa/identity": phase.mechanism,
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
    .all([
      pulumi.all(args.oidcProviderArns),
      pulumi.all(args.clusterNames),
      pulumi.output([args, ...args.otherSubjects].map(subjectOf)),
    ])
    .apply(([oidcProviderArns, clusterNames, subjects]) => {
      const clusters = { oidcProviderArns, clusterNames };
      // A provider that was not known before tells the partition now.
      const faults = placementFaults(args, {
        partition: partitionOfArn(oidcProviderArns[0] ?? ""),
        ...clusters,
      });
      if (faults.length > 0) throw new ArgumentError(faults);
      return trustPolicyFor(args, { ...clusters, subjects: subjects as Subject[] });
    });
}

/** The AWS configuration that leads a pod's SDKs on to the second role. */
function chainConfig(
  name: string,
  chain: { readonly [Key in keyof AwsConfig]: pulumi.Input<AwsConfig[Key]> },
  namespace: pulumi.Output<string>,
  parent: pulumi.CustomResourceOptions,
): ConfigMap {
  const config = pulumi.output(chain).apply((chain) => awsConfig(chain as AwsConfig));
  return new ConfigMap(
    `${name}-aws-config`,
    { metadata: { name: config.name, namespace }, data: config.data, immutable: true },
    { ...parent, ...goesFirst },
  );
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
