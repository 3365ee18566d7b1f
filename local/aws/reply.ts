import { randomUUID } from "node:crypto";

/** A whole response: what a handler answers itself, or what came from upstream and was read to its end. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** An error as an AWS service gives it. */
export class AwsError extends Error {
  /** AWS's code, such as `AccessDenied`. */
  readonly code: string;
  /** HTTP status. Default 400. */
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
    this.name = "AwsError";
  }
}

/** How a service writes its errors: STS and IAM (`query`), EC2, S3 (`xml`), or EKS, ECR, KMS, Logs (`json`). */
export type Protocol = "query" | "ec2" | "xml" | "json";

/** Namespaces of the two services whose errors local writes in XML itself. */
const namespaces: Record<string, string> = {
  sts: "https://sts.amazonaws.com/doc/2011-06-15/",
  iam: "https://iam.amazonaws.com/doc/2010-05-08/",
};

/** The error as the SDKs expect it of that protocol; `service` picks the XML namespace. */
export function errorReply(error: AwsError, protocol: Protocol, service = ""): Reply {
  const requestId = randomUUID();
  const code = escapeXml(error.code);
  const message = escapeXml(error.message);
  const common = { "x-amzn-requestid": requestId, "x-amz-request-id": requestId };
  if (protocol === "json") {
    return {
      status: error.status,
      headers: { ...common, "content-type": "application/json", "x-amzn-errortype": error.code },
      body: JSON.stringify({ __type: error.code, message: error.message }),
    };
  }
  const type = error.status < 500 ? "Sender" : "Receiver";
  const bodies = {
    query: `<ErrorResponse xmlns="${namespaces[service] ?? "https://amazonaws.com/"}"><Error><Type>${type}</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    ec2: `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`,
    xml: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`,
  };
  return { status: error.status, headers: { ...common, "content-type": "text/xml" }, body: bodies[protocol] };
}

/** An answer of IAM without content, as its Update, Tag, Add and Remove actions give. */
export function emptyIamReply(action: string): Reply {
  const requestId = randomUUID();
  return {
    status: 200,
    headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
    body: `<${action}Response xmlns="${namespaces.iam}"><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`,
  };
}

export function jsonReply(body: unknown, status = 200): Reply {
  return {
    status,
    headers: { "content-type": "application/json", "x-amzn-requestid": randomUUID() },
    body: JSON.stringify(body),
  };
}

export function escapeXml(text: string): string {
  // Control characters have no place in XML 1.0, not even escaped.
  const printable = [...text]
    .filter((character) => character >= " " || "\t\n\r".includes(character))
    .join("");
  return printable.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
