import { InputPropertiesError, type Inputs } from "@pulumi/pulumi";
import { type ConstructResult, main, type Provider } from "@pulumi/pulumi/provider";
import { IrsaArgumentError, IrsaServiceAccount } from "../components/irsa";
import { PolicyError } from "../components/policies";
import { version } from "../package.json";
import { toArguments } from "./arguments";
import { packageSchema, serviceAccountToken } from "./schema";

// The component as a provider, which the engine asks on behalf of programs in other languages.

/** Serves the components of this package until its standard input ends. Told about the engine on the command line. */
export const serve = (): Promise<void> => main(provider, process.argv.slice(2));

export const provider: Provider = {
  version,
  schema: JSON.stringify(packageSchema(version)),

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
