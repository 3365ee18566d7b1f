import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { admissionModes } from "../components/irsa-arguments.ts";
import { identityMechanisms } from "../components/irsa-identity.ts";

// Makes the package's schema, from which SDKs for other languages are generated, out of the TypeScript declarations of
// the component's arguments and outputs: their names, types and comments stand there only. `node provider/generate.ts`
// writes `schema.json`, and a test fails where that is stale. Source of the format: "Package schema", Pulumi docs.

const root = join(import.meta.dirname, "..");
const packageName = "eks-irsa";

/** A property as TypeScript declares it. */
interface Declaration {
  readonly name: string;
  readonly optional: boolean;
  readonly type: string;
  readonly description: string;
}

/** The properties that an interface, or a class before its constructor, declares. */
function declarationsOf(file: string, name: string): Declaration[] {
  const source = readFileSync(join(root, file), "utf8");
  const body = new RegExp(
    `export (?:interface|class) ${name}\\b[^{]*\\{([\\s\\S]*?)\\n(?:\\}|  constructor\\()`,
  ).exec(source)?.[1];
  if (body === undefined) throw new Error(`${file} declares no ${name}.`);
  const property = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+)(\??): ([^;]+);/g;
  const found = [...body.matchAll(property)].map(([, comment = "", name = "", optional = "", type = ""]) => ({
    name,
    optional: optional === "?",
    type: type.replace(/\s+/g, " "),
    description: textOf(comment),
  }));
  const all = body.match(/^ {2}readonly /gm)?.length;
  if (found.length !== all) throw new Error(`${file}: not every property of ${name} has a comment.`);
  return found;
}

/** A comment without its stars, and without examples, which are in TypeScript. */
const textOf = (comment: string): string =>
  comment
    .replace(/@example[\s\S]*$/, "")
    .replace(/^\s*\*/gm, "")
    .replace(/\s+/g, " ")
    .trim();

const text = { type: "string" };
const enumName = (value: string): string =>
  value.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
const ofPackage = (name: string) => ({ $ref: `#/types/${packageName}:index:${name}` });
const anything = { $ref: "pulumi.json#/Any" };
const textMap = { type: "object", additionalProperties: text };

/** What a TypeScript type is in a schema. What is `plain` may not be an output of another resource. */
const types: Readonly<Record<string, { readonly [key: string]: unknown; readonly plain?: true }>> = {
  "pulumi.Input<string>": text,
  "pulumi.Output<string>": text,
  "pulumi.Output<Record<string, string>>": textMap,
  L: text,
  string: { ...text, plain: true },
  number: { type: "integer", plain: true },
  boolean: { type: "boolean", plain: true },
  'boolean | "unset"': { oneOf: [{ type: "boolean" }, text], plain: true },
  true: { type: "boolean", plain: true },
  "pulumi.Input<string> | readonly pulumi.Input<string>[]": { oneOf: [text, { type: "array", items: text }] },
  "pulumi.Input<Record<string, pulumi.Input<string>>>": textMap,
  "Readonly<Record<string, pulumi.Input<string>>>": textMap,
  "L | Matching": { oneOf: [text, ofPackage("Matching")] },
  "readonly PolicyReference[]": { type: "array", items: anything, plain: true },
  "readonly SubjectArgs[]": { type: "array", items: ofPackage("Subject"), plain: true },
  RoleArgs: { ...ofPackage("Role"), plain: true },
  Quotas: { ...ofPackage("Quotas"), plain: true },
  IdentityMechanism: { ...ofPackage("IdentityMechanism"), plain: true },
  IdentityArgs: { oneOf: [text, ofPackage("MigratingIdentity")], plain: true },
  AdmissionMode: { ...ofPackage("AdmissionMode"), plain: true },
  TargetRoleArgs: { ...ofPackage("TargetRole"), plain: true },
  SessionArgs: { ...ofPackage("Session"), plain: true },
  ChainArgs: { ...ofPackage("Chain"), plain: true },
  "PolicyDocumentInput | string": { ...anything, plain: true },
  PodAdditions: anything,
};

function properties(declarations: readonly Declaration[]): Record<string, object> {
  return Object.fromEntries(
    declarations.map(({ name, type, description }) => {
      const shape = types[type];
      if (shape === undefined) throw new Error(`${name}: there is no schema for the type ${type}.`);
      return [name, { ...shape, description }];
    }),
  );
}

const required = (declarations: readonly Declaration[]): string[] =>
  declarations.filter(({ optional }) => !optional).map(({ name }) => name);

const objectType = (
  description: string,
  declarations: readonly Declaration[],
  needed = required(declarations),
) => ({
  type: "object",
  description,
  properties: properties(declarations),
  ...(needed.length > 0 ? { required: needed } : {}),
});

/** The whole schema but for its version, as the engine and the SDK generators take it. */
export function packageSchema(): object {
  const inputs = declarationsOf("components/irsa-arguments.ts", "IrsaServiceAccountArgs");
  const outputs = declarationsOf("components/irsa.ts", "IrsaServiceAccount").filter(
    ({ type }) => type.startsWith("pulumi.Output<") || type === "PodAdditions",
  );
  const ofIdentity = (name: string) => declarationsOf("components/irsa-identity.ts", name);
  const role = [
    ...declarationsOf("iam/role.ts", "ExistingRoleArgs"),
    ...declarationsOf("iam/role.ts", "NewRoleArgs"),
  ];
  return {
    name: packageName,
    displayName: "EKS IRSA",
    description: "AWS permissions for a Kubernetes workload on EKS by IRSA, with no stored keys.",
    license: "Apache-2.0",
    keywords: ["pulumi", "aws", "eks", "irsa", "kind/component", "category/cloud"],
    meta: { supportPack: true },
    types: {
      // A role that is there has an ARN, one to make has none.
      [`${packageName}:index:Role`]: objectType(
        "How a role is made, or which one is there already.",
        role,
        [],
      ),
      [`${packageName}:index:Quotas`]: objectType(
        "What AWS allows the account, where that was raised.",
        declarationsOf("iam/quotas.ts", "Quotas"),
      ),
      [`${packageName}:index:Subject`]: objectType(
        "A ServiceAccount that a role admits, or with a pattern all that it matches.",
        declarationsOf("iam/trust-policy.ts", "Subject"),
      ),
      [`${packageName}:index:Matching`]: objectType(
        "A pattern for names.",
        declarationsOf("iam/trust-policy.ts", "Matching"),
      ),
      [`${packageName}:index:IdentityMechanism`]: {
        type: "string",
        description: "How a pod gets the role's credentials.",
        enum: identityMechanisms.map((value) => ({ name: enumName(value), value })),
      },
      [`${packageName}:index:MigratingIdentity`]: objectType(
        "The mechanism of new pods, while those of the other one still run.",
        ofIdentity("MigratingIdentity"),
      ),
      [`${packageName}:index:TargetRole`]: objectType(
        "The role that EKS goes on to assume for the pods.",
        ofIdentity("TargetRoleArgs"),
      ),
      [`${packageName}:index:Session`]: objectType(
        "Sessions of EKS Pod Identity without tags, and what they may do at most.",
        ofIdentity("SessionArgs"),
      ),
      [`${packageName}:index:Chain`]: objectType(
        "The role that pods go on to assume with the credentials of their first.",
        ofIdentity("ChainArgs"),
      ),
      [`${packageName}:index:AdmissionMode`]: {
        type: "string",
        description: "What becomes of a pod that comes without its identity.",
        enum: admissionModes.map((value) => ({ name: enumName(value), value })),
      },
    },
    resources: {
      [`${packageName}:index:IrsaServiceAccount`]: {
        isComponent: true,
        description:
          "A Kubernetes ServiceAccount whose pods have the permissions of an IAM role of their own, and no keys.",
        inputProperties: properties(inputs),
        requiredInputs: required(inputs),
        properties: properties(outputs),
        required: required(outputs),
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

const schemaFile = join(import.meta.dirname, "schema.json");

if (process.argv[1] === import.meta.filename) {
  writeFileSync(schemaFile, `${JSON.stringify(packageSchema(), null, 2)}\n`);
}
