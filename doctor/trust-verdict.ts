import {
  allows,
  type Condition,
  conditions,
  matches,
  type Statement,
  statementsOf,
  texts,
} from "../iam/policy-reader.ts";
import { podIdentityService } from "../iam/trust-reader.ts";

// Why a trust policy does not admit a token, EKS Pod Identity, or another role.

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
    | "trust-tag-session"
    | "trust-deny";
  readonly what: string;
  readonly wanted?: { name: string; value: string };
  readonly found?: { name: string; value: string };
  /** Place of the statement that refuses, where it is a Deny. */
  readonly denial?: number;
}

export interface TrustVerdict {
  /** Undefined when the policy admits the token, as far as can be told. */
  readonly fault?: TrustFault;
  /** Conditions that only STS can judge: on the caller's address, say. */
  readonly undecided: readonly string[];
}

/** What is asked of STS, and what of a statement stands against it. */
interface Request {
  readonly action: string;
  /** What the request does not have: the statement's principal, or a value of its conditions. */
  principalFault(statement: Statement): TrustFault | undefined;
  conditionFault(condition: Condition): TrustFault | "undecided" | undefined;
}

const host = (issuer: string): string => issuer.replace(/^https:\/\//, "");

/** Judges a trust policy by the token's claims. */
export const judgeTrust = (document: string, claims: Claims): TrustVerdict =>
  judge(document, {
    action: "sts:AssumeRoleWithWebIdentity",
    principalFault: (statement) => federatedFault(statement, claims),
    conditionFault: (condition) => claimFault(condition, claims),
  });

/** Values of condition keys, in lower case; undefined where it is known that the request has none. */
export type RequestContext = ReadonlyMap<string, string | undefined>;

/** Judges whether EKS Pod Identity may assume the role, and tag its session where it does so. */
export function judgePodIdentityTrust(
  document: string,
  context: RequestContext,
  sessionTags: boolean,
): TrustVerdict {
  const principalFault = ({ Principal }: Statement): TrustFault | undefined => {
    const services = typeof Principal === "object" ? texts(Principal.Service) : texts(Principal);
    if (services.includes(podIdentityService) || services.includes("*")) return undefined;
    return {
      cause: "trust-principal",
      what: "The trust policy does not name EKS Pod Identity's service.",
      wanted: { name: "Principal", value: `{"Service":"${podIdentityService}"}` },
      found: { name: "Principal of the role", value: JSON.stringify(Principal) ?? "none" },
    };
  };
  return judgeWithTags(document, principalFault, context, sessionTags);
}

/** Judges whether another role may assume this one with credentials of its own. */
export function judgeRoleTrust(
  document: string,
  roleArn: string,
  context: RequestContext,
  sessionTags: boolean,
): TrustVerdict {
  const principalFault = ({ Principal }: Statement): TrustFault | undefined => {
    const admitted = typeof Principal === "object" ? texts(Principal.AWS) : texts(Principal);
    if (admitted.some((one) => one === roleArn || one === "*" || isAccountOf(one, roleArn))) return undefined;
    return {
      cause: "trust-principal",
      what: "The trust policy does not name the role that wants to assume this one.",
      wanted: { name: "the role that asks", value: roleArn },
      found: { name: "Principal", value: JSON.stringify(Principal) ?? "none" },
    };
  };
  return judgeWithTags(document, principalFault, context, sessionTags);
}

/** Whether a principal is the whole account that a role is in: then the role's own policies decide. */
const isAccountOf = (principal: string, roleArn: string): boolean => {
  const account = roleArn.split(":")[4];
  return principal === account || new RegExp(`^arn:aws[a-z-]*:iam::${account}:root$`).test(principal);
};

/** Whether a trust policy names the role itself: within one account that is enough, whatever the role's own policies say. */
export const namesRole = (document: string, roleArn: string): boolean =>
  statementsOf(document).some(
    ({ Effect, Principal }) =>
      Effect === "Allow" && typeof Principal === "object" && texts(Principal.AWS).includes(roleArn),
  );

function judgeWithTags(
  document: string,
  principalFault: Request["principalFault"],
  context: RequestContext,
  sessionTags: boolean,
): TrustVerdict {
  const request = {
    principalFault,
    conditionFault: (condition: Condition) => contextFault(condition, context),
  };
  const assuming = judge(document, { ...request, action: "sts:AssumeRole" });
  if (assuming.fault || !sessionTags) return assuming;
  const tagging = judge(document, { ...request, action: "sts:TagSession" });
  if (tagging.fault?.cause !== "trust-action") {
    return { fault: tagging.fault, undecided: [...new Set([...assuming.undecided, ...tagging.undecided])] };
  }
  return {
    fault: {
      ...tagging.fault,
      cause: "trust-tag-session",
      what: "The trust policy does not allow the session to be tagged, which is asked for in the same call.",
    },
    undecided: [],
  };
}

/** Of several statements that refuse, the one that comes nearest tells why. */
function judge(document: string, request: Request): TrustVerdict {
  const statements = statementsOf(document);
  const undecidedDenials: string[] = [];
  for (const [denial, statement] of statements.entries()) {
    if (statement.Effect !== "Deny" || !allows(statement, request.action)) continue;
    if (request.principalFault(statement)) continue;
    const { faults, undecided } = conditionFaults(statement, request);
    if (faults.length > 0) continue;
    if (undecided.length === 0) {
      return {
        fault: { cause: "trust-deny", what: "A Deny statement of the trust policy refuses it.", denial },
        undecided: [],
      };
    }
    undecidedDenials.push(...undecided.map((one) => `Deny ${one}`));
  }
  const candidates = statements
    .filter(({ Effect }) => Effect === "Allow")
    .map((statement) => {
      const { faults, undecided } = conditionFaults(statement, request);
      const own = [actionFault(statement, request.action), request.principalFault(statement)];
      return { faults: [...own, ...faults].filter((one) => one !== undefined), undecided };
    })
    .sort((a, b) => a.faults.length - b.faults.length || a.undecided.length - b.undecided.length);
  const [nearest] = candidates;
  if (nearest === undefined) {
    return {
      fault: { cause: "trust-no-statement", what: "The trust policy has no Allow statement." },
      undecided: [],
    };
  }
  const [fault] = nearest.faults;
  return fault ? { fault, undecided: [] } : { undecided: [...nearest.undecided, ...undecidedDenials] };
}

function actionFault(statement: Statement, action: string): TrustFault | undefined {
  if (allows(statement, action)) return undefined;
  return {
    cause: "trust-action",
    what: "The trust policy allows another action than the one that is called.",
    wanted: { name: "action", value: action },
    found: { name: "action of the statement", value: texts(statement.Action).join(", ") || "none" },
  };
}

function federatedFault({ Principal }: Statement, { providerArn }: Claims): TrustFault | undefined {
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
  request: Request,
): { faults: TrustFault[]; undecided: string[] } {
  const faults: TrustFault[] = [];
  const undecided: string[] = [];
  for (const condition of conditions(statement)) {
    const fault = request.conditionFault(condition);
    if (fault === "undecided") {
      undecided.push(`${condition.operator} ${condition.key} ${condition.values.join(", ")}`);
    } else if (fault) faults.push(fault);
  }
  return { faults, undecided };
}

/** A condition on the token's claims. */
function claimFault(condition: Condition, claims: Claims): TrustFault | "undecided" | undefined {
  const claim = /:(sub|aud)$/.exec(condition.key)?.[1] as "sub" | "aud" | undefined;
  if (claim === undefined) return "undecided";
  return keyFault(condition, claim, claims) ?? valueFault(condition, claim, claims);
}

/** A condition on what else is known of the request. */
function contextFault(
  { operator, key, values }: Condition,
  context: RequestContext,
): TrustFault | "undecided" | undefined {
  if (!context.has(key)) return "undecided";
  const value = context.get(key);
  const verdict = value === undefined ? passesWithout(operator, values) : passes(operator, value, values);
  if (verdict === undefined) return "undecided";
  if (verdict) return undefined;
  return {
    cause: "trust-condition",
    what:
      value === undefined
        ? `The trust policy asks for ${key}, which the request does not have.`
        : `The trust policy asks for another ${key}.`,
    wanted: { name: `${key} of the request`, value: value ?? "none" },
    found: { name: `${key} that the role admits`, value: `${operator} ${values.join(", ")}` },
  };
}

/** Whether a condition lets through a request without its key. Source: as `passes`. */
function passesWithout(operator: string, values: readonly string[]): boolean {
  if (operator === "null") return values.includes("true");
  return /ifexists$|^forallvalues:|not/.test(operator);
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
    // Both take patterns, and both mean the same.
    case "arnequals":
    case "arnlike":
      return any((pattern) => matches(pattern, value));
    case "arnnotequals":
    case "arnnotlike":
      return !any((pattern) => matches(pattern, value));
    case "null":
      return any((pattern) => pattern === "false");
    default:
      return undefined;
  }
}
