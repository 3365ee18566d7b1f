import {
  type EnforcementLevel,
  type PolicyConfigSchema,
  PolicyPack,
  type ResourceValidationPolicy,
} from "@pulumi/policy";
import { type Rule, rules, type Settings } from "./rules.ts";
import { settingsFor } from "./stacks.ts";

/**
 * The guard rails as a CrossGuard policy pack: `pulumi up -s prod --policy-pack policy`.
 *
 * A policy has one level for all stacks. So each rule is two policies, of which one looks at a stack: the mandatory one
 * where the stack enforces the guard rails (see `stacks.ts`), `<rule>-advice` where it does not.
 */
export function pack(): PolicyPack {
  return new PolicyPack("eks-irsa", {
    description: "Guard rails for workloads with AWS permissions on EKS",
    policies: rules.flatMap((rule) => [policy(rule, "mandatory"), policy(rule, "advisory")]),
  });
}

function policy(rule: Rule, level: EnforcementLevel): ResourceValidationPolicy {
  const enforces = level === "mandatory";
  return {
    name: enforces ? rule.name : `${rule.name}-advice`,
    description: rule.description,
    enforcementLevel: level,
    configSchema: schemaOf(rule),
    validateResource(args, reportViolation) {
      const settings = settingsFor(args.urn, args.getConfig<Settings>());
      if ((settings.enforced ?? false) !== enforces) return;
      for (const violation of rule.check(args, settings)) reportViolation(violation);
    },
  };
}

const schemas: { readonly [K in keyof Settings]-?: PolicyConfigSchema["properties"][string] } = {
  requireBoundary: { type: "boolean" },
  allowedSubjects: { type: "array", items: { type: "string" } },
};

const schemaOf = ({ settings }: Rule): PolicyConfigSchema | undefined =>
  settings && { properties: Object.fromEntries(settings.map((name) => [name, schemas[name]])) };
