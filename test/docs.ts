// Reads what the pages say that a person is to type.

/** One simple command of a page's shell block, without what it is joined to by `&&` or `|`. */
export interface Command {
  /** As it stands in the page. */
  readonly line: string;
  readonly words: readonly string[];
}

/** The fenced blocks of a language, without the indentation that a list gives them. */
export function blocksOf(page: string, language: string): string[] {
  const fence = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\`$`, "gm");
  return [...page.matchAll(fence)].map(([, indent = "", text = ""]) =>
    text
      .split("\n")
      .map((line) => line.slice(indent.length))
      .join("\n"),
  );
}

/** The commands of a page's shell blocks, those inside `$(...)` too. */
export function commandsOf(page: string): Command[] {
  return blocksOf(page, "sh")
    .flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
    .map((line) => line.replace(/(^|\s+)#.*$/, "").trim())
    .flatMap((line) => simpleCommands(line).map((words) => ({ line, words })));
}

function simpleCommands(line: string): string[][] {
  const inner: string[] = [];
  const outer = line.replace(/\$\(([^()]*)\)/g, (_, text: string) => {
    inner.push(text);
    return "$SUBSTITUTED";
  });
  const commands: string[][] = [[]];
  for (const [, operator, word] of outer.matchAll(/(&&|[|;&])|((?:'[^']*'|"[^"]*"|[^\s'"|;&])+)/g)) {
    if (operator !== undefined) commands.push([]);
    else if (word !== undefined) commands.at(-1)?.push(word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
  }
  return [
    ...commands
      .map((words) => words.slice(words.findIndex((word) => !/^\w+=/.test(word)))) // without VARIABLE=value before it
      .filter(([name]) => name !== undefined && name !== "eval" && name !== "$SUBSTITUTED"),
    ...inner.flatMap(simpleCommands),
  ];
}

/** An `npm run` as it is typed. */
export interface Script {
  readonly name: string;
  /** What is behind `--`. */
  readonly args: readonly string[];
}

/** What an `npm run` calls; undefined for any other command. */
export function scriptOf([npm, run, ...rest]: readonly string[]): Script | undefined {
  if (npm !== "npm" || run !== "run") return undefined;
  const [name = "", ...more] = rest.filter((word) => word !== "--silent");
  return { name, args: more.slice(more.indexOf("--") + 1) };
}

/** The anchors that GitHub gives a page's headings. */
export function anchorsOf(page: string): string[] {
  const text = page.replaceAll(/^```[\s\S]*?^```$/gm, "");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
