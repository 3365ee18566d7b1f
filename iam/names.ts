import { matching, object, text } from "./validation.ts";

// What names of Kubernetes and EKS may be.

/** RFC 1123 label, which Kubernetes asks of a namespace's name. */
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** RFC 1123 subdomain, which Kubernetes asks of a ServiceAccount's name and of a label's prefix. */
const subdomain = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export const namespaceNameRule =
  "lower-case letters, digits and '-', starting and ending with a letter or digit, at most 63";
export const isNamespaceName = (name: string): boolean => label.test(name);
export const namespaceName = text(namespaceNameRule, isNamespaceName);

export const serviceAccountNameRule =
  "lower-case letters, digits, '-' and '.', each part between dots starting and ending with a letter or digit, at most 253";
export const isServiceAccountName = (name: string): boolean => subdomain.test(name);
export const serviceAccountName = text(serviceAccountNameRule, isServiceAccountName);

/** What stands for a name as a pattern: `*` for any characters, `?` for one. */
export const isNamePattern = (pattern: string): boolean =>
  /[*?]/.test(pattern) && /^[-a-z0-9.*?]+$/.test(pattern);
export const namePattern = object({
  matching: text("a name with * or ? in the pattern", isNamePattern),
});

/** Source: "Labels and Selectors" and "Annotations", Kubernetes documentation. */
const qualifiedName = /^(?:([^/]*)\/)?([A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$/;
export const qualifiedNameRule =
  "at most 63 letters, digits, '-', '_' or '.', starting and ending with a letter or digit, after a prefix such as example.com/ or none";
export function isQualifiedName(key: string): boolean {
  const match = qualifiedName.exec(key);
  return match !== null && (match[1] === undefined || subdomain.test(match[1]));
}
export const labelValue = matching(
  /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
  "at most 63 letters, digits, '-', '_' or '.', starting and ending with a letter or digit",
);

/** Source: CreateCluster, Amazon EKS API Reference. */
export const clusterName = matching(
  /^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/,
  "1 to 100 letters, digits, '-' or '_', starting with a letter or digit",
);

const pathOfImage = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
/** Source: the grammar of references of github.com/distribution/reference. */
const image = new RegExp(
  `^(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\\d+)?/)?${pathOfImage}(?:/${pathOfImage})*(?::\\w[\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);
export const isImageName = (name: string): boolean => name.length <= 512 && image.test(name);
