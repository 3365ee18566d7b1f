/** A policy document as the SDK's inputs allow it: text, or an object. */
export const asText = (document: unknown): string =>
  typeof document === "string" ? document : JSON.stringify(document);

/** IAM answers policy documents percent-encoded. */
export const decoded = (document: string | undefined): string => decodeURIComponent(document ?? "");
