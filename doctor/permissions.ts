import { allows, matches, type Statement, statementsOf, texts } from "../iam/policy-reader.ts";

/** What policies say of an action: `conditionally` where a condition, which only AWS can judge, decides. */
export type Access = "allowed" | "conditionally" | "denied" | "not allowed";

/**
 * What identity policies, or a boundary, say of an action on a resource. A Deny wins over any Allow. Source: "Policy
 * evaluation logic", IAM User Guide.
 */
export function accessOf(documents: readonly string[], action: string, resource: string): Access {
  const statements = documents.flatMap(statementsOf).filter((one) => covers(one, action, resource));
  const conditional = ({ Condition }: Statement): boolean => Object.keys(Condition ?? {}).length > 0;
  const of = (effect: string): Statement[] => statements.filter(({ Effect }) => Effect === effect);
  if (of("Deny").some((one) => !conditional(one))) return "denied";
  const allowing = of("Allow");
  if (allowing.length === 0) return "not allowed";
  return allowing.some((one) => !conditional(one)) && of("Deny").length === 0 ? "allowed" : "conditionally";
}

function covers(statement: Statement, action: string, resource: string): boolean {
  const { Resource, NotResource } = statement;
  const among = (resources: unknown): boolean => texts(resources).some((one) => matches(one, resource));
  return allows(statement, action) && (NotResource === undefined ? among(Resource) : !among(NotResource));
}
