/**
 * The two parts of an id such as `<cluster>:<add-on>`: what is before and what is behind the first separator.
 *
 * @throws Error when it has none, as an import's may.
 */
export function partsOf(id: string, separator: string): [clusterName: string, name: string] {
  const at = id.indexOf(separator);
  if (at < 1) throw new Error(`${id} is no id of the form CLUSTER${separator}NAME`);
  return [id.slice(0, at), id.slice(at + 1)];
}
