import { charactersOf, checkPolicyDocument, type PolicyKind } from "./policy-check.ts";
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
  checkPolicy(action, parameters);
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

/** A policy that an action takes. */
interface PolicyParameter {
  parameter: string;
  kind: PolicyKind;
  /** Characters that it may have. Source: "IAM and AWS STS quotas", IAM User Guide. */
  quota: number;
  /** What IAM says of one that has more. */
  exceeded(name: string): string;
}

const trustPolicy = (parameter: string): PolicyParameter => ({
  parameter,
  kind: "trust",
  quota: 2048,
  exceeded: () => "Cannot exceed quota for ACLSizePerRole: 2048",
});
const managedPolicy: PolicyParameter = {
  parameter: "PolicyDocument",
  kind: "permissions",
  quota: 6144,
  exceeded: () => "Cannot exceed quota for PolicySize: 6144",
};
const inlinePolicy = (of: string, quota: number): PolicyParameter => ({
  parameter: "PolicyDocument",
  kind: "permissions",
  quota,
  exceeded: (name) => `Maximum policy size of ${quota} bytes exceeded for ${of} ${name}`,
});

const policies: Readonly<Record<string, PolicyParameter | undefined>> = {
  CreateRole: trustPolicy("AssumeRolePolicyDocument"),
  UpdateAssumeRolePolicy: trustPolicy("PolicyDocument"),
  CreatePolicy: managedPolicy,
  CreatePolicyVersion: managedPolicy,
  PutRolePolicy: inlinePolicy("role", 10_240),
  PutUserPolicy: inlinePolicy("user", 2048),
  PutGroupPolicy: inlinePolicy("group", 5120),
};

/** @throws AwsError for what IAM refuses of the policy that the call holds, if it holds one. */
function checkPolicy(action: string, parameters: URLSearchParams): void {
  const policy = policies[action];
  if (policy === undefined) return;
  const text = parameters.get(policy.parameter) ?? "";
  checkPolicyDocument(text, policy.kind);
  if (charactersOf(text) > policy.quota) {
    const name = ["RoleName", "UserName", "GroupName"].map((one) => parameters.get(one)).find(Boolean);
    throw new AwsError("LimitExceeded", policy.exceeded(String(name)), 409);
  }
}

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
