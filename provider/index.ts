import { InputPropertiesError, type Inputs } from "@pulumi/pulumi";
import type { ConstructResult, Provider } from "@pulumi/pulumi/provider/index.js";
import { IrsaArgumentError, IrsaServiceAccount } from "../components/irsa.ts";
import { PolicyError } from "../iam/policies.ts";
import manifest from "../package.json" with { type: "json" };
import { toArguments } from "./arguments.ts";
import { packageSchema, serviceAccountToken } from "./schema.ts";

// The component as a provider, which the engine asks on behalf of programs in other languages.

export const provider: Provider = {
  version: manifest.version,
  schema: JSON.stringify(packageSchema(manifest.version)),

  async construct(name, type, inputs, options): Promise<ConstructResult> {
    if (type !== serviceAccountToken) {
      throw new Error(`${type} is not in this package; ${serviceAccountToken} is.`);
    }
    const component = named(() => new IrsaServiceAccount(name, toArguments(inputs), options));
    const { urn, roleArn, roleName, namespace, serviceAccountName } = component;
    return { urn, state: { roleArn, roleName, namespace, serviceAccountName } satisfies Inputs };
  },
};

/** Has the engine name the property that is wrong, as it does for any resource. */
function named<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const propertyPath =
      error instanceof PolicyError
        ? `policies[${error.index}]`
        : error instanceof IrsaArgumentError
          ? error.key
          : undefined;
    if (propertyPath === undefined) throw error;
    const { message } = error as Error;
    throw new InputPropertiesError({ message, errors: [{ propertyPath, reason: message }] });
  }
}
