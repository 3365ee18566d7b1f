/** Parameters of a path, by their names in the template, decoded. */
export type PathParameters = Readonly<Record<string, string>>;

/**
 * A path as AWS's models write it, `/clusters/{name}/node-groups/{nodegroupName}`, as a function that reads the
 * parameters of a path that fits, and gives undefined for one that does not. `{name+}` may hold slashes.
 */
export function routeOf(template: string): (path: string) => PathParameters | undefined {
  const [path = ""] = template.split("?");
  const names: string[] = [];
  const pattern = path.replace(/\{(\w+)(\+?)\}|[^{]+/g, (part, name: string | undefined, greedy: string) => {
    if (name === undefined) return part.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
    names.push(name);
    return greedy ? "(.+)" : "([^/]+)";
  });
  const expression = new RegExp(`^${pattern}$`);
  return (asked) => {
    const values = expression.exec(asked)?.slice(1);
    return values && Object.fromEntries(names.map((name, index) => [name, decoded(values[index] ?? "")]));
  };
}

/** A text that is no percent-encoding stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
