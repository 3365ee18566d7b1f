import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ValidatingAdmissionPolicy } from "@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicy.js";
import { ValidatingAdmissionPolicyBinding } from "@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicyBinding.js";
import * as pulumi from "@pulumi/pulumi";
import type { IdentityMechanism } from "./irsa-identity.ts";
import { tokenFolder } from "./pod-additions.ts";
import { goesFirst } from "./replacement.ts";

// No pod without its identity. EKS's webhook lets a pod pass as it is where it is away, or does not know of the
// ServiceAccount's role or association yet; and a pod that was not given its identity never gets it. So the API server
// refuses such a pod, whose controller makes it again: until the webhook has caught up.

/** Whose pods are checked, and for what. */
export interface Admission {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly mechanism: IdentityMechanism;
  readonly roleArn: string;
  /** With `irsa`: whether the pods' SDKs go on to a second role, by `podAdditions`. Default false. */
  readonly chained?: boolean;
}

/**
 * How long after a change of a policy the API servers may still judge without it: each reads the policies once a second
 * (k8s.io/apiserver, policy_source.go), and times are told in whole seconds. There is nothing to ask whether all have read it.
 */
const secondsUntilInForce = 3;

/** The longest name that Kubernetes takes. */
const longestName = 253;

/** The name of the policy and of its binding, which the whole cluster shares. */
export function admissionName({
  namespace,
  serviceAccount,
}: Pick<Admission, "namespace" | "serviceAccount">): string {
  const name = `eks-irsa.${namespace}.${serviceAccount}`; // a namespace has no dots
  if (name.length <= longestName) return name;
  return `eks-irsa.${namespace}.${createHash("sha256").update(serviceAccount).digest("hex")}`;
}

/** A text in CEL, which knows JSON's escapes. */
const quoted = (text: string): string => JSON.stringify(text);

const variable = (name: string, test = "e.value != ''"): string =>
  `c.env.exists(e, e.name == ${quoted(name)} && has(e.value) && ${test})`;

/** What the webhook gives a container by each mechanism, each as a test of the container `c`, which has variables. */
function given({ mechanism, roleArn, chained }: Admission): Record<string, string> {
  if (mechanism === "pod-identity") {
    return {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    };
  }
  return {
    AWS_ROLE_ARN: variable("AWS_ROLE_ARN", `e.value == ${quoted(roleArn)}`),
    // The template of a chained pod has this variable empty, so that SDKs go by the profile.
    ...(chained
      ? {
          "the token": `has(c.volumeMounts) && c.volumeMounts.exists(m, m.mountPath == ${quoted(tokenFolder)})`,
        }
      : { AWS_WEB_IDENTITY_TOKEN_FILE: variable("AWS_WEB_IDENTITY_TOKEN_FILE") }),
  };
}

/**
 * The spec of the ValidatingAdmissionPolicy (Kubernetes 1.30 and later). It looks at what the webhook looks at: not at pods
 * that ask not to be mutated at all, nor at containers that the pod's annotation leaves out.
 */
export function admissionSpec(admission: Admission) {
  const { namespace, serviceAccount, mechanism } = admission;
  const needed = given(admission);
  const has = Object.values(needed);
  /** Names of the containers of a list that have not what they need. */
  const lacking = (list: string): string =>
    `${list}.filter(c, !(c.name in variables.skipped) && !(has(c.env) && ${has.join(" && ")})).map(c, c.name)`;
  return {
    failurePolicy: "Fail",
    matchConstraints: {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
      // As the webhook has it: such a pod never gets anything.
      objectSelector: {
        matchExpressions: [{ key: "eks.amazonaws.com/skip-pod-identity-webhook", operator: "DoesNotExist" }],
      },
      resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
    },
    matchConditions: [
      {
        name: "service-account",
        expression: `has(object.spec.serviceAccountName) && object.spec.serviceAccountName == ${quoted(serviceAccount)}`,
      },
    ],
    variables: [
      {
        name: "skipped",
        expression:
          "has(object.metadata.annotations) && 'eks.amazonaws.com/skip-containers' in object.metadata.annotations" +
          " ? object.metadata.annotations['eks.amazonaws.com/skip-containers'].split(',') : []",
      },
      {
        name: "lacking",
        expression: `${lacking("object.spec.containers")} + (has(object.spec.initContainers) ? ${lacking("object.spec.initContainers")} : [])`,
      },
    ],
    validations: [
      {
        expression: "variables.lacking.size() == 0",
        messageExpression: `${quoted(
          `The pod identity webhook has not given it ${Object.keys(needed).join(" and ")}${
            mechanism === "irsa" ? ` for ${admission.roleArn}` : ""
          } yet: containers `,
        )} + variables.lacking.join(', ')`,
        message: `The pod identity webhook has not given each container ${Object.keys(needed).join(" and ")} yet.`,
        reason: "Forbidden",
      },
    ],
  };
}

/**
 * Makes the policy and its binding, and gives the binding once the API servers judge by it. They are gone with the ServiceAccount
 * that they are for.
 */
export function enforceAdmission(
  name: string,
  given: { readonly [Key in keyof Admission]: pulumi.Input<Admission[Key]> },
  parent: pulumi.CustomResourceOptions,
): pulumi.Input<ValidatingAdmissionPolicyBinding> {
  const admission = pulumi.output(given) as pulumi.Output<Admission>;
  const policy = new ValidatingAdmissionPolicy(
    `${name}-admission`,
    { metadata: { name: admission.apply(admissionName) }, spec: admission.apply(admissionSpec) },
    { ...parent, ...goesFirst },
  );
  const binding = new ValidatingAdmissionPolicyBinding(
    `${name}-admission`,
    {
      metadata: { name: policy.metadata.name },
      spec: { policyName: policy.metadata.name, validationActions: ["Deny"] },
    },
    { ...parent, ...goesFirst },
  );
  if (pulumi.runtime.isDryRun()) return binding;
  return pulumi.all([policy.metadata, binding.metadata]).apply(async (metadata) => {
    await sleep(millisecondsUntilInForce(metadata, Date.now()));
    return binding;
  });
}

/**
 * How long the API servers may still judge without these objects: 0 where their last change is long ago, or unknown as under
 * mocks. Never longer than after a change, however the clocks of here and there differ.
 */
export function millisecondsUntilInForce(
  objects: readonly {
    readonly creationTimestamp?: string;
    readonly managedFields?: readonly { readonly time?: string }[];
  }[],
  now: number,
): number {
  const changes = objects
    .flatMap(({ creationTimestamp, managedFields = [] }) => [
      creationTimestamp,
      ...managedFields.map(({ time }) => time),
    ])
    .map((time) => Date.parse(time ?? "") || 0);
  const patience = secondsUntilInForce * 1000;
  return Math.min(patience, Math.max(0, ...changes.map((change) => change + patience - now)));
}
