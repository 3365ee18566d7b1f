import type { IncomingHttpHeaders } from "node:http";
import { AwsError, type Protocol } from "./reply.ts";

/** What can be told of an AWS request before its body is read. */
export interface AwsCall {
  method: string;
  /** As sent, still percent-encoded. */
  path: string;
  query: URLSearchParams;
  /** Service of the signature's scope, such as `s3`; absent when nothing is signed. */
  service: string | undefined;
  /** Every access key id that the request names anywhere; empty when it is unsigned. */
  accessKeyIds: readonly string[];
  /** The action in `X-Amz-Target`, such as `CreateRepository`. */
  target: string | undefined;
  /** Whether its body is a form, as in the Query protocol. */
  form: boolean;
}

/** Reads what a request says of itself. Nothing of it is verified: that MiniStack does. */
export function describeCall(method: string, url: string, headers: IncomingHttpHeaders): AwsCall {
  // Not by URL, to which a path such as //x/y is a host and a path.
  const [path = "/", ...rest] = url.split("?");
  const query = new URLSearchParams(rest.join("?"));
  const authorization = headers.authorization ?? "";
  const scopes = [
    /^AWS4-\S+.*?\bCredential=([^,\s]*)/.exec(authorization)?.[1],
    ...parameters(query, "x-amz-credential"),
  ]
    .filter((scope) => scope !== undefined)
    .map((scope) => scope.split("/"));
  const ids = [
    ...scopes.map(([id]) => id ?? ""),
    ...parameters(query, "awsaccesskeyid"),
    ...(authorization.startsWith("AWS ") ? [authorization.slice(4).split(":")[0] ?? ""] : []),
  ];
  const target = headers["x-amz-target"];
  return {
    method,
    path,
    query,
    service: scopes[0]?.at(-2)?.toLowerCase(),
    accessKeyIds: ids,
    target: typeof target === "string" ? target : undefined,
    form: (headers["content-type"] ?? "").toLowerCase().startsWith("application/x-www-form-urlencoded"),
  };
}

/** Whether the service takes and gives JSON, by method and path. */
export const isRestJson = ({ service }: AwsCall): boolean => service === "eks" || service === "eks-auth";

/** How the called service writes its errors. */
export function protocolOf(call: AwsCall): Protocol {
  if (call.target !== undefined || isRestJson(call)) return "json";
  if (call.service === "ec2") return "ec2";
  return call.form || call.query.has("Action") || call.service === "sts" || call.service === "iam"
    ? "query"
    : "xml";
}

/** @throws AwsError unless the request is signed with a key that IAM or STS may have given out. */
export function checkSigned(call: AwsCall): void {
  const protocol = protocolOf(call);
  if (call.accessKeyIds.length === 0) {
    throw protocol === "xml"
      ? new AwsError("AccessDenied", "Access Denied", 403)
      : new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
  }
  if (call.accessKeyIds.every(isIssuedKeyId)) return;
  const message = "The security token included in the request is invalid.";
  throw {
    xml: new AwsError(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      403,
    ),
    ec2: new AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    json: new AwsError("UnrecognizedClientException", message, 403),
    query: new AwsError("InvalidClientTokenId", message, 403),
  }[protocol];
}

/**
 * Whether an access key id can be one that IAM or STS gave out. MiniStack takes others, `test` and every account
 * number, as the account's root without a look at the signature.
 */
export const isIssuedKeyId = (id: string): boolean => /^A[A-Z0-9]{15,127}$/.test(id);

function parameters(query: URLSearchParams, lowerCaseName: string): string[] {
  return [...query].filter(([name]) => name.toLowerCase() === lowerCaseName).map(([, value]) => value);
}
