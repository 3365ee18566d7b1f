/**
 * Whether two policy documents are the same to IAM: one value is a list of it, and a list has no order. So does Pulumi's AWS
 * provider compare them, and shows no change.
 */
export const sameDocument = (one: unknown, other: unknown): boolean => canonical(one) === canonical(other);

function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    const items = [...new Set(value.map(canonical))].sort();
    return items.length === 1 ? String(items[0]) : `[${items.join()}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const there = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const entries = there.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`);
  return `{${entries.sort().join()}}`;
}
