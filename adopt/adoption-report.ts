import { folded } from "../terminal.ts";
import type { Adoption } from "./adoption.ts";

/**
 * What was found, for a person: what the stack takes over, what it refers to or leaves, and what it does not describe.
 *
 * @param width columns that a line may have.
 */
export function reportOf(
  { estate, described, undescribed }: Adoption,
  width = Number.POSITIVE_INFINITY,
): string {
  const { name, region } = estate.cluster;
  const of = ({ binding }: (typeof described)[number]): string =>
    `${binding.namespace}/${binding.serviceAccount}`;
  const whole = described.filter((one) => one.role && one.takesServiceAccount);
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0
      ? []
      : [
          "",
          `${title} (${lines.length}):`,
          ...lines.flatMap((line) => folded(line, width - 2, "  ")).map((line) => `  ${line}`),
        ];
  return [
    ...folded(
      `${name} in ${region}: ${described.length + undescribed.length} found, ${described.length} described; of ${whole.length} the stack takes over role and ServiceAccount.`,
      width,
    ),
    ...section(
      "Role by reference only: it stays as it is, whose it is",
      described.flatMap((one) =>
        one.reference === undefined ? [] : [`${of(one)}: ${one.roleArn}: ${one.reference}`],
      ),
    ),
    ...section(
      "Role only: the ServiceAccount stays whose it is",
      described.flatMap((one) => (one.left === undefined ? [] : [`${of(one)}: ${one.left}`])),
    ),
    ...section(
      "Not described",
      undescribed.map(({ what, roleArn, why }) => `${what}: ${roleArn ? `${roleArn}: ` : ""}${why}`),
    ),
    ...(estate.oidcProviderArn === undefined
      ? [
          "",
          ...folded(
            `The account has no OIDC provider of the cluster's issuer, ${estate.cluster.issuer}; the first \`pulumi up\` makes it (cluster.createOidcProvider), and the preview shows that.`,
            width,
          ),
        ]
      : []),
  ].join("\n");
}
