import { allows, type Condition, conditions, type Statement, statementsOf, texts } from "./policy-reader.ts";

// Trust policies as the guard rails and the audit read them: whom does a role admit, and how closely does it look?

/** Principal of EKS Pod Identity. */
export const podIdentityService = "pods.eks.amazonaws.com";

/** A statement by which tokens of OIDC providers assume a role. */
export interface TokenTrust {
  /** ARNs of the providers, or `*`. */
  readonly providers: readonly string[];
  /** Hosts and paths of the providers' issuers, in lower case. */
  readonly issuers: readonly string[];
  readonly conditions: readonly Condition[];
}

/** The statements that let somebody assume a role. */
export const admissions = (trustPolicy: unknown): Statement[] =>
  statementsOf(trustPolicy).filter(({ Effect }) => Effect === "Allow");

/** The host and path of an OIDC provider's issuer, from its ARN, in lower case, as condition keys have it. */
export const issuerOfProvider = (arn: string): string => arn.replace(/^.*:oidc-provider\//, "").toLowerCase();

/** How a statement admits tokens of OIDC providers; undefined when it admits none. Cognito and the like have claims of their own. */
export function tokenTrustOf(statement: Statement): TokenTrust | undefined {
  if (!allows(statement, "sts:AssumeRoleWithWebIdentity")) return undefined;
  const { Principal = "*" } = statement;
  const federated = typeof Principal === "string" ? [Principal] : texts(Principal.Federated);
  const providers = federated.filter((one) => one === "*" || one.includes(":oidc-provider/"));
  return providers.length === 0
    ? undefined
    : { providers, issuers: providers.map(issuerOfProvider), conditions: conditions(statement) };
}

/** Who may assume a role by a token of an OIDC provider: one entry a statement. */
export const tokenTrusts = (trustPolicy: unknown): TokenTrust[] =>
  admissions(trustPolicy).flatMap((statement) => tokenTrustOf(statement) ?? []);

/** What a statement asks of a claim of its own issuer. */
export const onClaim = ({ issuers, conditions }: TokenTrust, claim: "sub" | "aud"): Condition[] =>
  conditions.filter(({ key }) =>
    issuers.some((issuer) => (issuer === "*" ? key.endsWith(`:${claim}`) : key === `${issuer}:${claim}`)),
  );

/** Whether only tokens with the claim pass, and with some value of it but not with any. */
export const restricts = ({ operator, values }: Condition): boolean =>
  operator === "stringequals" || (operator === "stringlike" && values.every((value) => !/^\*+$/.test(value)));

/** Whether a statement's principals include EKS Pod Identity. */
export const admitsPodIdentity = ({ Principal }: Statement): boolean =>
  typeof Principal === "object" && texts(Principal.Service).includes(podIdentityService);
