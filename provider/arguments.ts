import { InputPropertiesError, type Inputs, Output } from "@pulumi/pulumi";
import type { IrsaServiceAccountArgs } from "../components/irsa.ts";
import { serviceAccountInputs } from "./schema.ts";

/** Of these only the leaves may be outputs of other resources: they decide which resources there are. */
const plain = Object.entries(serviceAccountInputs)
  .filter(([, property]) => property.plain)
  .map(([name]) => name);

/**
 * The arguments as a program in another language gave them.
 *
 * @throws InputPropertiesError that names each argument that this package does not have, lacks, or cannot wait for.
 */
export function toArguments(inputs: Inputs): IrsaServiceAccountArgs {
  const errors: { propertyPath: string; reason: string }[] = [];
  for (const [propertyPath, { required }] of Object.entries(serviceAccountInputs)) {
    if (required && inputs[propertyPath] === undefined)
      errors.push({ propertyPath, reason: "must be given" });
  }
  for (const propertyPath of Object.keys(inputs)) {
    if (!Object.hasOwn(serviceAccountInputs, propertyPath)) {
      const known = Object.keys(serviceAccountInputs).join(", ");
      errors.push({ propertyPath, reason: `is not an argument; there are ${known}` });
    } else if (plain.includes(propertyPath) && Output.isInstance(inputs[propertyPath])) {
      errors.push({
        propertyPath,
        reason: "must be known from the start: it decides which resources there are",
      });
    }
  }
  if (errors.length > 0) {
    const message = errors.map(({ propertyPath, reason }) => `${propertyPath} ${reason}`).join("; ");
    throw new InputPropertiesError({ message: `${message}.`, errors });
  }
  return inputs as unknown as IrsaServiceAccountArgs;
}
