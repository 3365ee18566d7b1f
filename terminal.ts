import { homedir } from "node:os";
import { createInterface } from "node:readline/promises";
import { styleText } from "node:util";
import { Command } from "commander";

// How every command of this project reads its command line and speaks to a person: one voice, one set of exit codes for what
// all of them can run into.

/** Exit codes that mean the same in every command. What else one of them tells, it tells with others. */
export const exitCodes = { done: 0, failed: 1, usage: 2, busy: 3, notConfirmed: 4 } as const;

/** What a person gave cannot be meant: a sentence that says what would be right. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UsageError";
  }
}

/** A person said no, or was not there to be asked. Nothing was done. */
export class NotConfirmedError extends Error {}

/** Whether there is a person to ask. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Asks the person at the terminal, such as `Go on? [y/N]`. @throws NotConfirmedError when they say no. */
export async function confirm(question: string, { byDefault }: { byDefault: "yes" | "no" }): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = (await terminal.question(`${question} ${byDefault === "yes" ? "[Y/n]" : "[y/N]"} `)).trim();
  terminal.close();
  const yes = answer === "" ? byDefault === "yes" : /^y/i.test(answer);
  if (!yes) throw new NotConfirmedError("Nothing was done.");
}

/**
 * A command with what all have: `--help`, the nearest word for one that it does not know, and exit code 2 for a command
 * line that it cannot take. Subcommands that are made with `.command()` inherit it.
 */
export const commandLine = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .showSuggestionAfterError()
    .showHelpAfterError("(--help lists what there is)")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage));

/**
 * Runs a command line. An error ends it with its message on standard error and no stack trace.
 *
 * @param codeOf Exit code of an error that is none of this module's; undefined for 1.
 */
export async function run(
  cli: Command,
  {
    args = process.argv.slice(2),
    codeOf = () => undefined,
  }: { args?: readonly string[]; codeOf?: (error: unknown) => number | undefined } = {},
): Promise<void> {
  // Whoever read it has had enough, as `head` has: there is nobody to tell more.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.failed);
    throw error;
  });
  try {
    await cli.parseAsync(args, { from: "user" });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof UsageError) process.exit(exitCodes.usage);
    if (error instanceof NotConfirmedError) process.exit(exitCodes.notConfirmed);
    process.exit(codeOf(error) ?? exitCodes.failed);
  }
}

/** Columns that lines may have there: the terminal's, or what a pipe's reader most likely has. */
export const columnsOf = (stream: NodeJS.WriteStream): number =>
  (stream.isTTY ? stream.columns : Number(process.env.COLUMNS)) || 80;

/** A text in a colour, where the stream is a terminal and `NO_COLOR` is not set. Never the only thing that tells a state. */
export const coloured = (
  colour: "green" | "red" | "yellow" | "dim",
  text: string,
  stream: NodeJS.WriteStream,
): string => styleText(colour, text, { stream });

/** A path as a shell and a person read it, in fewer letters: `~/.cache/x`. */
export const shortPath = (path: string): string =>
  path === homedir() || path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;

/** Text broken at its spaces so that no line is wider, but for a word that is. Lines after the first are indented. */
export function folded(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** What stands at the left of a table's row, and between its cells. */
const [margin, gap] = ["  ", "   "];

/**
 * Rows as an aligned table that is no wider than `width`: the widest columns give way, and their cells go on below. A
 * word that has no space to break at is broken after a slash, or where the column ends.
 */
export function table(rows: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const room = width - margin.length - gap.length * (columns - 1);
  for (let over = widths.reduce((sum, one) => sum + one, 0) - room; over > 0; over--) {
    const widest = Math.max(...widths);
    if (widest <= 8) break; // too narrow to be a table: let the terminal wrap it
    widths[widths.lastIndexOf(widest)] = widest - 1;
  }
  return rows
    .flatMap((row) => {
      const cells = widths.map((one, column) =>
        folded(row[column] ?? "", one).flatMap((part) => broken(part, one)),
      );
      const height = Math.max(...cells.map((lines) => lines.length));
      return Array.from({ length: height }, (_, line) =>
        `${margin}${cells.map((lines, column) => (lines[line] ?? "").padEnd(widths[column] ?? 0)).join(gap)}`.trimEnd(),
      );
    })
    .join("\n");
}

/** One word in parts that fit. */
function broken(word: string, width: number): string[] {
  if (word.length <= width) return [word];
  const slash = word.lastIndexOf("/", width - 1);
  const at = slash > 0 ? slash + 1 : width;
  return [word.slice(0, at), ...broken(word.slice(at), width)];
}
