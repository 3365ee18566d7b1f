import { PolicyPack } from "@pulumi/policy";
import { rules, type Settings } from "./rules";

/**
 * The guard rails as a CrossGuard policy pack. Advisory by default; `prod.json` makes every rule mandatory:
 * `pulumi up -s prod --policy-pack policy --policy-pack-config policy/prod.json`.
 */
export function pack(): PolicyPack {
  return new PolicyPack("eks-irsa", {
    policies: rules.map(({ name, description, check }) => ({
      name,
      description,
      enforcementLevel: "advisory" as const,
      configSchema: {
        properties: {
          requireBoundary: { type: "boolean" as const },
          allowedSubjects: { type: "array" as const, items: { type: "string" as const } },
        },
      },
      validateResource(args, reportViolation) {
        for (const violation of check(args, args.getConfig<Settings>())) reportViolation(violation);
      },
    })),
  });
}
