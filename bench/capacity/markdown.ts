/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

export const number = (value: number): string =>
  value.toLocaleString(
    "en-GB",
    value < 1
      ? { maximumSignificantDigits: 2 }
      : { maximumFractionDigits: value >= 100 ? 0 : value >= 10 ? 1 : 2 },
  );

/** A time as people say it: two digits, or all of a whole number. */
export function time(seconds: number): string {
  const [unit, size] =
    seconds < 100 ? ["s", 1] : seconds % 3600 === 0 || seconds >= 6000 ? ["h", 3600] : ["min", 60];
  const value = seconds / Number(size);
  return `${number(value >= 10 ? Math.round(value) : Math.round(value * 10) / 10)} ${unit}`;
}

/** Bytes as people say them: thousands, not 1,024s. */
export function bytes(count: number): string {
  const [unit, size] = count < 1e6 ? ["kB", 1e3] : count < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  const value = count / Number(size);
  return `${number(value >= 10 ? Math.round(value) : Math.round(value * 10) / 10)} ${unit}`;
}

const mark = (name: string): string => `<!-- capacity:${name} -->`;
const endMark = "<!-- /capacity -->";

/**
 * Puts the generated parts into a page, each between its marks: `<!-- capacity:NAME -->` and `<!-- /capacity -->`.
 *
 * @throws Error when a part has no place in the page, or the page has a place for a part that there is not.
 */
export function filled(page: string, parts: Readonly<Record<string, string>>): string {
  const places = [...page.matchAll(/<!-- capacity:([\w-]+) -->/g)].map(([, name]) => name ?? "");
  const strays = places.filter((name) => parts[name] === undefined);
  if (strays.length > 0) throw new Error(`Nothing is generated for the page's ${strays.join(", ")}.`);
  return Object.entries(parts).reduce((text, [name, part]) => {
    const start = text.indexOf(mark(name));
    const end = text.indexOf(endMark, start);
    if (start < 0 || end < 0)
      throw new Error(`The page has no place for ${name}: ${mark(name)} and ${endMark}.`);
    return `${text.slice(0, start)}${mark(name)}\n${part}\n${text.slice(end)}`;
  }, page);
}
