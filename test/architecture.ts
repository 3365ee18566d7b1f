import { basename, dirname, join, normalize } from "node:path";

// Judges the names of files, and imports by the table of ARCHITECTURE.md. A rule of Biome (`noRestrictedImports`) knows a path as it is written and
// not where it leads: one such rule for each place, at each depth, came to 450 lines that took "@pulumi/pulumi/automation"
// for a place of ours.

/** A row of the table. */
export interface Place {
  /** A file at the root, or a folder, with its slash. */
  name: string;
  /** Places that it may import; undefined for all. */
  mayImport: readonly string[] | undefined;
}

/** The places and their arrows, from the table whose last column is "may import". */
export function placesOf(page: string): Place[] {
  const [, table = ""] = /^\|[^\n]*\| may import \|\n\|[-|]+\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const quoted = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  return table
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => {
      const cells = line.split("|").slice(1, -1);
      const last = cells.at(-1)?.trim();
      const mayImport = last === "all" ? undefined : quoted(last);
      return quoted(cells[0]).map((name) => ({ name, mayImport }));
    });
}

/** What a module imports, in any way; as written. */
export function importsOf(source: string): string[] {
  // Biome writes each import in one form, so no parser is needed: a statement that begins a line, or a call.
  const statement = /^(?:import|export)\b(?:[^;"'`]*?\bfrom)?\s*"([^"]+)"/gm;
  const call = /\bimport\(\s*"([^"]+)"/g;
  const code = source.replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, "");
  return [...code.matchAll(statement), ...code.matchAll(call)].map(([, specifier = ""]) => specifier);
}

/** What `iam/` must not need. */
const enginesAndClouds = /^@(?:pulumi|kubernetes|aws-sdk)\//;

/** Each import against an arrow, as a sentence; of files by their paths from the root. */
export function faultsOf(places: readonly Place[], files: ReadonlyMap<string, string>): string[] {
  /** The innermost place that a file is in. */
  const placeOf = (file: string): Place | undefined =>
    places
      .filter(({ name }) => (name.endsWith("/") ? file.startsWith(name) : file === name))
      .sort((a, b) => b.name.length - a.name.length)[0];

  return [...files].flatMap(([file, source]) => {
    const from = placeOf(file);
    if (from === undefined) return [`${file} is in no place of ARCHITECTURE.md.`];
    return importsOf(source).flatMap((specifier) => {
      if (!specifier.startsWith(".")) {
        return from.name === "iam/" && enginesAndClouds.test(specifier)
          ? [`${file} imports ${specifier}; iam/ is plain values.`]
          : [];
      }
      if (specifier.endsWith(".json")) return []; // data, which has no arrows of its own
      const target = normalize(join(dirname(file), specifier));
      const to = placeOf(target);
      const allowed =
        from.mayImport === undefined ||
        to?.name.startsWith(from.name) ||
        (to !== undefined && from.mayImport.some((name) => to.name.startsWith(name)));
      const may = from.mayImport?.join(", ") || "no other place";
      return allowed ? [] : [`${file} imports ${target}; ${from.name} may import ${may}.`];
    });
  });
}

/** What each room may have one of: its door, and its command line. */
const ofEveryRoom = ["index.ts", "cli.ts"];

/**
 * Files that share a name, as a sentence a name.
 *
 * @param mirrors Whether a file is named by somebody else: a stand-in has the name of the module that it stands for.
 */
export function namesakesOf(files: readonly string[], mirrors: (file: string) => boolean): string[] {
  const named = files.filter((file) => !ofEveryRoom.includes(basename(file)) && !mirrors(file));
  return Object.entries(Object.groupBy(named, (file) => basename(file)))
    .filter(([, namesakes = []]) => namesakes.length > 1)
    .map(
      ([name, namesakes = []]) => `${name} stands for ${namesakes.length} things: ${namesakes.join(", ")}.`,
    );
}
