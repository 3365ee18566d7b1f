import type {
  IrsaServiceAccount,
  IrsaServiceAccountArgs,
  ServiceAccountOptions,
} from "../components/irsa.ts";
import type { RoleKey } from "../iam/role.ts";

// The package's schema: what SDKs for other languages are generated from. TypeScript sees to it that it has exactly the
// arguments and outputs of the component. Source of the format: "Package schema", Pulumi docs.

const packageName = "eks-irsa";
export const serviceAccountToken = `${packageName}:index:IrsaServiceAccount`;

type Type =
  | { readonly type: "string" | "boolean" | "integer" }
  | { readonly type: "array"; readonly items: Type }
  | { readonly type: "object"; readonly additionalProperties: Type }
  | { readonly $ref: string }
  | { readonly oneOf: readonly Type[] };

type Property = Type & {
  readonly description: string;
  /** Whether it may not be an output of another resource. */
  readonly plain?: true;
};

const text: Type = { type: "string" };
const texts: Type = { type: "object", additionalProperties: text };
const any: Type = { $ref: "pulumi.json#/Any" };
const ofPackage = (name: string): Type => ({ $ref: `#/types/${packageName}:index:${name}` });
const nameOrPattern: Type = { oneOf: [text, ofPackage("Matching")] };

export const serviceAccountInputs: Readonly<
  Record<keyof IrsaServiceAccountArgs, Property & { readonly required?: true }>
> = {
  oidcProviderArn: {
    oneOf: [text, { type: "array", items: text }],
    required: true,
    description:
      "ARN of the cluster's IAM OIDC provider; several, for a role that several clusters' pods assume.",
  },
  namespace: { ...text, required: true, description: "Namespace of the ServiceAccount; it must exist." },
  serviceAccountName: {
    ...text,
    description: "Name of the ServiceAccount. Default: the component's own name.",
  },
  policies: {
    type: "array",
    items: any,
    plain: true,
    description:
      "What the role may do: names of AWS managed policies, ARNs, { name, arn }, { name, document }, or { bundle, ... }.",
  },
  role: {
    ...ofPackage("Role"),
    plain: true,
    description: "How the role is made, or which one is there already.",
  },
  otherSubjects: {
    type: "array",
    items: ofPackage("Subject"),
    plain: true,
    description: "More ServiceAccounts that the role admits. They are not made.",
  },
  audience: { ...text, plain: true, description: "Audience of the token. Default sts.amazonaws.com." },
  maxTrustPolicyCharacters: {
    type: "integer",
    plain: true,
    description: "Characters that the account's quota allows a trust policy, at most 4,096. Default 2,048.",
  },
  roleOnly: {
    type: "boolean",
    plain: true,
    description: "Make the role only, for a chart that brings its ServiceAccount. Default false.",
  },
  adopt: {
    type: "boolean",
    plain: true,
    description: "Annotate a ServiceAccount that is there already; it is never deleted. Default false.",
  },
  serviceAccount: {
    ...ofPackage("ServiceAccountOptions"),
    plain: true,
    description: "More about the ServiceAccount.",
  },
  identity: {
    ...ofPackage("IdentityMechanism"),
    plain: true,
    description: "How a pod gets the role's credentials. Default irsa.",
  },
  clusterName: { ...text, description: "Name of the EKS cluster; only pod-identity needs it." },
  tags: { ...texts, description: "Tags of the role." },
};

type OutputKey = Extract<
  keyof IrsaServiceAccount,
  "roleArn" | "roleName" | "namespace" | "serviceAccountName"
>;

const outputs: Readonly<Record<OutputKey, Property>> = {
  roleArn: { ...text, description: "ARN of the role." },
  roleName: { ...text, description: "Name of the role." },
  namespace: { ...text, description: "Namespace of the ServiceAccount." },
  serviceAccountName: { ...text, description: "Name of the ServiceAccount, once it is there." },
};

const role: Readonly<Record<RoleKey, Property>> = {
  arn: {
    ...text,
    description: "ARN of a role that is there already; it is used as it is, and nothing else may be given.",
  },
  name: { ...text, description: "Name, 1 to 64 characters. Default: made from the component's name." },
  namePrefix: {
    ...text,
    description: "What the name starts with, 1 to 38 characters; a unique end is added.",
  },
  path: { ...text, description: "Path, beginning and ending with a slash. Default /." },
  description: { ...text, description: "Description. Default: which ServiceAccount assumes it." },
  permissionsBoundary: { ...text, description: "ARN of the policy that bounds what the role may do." },
  maxSessionDuration: {
    type: "integer",
    description: "Seconds that a session may last, 3,600 to 43,200. Default 3,600.",
  },
};

const serviceAccount: Readonly<Record<keyof ServiceAccountOptions, Property>> = {
  labels: { ...texts, description: "Labels." },
  annotations: { ...texts, description: "Annotations beside those of IRSA." },
  tokenExpirationSeconds: {
    type: "integer",
    description: "Seconds that a pod's token lives, 600 to 86,400.",
  },
  stsRegionalEndpoints: { type: "boolean", description: "Whether SDKs call STS in their own region." },
  automountToken: {
    type: "boolean",
    description: "Whether pods get a token for the Kubernetes API too. Default false.",
  },
};

/** The whole schema, as the engine and the SDK generators take it. */
export function packageSchema(version: string): object {
  const object = (
    description: string,
    properties: Readonly<Record<string, Property>>,
    required?: string[],
  ) => ({
    type: "object",
    description,
    properties: shown(properties),
    required,
  });
  return {
    name: packageName,
    version,
    displayName: "EKS IRSA",
    description: "AWS permissions for a Kubernetes workload on EKS by IRSA, with no stored keys.",
    license: "Apache-2.0",
    keywords: ["pulumi", "aws", "eks", "irsa", "kind/component", "category/cloud"],
    meta: { supportPack: true },
    types: {
      [`${packageName}:index:Role`]: object("How an IAM role is made, or which one is there already.", role),
      [`${packageName}:index:ServiceAccountOptions`]: object("More about a ServiceAccount.", serviceAccount),
      [`${packageName}:index:Matching`]: object(
        "A pattern, in which * stands for any text and ? for one character.",
        { matching: { ...text, description: "The pattern: team-*." } },
        ["matching"],
      ),
      [`${packageName}:index:Subject`]: object(
        "A ServiceAccount that a role admits.",
        {
          namespace: { ...nameOrPattern, description: "Its namespace, or a pattern of namespaces." },
          serviceAccount: { ...nameOrPattern, description: "Its name, or a pattern of names." },
        },
        ["namespace", "serviceAccount"],
      ),
      [`${packageName}:index:IdentityMechanism`]: {
        type: "string",
        description: "How a pod gets the role's credentials.",
        enum: [
          { name: "Irsa", value: "irsa", description: "By the ServiceAccount's own token." },
          { name: "PodIdentity", value: "pod-identity", description: "By the EKS Pod Identity agent." },
        ],
      },
    },
    resources: {
      [serviceAccountToken]: {
        isComponent: true,
        description:
          "A Kubernetes ServiceAccount whose pods have the permissions of an IAM role of their own, and no keys.",
        inputProperties: shown(serviceAccountInputs),
        requiredInputs: Object.keys(serviceAccountInputs).filter(
          (key) => serviceAccountInputs[key as keyof IrsaServiceAccountArgs].required,
        ),
        properties: shown(outputs),
        required: Object.keys(outputs),
      },
    },
    language: {
      nodejs: { respectSchemaVersion: true },
      python: { respectSchemaVersion: true, pyproject: { enabled: true } },
      go: { respectSchemaVersion: true, generateResourceContainerTypes: true },
      csharp: { respectSchemaVersion: true },
      java: {},
    },
  };
}

/** Properties without what only this file needs. */
const shown = (properties: Readonly<Record<string, Property & { readonly required?: true }>>): object =>
  Object.fromEntries(
    Object.entries(properties).map(([key, { required: _, ...property }]) => [key, property]),
  );
