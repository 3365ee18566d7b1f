import { InputPropertiesError, type Inputs } from "@pulumi/pulumi";
import type { ConstructResult, Provider } from "@pulumi/pulumi/provider/index.js";
import { IrsaServiceAccount, type IrsaServiceAccountArgs } from "../components/irsa.ts";
import { ArgumentError, keyOf } from "../iam/validation.ts";
import manifest from "../package.json" with { type: "json" };
import schema from "./schema.json" with { type: "json" };

// The component as a provider, which the engine asks on behalf of programs in other languages. What SDKs are generated
// from, `schema.json`, is made from the component's own types: see `generate.ts`.

const serviceAccountToken = "eks-irsa:index:IrsaServiceAccount";

export const provider: Provider = {
  version: manifest.version,
  schema: JSON.stringify({ ...schema, version: manifest.version }),

  async construct(name, type, inputs, options): Promise<ConstructResult> {
    if (type !== serviceAccountToken) {
      throw new Error(`${type} is not in this package; ${serviceAccountToken} is.`);
    }
    // Whatever the program in another language gave: the component checks it.
    const component = named(
      () => new IrsaServiceAccount(name, inputs as unknown as IrsaServiceAccountArgs, options),
    );
    const { urn, roleArn, roleName, namespace, serviceAccountName, podAnnotations } = component;
    const { podAdditions, targetTrustPolicy } = component;
    return {
      urn,
      state: {
        ...{ roleArn, roleName, namespace, serviceAccountName, podAnnotations },
        ...(podAdditions && { podAdditions }),
        ...(targetTrustPolicy && { targetTrustPolicy }),
      } satisfies Inputs,
    };
  },
};

/** Has the engine name the properties that are wrong, as it does for any resource. */
function named<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const errors = error.faults.map(({ path, problem }) => ({ propertyPath: keyOf(path), reason: problem }));
    throw new InputPropertiesError({ message: error.message, errors });
  }
}
