/**
 * Replaces what is generated in a page: what stands between `<!-- name -->` and `<!-- /name -->`.
 *
 * @throws Error when the page has no place of this name.
 */
export function withSection(page: string, name: string, section: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no ${begin} with its ${end} behind it.`);
  return `${page.slice(0, from + begin.length)}\n${section}\n${page.slice(to)}`;
}

/** A table in Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
