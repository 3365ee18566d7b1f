import {
  allows,
  type Condition,
  conditions,
  matches,
  type Statement,
  statementsOf,
  texts,
} from "../iam/policy-reader.ts";

// Why a trust policy does not admit a token.

/** What a token says, and who issued it. */
export interface Claims {
  readonly issuer: string;
  readonly providerArn: string;
  readonly sub: string;
  readonly aud: string;
}

export interface TrustFault {
  readonly cause:
    | "trust-no-statement"
    | "trust-action"
    | "trust-principal"
    | "trust-key-scheme"
    | "trust-key-slash"
    | "trust-key-arn"
    | "trust-key-issuer"
    | "trust-operator"
    | "trust-subject"
    | "trust-audience"
    | "trust-condition"
    | "trust-deny";
  readonly what: string;
  readonly wanted?: { name: string; value: string };
  readonly found?: { name: string; value: string };
}

export interface TrustVerdict {
  /** Undefined when the policy admits the token, as far as can be told. */
  readonly fault?: TrustFault;
  /** Conditions that only STS can judge: on the caller's address, say. */
  readonly undecided: readonly string[];
}

const action = "sts:AssumeRoleWithWebIdentity";
const host = (issuer: string): string => issuer.replace(/^https:\/\//, "");

/** Judges a trust policy by the token's claims. Of several statements that refuse, the one that comes nearest tells why. */
export function judgeTrust(document: string, claims: Claims): TrustVerdict {
  const statements = statementsOf(document);
  for (const statement of statements.filter(({ Effect }) => Effect === "Deny")) {
    if (!allows(statement, action) || principalFault(statement, claims)) continue;
    const { faults, undecided } = conditionFaults(statement, claims);
    if (faults.length === 0 && undecided.length === 0) {
      return {
        fault: { cause: "trust-deny", what: "A Deny statement of the trust policy refuses the token." },
        undecided,
      };
    }
  }
  const candidates = statements
    .filter(({ Effect }) => Effect === "Allow")
    .map((statement) => {
      const action = actionFault(statement);
      const principal = principalFault(statement, claims);
      const { faults, undecided } = conditionFaults(statement, claims);
      return { faults: [action, principal, ...faults].filter((one) => one !== undefined), undecided };
    });
  const admitting = candidates.find(({ faults }) => faults.length === 0);
  if (admitting) return { undecided: admitting.undecided };
  const nearest = candidates.sort((a, b) => a.faults.length - b.faults.length)[0];
  return {
    fault: nearest?.faults[0] ?? {
      cause: "trust-no-statement",
      what: "The trust policy has no Allow statement.",
    },
    undecided: [],
  };
}

function actionFault(statement: Statement): TrustFault | undefined {
  if (allows(statement, action)) return undefined;
  return {
    cause: "trust-action",
    what: "The trust policy allows another action than the one that swaps a token.",
    wanted: { name: "action", value: action },
    found: { name: "action of the statement", value: texts(statement.Action).join(", ") || "none" },
  };
}

function principalFault({ Principal }: Statement, { providerArn }: Claims): TrustFault | undefined {
  const federated =
    Principal === "*" ? ["*"] : typeof Principal === "object" ? texts(Principal.Federated) : [];
  if (federated.includes(providerArn) || federated.includes("*")) return undefined;
  const found = federated.join(", ") || (Principal === undefined ? "none" : JSON.stringify(Principal));
  const [one] = federated;
  const difference = one === undefined ? "is not an OIDC provider" : differenceOf(one, providerArn);
  return {
    cause: "trust-principal",
    what: `The principal of the trust policy ${difference}.`,
    wanted: { name: "the cluster's OIDC provider", value: providerArn },
    found: { name: "Principal", value: found },
  };
}

/** In which part two ARNs of OIDC providers differ, in words. */
function differenceOf(found: string, wanted: string): string {
  const [ours, theirs] = [wanted.split(":"), found.split(":")];
  const region = (arn: string): string | undefined => /oidc\.eks\.([^.]+)\./.exec(arn)?.[1];
  if (theirs[1] !== ours[1]) return `is of the partition ${theirs[1]}`;
  if (theirs[4] !== ours[4]) return `is of the account ${theirs[4]}`;
  if (region(found) !== region(wanted)) return `is a provider of the region ${region(found) ?? "?"}`;
  if (found.replace(/\/$/, "") === wanted) return "ends with a slash";
  return found.includes("oidc-provider/") ? "is the provider of another cluster" : "is not an OIDC provider";
}

/** Faults of a statement's conditions, and those that only STS can judge. */
function conditionFaults(
  statement: Statement,
  claims: Claims,
): { faults: TrustFault[]; undecided: string[] } {
  const faults: TrustFault[] = [];
  const undecided: string[] = [];
  for (const condition of conditions(statement)) {
    const claim = /:(sub|aud)$/.exec(condition.key)?.[1] as "sub" | "aud" | undefined;
    if (claim === undefined) {
      undecided.push(`${condition.operator} ${condition.key} ${condition.values.join(", ")}`);
      continue;
    }
    const fault = keyFault(condition, claim, claims) ?? valueFault(condition, claim, claims);
    if (fault) faults.push(fault);
  }
  return { faults, undecided };
}

function keyFault({ key }: Condition, claim: string, { issuer }: Claims): TrustFault | undefined {
  const wanted = `${host(issuer)}:${claim}`;
  if (key === wanted.toLowerCase()) return undefined;
  const issuerOfKey = key.slice(0, -(claim.length + 1));
  const [cause, what] = /^https?:\/\//.test(issuerOfKey)
    ? ([
        "trust-key-scheme",
        "The condition key starts with the URL's scheme, which no token's key has.",
      ] as const)
    : issuerOfKey.startsWith("arn:")
      ? ([
          "trust-key-arn",
          "The condition key holds the provider's ARN instead of the issuer's host and path.",
        ] as const)
      : issuerOfKey.replace(/\/$/, "") === host(issuer).toLowerCase()
        ? ([
            "trust-key-slash",
            "The condition key has a slash after the issuer, which no token's key has.",
          ] as const)
        : ([
            "trust-key-issuer",
            "The condition key is of another issuer: another cluster or region.",
          ] as const);
  return {
    cause,
    what,
    wanted: { name: "condition key", value: wanted },
    found: { name: "condition key of the role", value: key },
  };
}

function valueFault(condition: Condition, claim: "sub" | "aud", claims: Claims): TrustFault | undefined {
  const { operator, values } = condition;
  const value = claims[claim];
  const verdict = passes(operator, value, values);
  if (verdict === true) return undefined;
  const wanted = { name: claim === "sub" ? "subject of the token" : "audience of the token", value };
  const found = { name: `${claim} that the role admits`, value: values.join(", ") };
  if (verdict === undefined) {
    return {
      cause: "trust-operator",
      what: `The operator ${operator} is none that compares texts.`,
      wanted: { name: "operator", value: "StringEquals, or StringLike for a pattern" },
      found: { name: `operator on ${claim}`, value: operator },
    };
  }
  if (
    operator.includes("equals") &&
    !operator.includes("not") &&
    values.some((one) => /[*?]/.test(one) && matches(one, value))
  ) {
    return {
      cause: "trust-operator",
      what: `${operator} takes the * literally, so it matches nothing.`,
      wanted: { name: "operator", value: "StringLike" },
      found: { name: `operator on ${claim}`, value: `${operator} ${values.join(", ")}` },
    };
  }
  if (operator.includes("not")) {
    return {
      cause: "trust-operator",
      what: `${operator} refuses just this ${claim}.`,
      wanted: { name: "operator", value: "StringEquals" },
      found: { name: `operator on ${claim}`, value: `${operator} ${values.join(", ")}` },
    };
  }
  return claim === "sub"
    ? { cause: "trust-subject", what: "The role admits another ServiceAccount.", wanted, found }
    : { cause: "trust-audience", what: "The role wants another audience.", wanted, found };
}

/** Whether a value passes; undefined for an operator that is not about texts. Source: "IAM JSON policy elements: Condition operators". */
function passes(operator: string, value: string, patterns: readonly string[]): boolean | undefined {
  const name = operator.replace(/^forallvalues:/, "").replace(/ifexists$/, "");
  const any = (test: (pattern: string) => boolean): boolean => patterns.some(test);
  switch (name) {
    case "stringequals":
      return any((pattern) => pattern === value);
    case "stringnotequals":
      return !any((pattern) => pattern === value);
    case "stringequalsignorecase":
      return any((pattern) => pattern.toLowerCase() === value.toLowerCase());
    case "stringnotequalsignorecase":
      return !any((pattern) => pattern.toLowerCase() === value.toLowerCase());
    case "stringlike":
      return any((pattern) => matches(pattern, value));
    case "stringnotlike":
      return !any((pattern) => matches(pattern, value));
    case "null":
      return any((pattern) => pattern === "false");
    default:
      return undefined;
  }
}
