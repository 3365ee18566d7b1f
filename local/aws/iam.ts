import { type ValidationError, validateIdentityPolicy, validateTrustPolicy } from "@cloud-copilot/iam-policy";
import { AwsError, emptyIamReply, escapeXml, type Reply } from "./reply.ts";

/** What IAM keeps of an OIDC provider. */
export interface OidcProviderRecord {
  /** Without `https://`. */
  url: string;
  clientIds: readonly string[];
  thumbprints: readonly string[];
  tags: ReadonlyMap<string, string>;
}

/** The parts of the account's IAM that are needed to do what MiniStack does not. */
export interface IamAccount {
  policyExists(arn: string): Promise<boolean>;
  /** @throws AwsError `NoSuchEntity`. */
  oidcProvider(arn: string): Promise<OidcProviderRecord>;
  replaceOidcProvider(arn: string, record: OidcProviderRecord): Promise<void>;
}

/**
 * Answers a call of IAM: refuses what IAM refuses and MiniStack takes (malformed policies, OIDC providers without
 * https, attaching a policy that is not there), does the changes of OIDC providers that MiniStack lacks, and leaves
 * the rest to MiniStack.
 */
export async function iam(
  parameters: URLSearchParams,
  forward: () => Promise<Reply>,
  account: IamAccount,
): Promise<Reply> {
  const action = parameters.get("Action") ?? "";
  checkPolicyDocument(action, parameters);
  if (action === "CreateOpenIDConnectProvider" && !isProviderUrl(parameters.get("Url") ?? "")) {
    throw new AwsError("ValidationError", "Invalid Open ID Connect Provider URL");
  }
  if (["AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy"].includes(action)) {
    const arn = parameters.get("PolicyArn") ?? "";
    if (!(await account.policyExists(arn))) {
      throw new AwsError("NoSuchEntity", `Policy ${arn} does not exist or is not attachable.`, 404);
    }
  }

  const reply = await forward();
  if (action === "GetOpenIDConnectProvider") {
    // IAM gives the URL back without its scheme.
    return { ...reply, body: reply.body.replace("<Url>https://", "<Url>") };
  }
  const change = providerChanges[action];
  // MiniStack checks the caller and his permission for the action before it finds that it does not know it.
  if (reply.status !== 400 || !reply.body.includes("<Code>InvalidAction</Code>")) return reply;
  const arn = parameters.get("OpenIDConnectProviderArn") ?? "";
  if (action === "ListOpenIDConnectProviderTags") return tagsReply(await account.oidcProvider(arn));
  if (!change) return reply;
  await account.replaceOidcProvider(arn, change(await account.oidcProvider(arn), parameters));
  return emptyIamReply(action);
}

const providerChanges: Record<
  string,
  ((record: OidcProviderRecord, parameters: URLSearchParams) => OidcProviderRecord) | undefined
> = {
  UpdateOpenIDConnectProviderThumbprint: (record, parameters) => ({
    ...record,
    thumbprints: members(parameters, "ThumbprintList"),
  }),
  AddClientIDToOpenIDConnectProvider: (record, parameters) => ({
    ...record,
    clientIds: [...new Set([...record.clientIds, parameters.get("ClientID") ?? ""])],
  }),
  RemoveClientIDFromOpenIDConnectProvider: (record, parameters) => ({
    ...record,
    clientIds: record.clientIds.filter((id) => id !== parameters.get("ClientID")),
  }),
  TagOpenIDConnectProvider: (record, parameters) => ({
    ...record,
    tags: new Map([
      ...record.tags,
      ...members(parameters, "Tags", ".Key").map(
        (key, index) => [key, parameters.get(`Tags.member.${index + 1}.Value`) ?? ""] as const,
      ),
    ]),
  }),
  UntagOpenIDConnectProvider: (record, parameters) => {
    const removed = members(parameters, "TagKeys");
    return { ...record, tags: new Map([...record.tags].filter(([key]) => !removed.includes(key))) };
  },
};

const trustParameter: Record<string, string | undefined> = {
  CreateRole: "AssumeRolePolicyDocument",
  UpdateAssumeRolePolicy: "PolicyDocument",
};
const permissionsActions = [
  "CreatePolicy",
  "CreatePolicyVersion",
  "PutRolePolicy",
  "PutUserPolicy",
  "PutGroupPolicy",
];

/** @throws AwsError `MalformedPolicyDocument` in IAM's words. */
function checkPolicyDocument(action: string, parameters: URLSearchParams): void {
  const trust = trustParameter[action];
  if (!trust && !permissionsActions.includes(action)) return;
  let policy: unknown;
  try {
    policy = JSON.parse(parameters.get(trust ?? "PolicyDocument") ?? "");
  } catch {
    throw new AwsError("MalformedPolicyDocument", "This policy contains invalid Json");
  }
  const [error] = trust ? validateTrustPolicy(policy) : validateIdentityPolicy(policy);
  if (error) throw new AwsError("MalformedPolicyDocument", inWords(error));
  if (trust && !statementsOf(policy).every(assumesRole)) {
    throw new AwsError(
      "MalformedPolicyDocument",
      "AssumeRole policy may only specify STS AssumeRole actions.",
    );
  }
}

/** IAM names prohibited fields and says of all else that the syntax is wrong; where, only the validator knows. */
function inWords({ message, path }: ValidationError): string {
  const prohibited = /^(\w+) is not allowed in a/.exec(message)?.[1];
  return prohibited
    ? `Has prohibited field ${prohibited}`
    : `Syntax errors in policy. (${[path, message].filter(Boolean).join(": ")})`;
}

interface Statement {
  Action?: string | readonly string[];
}

const statementsOf = (policy: unknown): Statement[] =>
  [(policy as { Statement: Statement | Statement[] }).Statement].flat();

const assumesRole = ({ Action }: Statement): boolean =>
  [Action ?? []].flat().every((action) => /^(\*|sts:.+)$/i.test(action));

/** An OIDC provider's URL has https, a host, no port, no query and no fragment. */
function isProviderUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    url.protocol === "https:" && url.port === "" && url.search === "" && url.hash === "" && text.length <= 255
  );
}

function members(parameters: URLSearchParams, list: string, field = ""): string[] {
  const values: string[] = [];
  for (;;) {
    const value = parameters.get(`${list}.member.${values.length + 1}${field}`);
    if (value === null) return values;
    values.push(value);
  }
}

function tagsReply(record: OidcProviderRecord): Reply {
  const action = "ListOpenIDConnectProviderTags";
  const tags = [...record.tags]
    .map(([key, value]) => `<member><Key>${escapeXml(key)}</Key><Value>${escapeXml(value)}</Value></member>`)
    .join("");
  const reply = emptyIamReply(action);
  const result = `<${action}Result><Tags>${tags}</Tags><IsTruncated>false</IsTruncated></${action}Result>`;
  return { ...reply, body: reply.body.replace("<ResponseMetadata>", `${result}<ResponseMetadata>`) };
}
