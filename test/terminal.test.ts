import { spawnSync } from "node:child_process";
import { homedir } from "node:os";
import { expect } from "chai";
import { columnsOf, folded, shortPath, table } from "../terminal.ts";

describe("what all commands share", () => {
  it("folds at spaces, and leaves a long word whole", () => {
    expect(folded("one two three", 8)).to.deep.equal(["one two", "three"]);
    expect(folded("one two three", 9, "  ")).to.deep.equal(["one two", "  three"]);
    expect(folded("a-word-that-is-long b", 5)).to.deep.equal(["a-word-that-is-long", "b"]);
    expect(folded("", 5)).to.deep.equal([""]);
  });

  it("aligns a table, and folds its widest column where it is too wide", () => {
    const rows = [
      ["a", "b"],
      ["long", "c d e f g h i j"],
    ];
    expect(table(rows)).to.equal("  a      b\n  long   c d e f g h i j");
    expect(table(rows, 18)).to.equal("  a      b\n  long   c d e f g\n         h i j");
    expect(table([["x", "/a/path/that/is/long"]], 18)).to.equal("  x   /a/path/\n      that/is/long");
  });

  it("writes a path below the home directory with ~", () => {
    expect(shortPath(`${homedir()}/.cache/x`)).to.equal("~/.cache/x");
    expect(shortPath(homedir())).to.equal("~");
    expect(shortPath(`${homedir()}more/x`)).to.equal(`${homedir()}more/x`);
  });

  it("takes a pipe for 80 columns wide, unless COLUMNS says otherwise", () => {
    const pipe = { isTTY: false } as NodeJS.WriteStream;
    const before = process.env.COLUMNS;
    try {
      process.env.COLUMNS = "120";
      expect(columnsOf(pipe)).to.equal(120);
      delete process.env.COLUMNS;
      expect(columnsOf(pipe)).to.equal(80);
    } finally {
      if (before !== undefined) process.env.COLUMNS = before;
    }
    expect(columnsOf({ isTTY: true, columns: 100 } as NodeJS.WriteStream)).to.equal(100);
  });

  /** What a program that uses it prints under a terminal, or without one. */
  const printed = (terminal: boolean, env: NodeJS.ProcessEnv = {}): string => {
    const program =
      'import { coloured } from "./terminal.ts"; process.stdout.write(coloured("red", "bad", process.stdout));';
    const command = `"${process.execPath}" --input-type=module --eval '${program}'`;
    const [name, args] = terminal
      ? (["script", ["--quiet", "--command", command, "/dev/null"]] as const)
      : (["sh", ["-c", command]] as const);
    const { stdout } = spawnSync(name, args, {
      encoding: "utf8",
      cwd: `${import.meta.dirname}/..`,
      env: { PATH: process.env.PATH, TERM: "xterm", ...env },
    });
    return stdout.trim();
  };

  it("colours on a terminal only, and not where NO_COLOR is set", () => {
    expect(printed(false)).to.equal("bad");
    expect(printed(true)).to.contain("\u001b[31mbad");
    expect(printed(true, { NO_COLOR: "1" })).to.equal("bad");
  });

  const run = (body: string) =>
    spawnSync(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `import * as terminal from "./terminal.ts"; await terminal.run(terminal.commandLine("it", "does").action(() => { ${body} }), { args: [], codeOf: (error) => error.message === "mine" ? 7 : undefined });`,
      ],
      { encoding: "utf8", cwd: `${import.meta.dirname}/..` },
    );

  it("ends without a word when its reader has gone", () => {
    const program =
      'import * as terminal from "./terminal.ts"; await terminal.run(terminal.commandLine("it", "does").action(() => new Promise(() => setInterval(() => process.stdout.write("x".repeat(100000)), 1))), { args: [] });';
    const { stdout, stderr } = spawnSync(
      "sh",
      ["-c", `"${process.execPath}" --input-type=module --eval '${program}' | head -c 3`],
      {
        encoding: "utf8",
        cwd: `${import.meta.dirname}/..`,
      },
    );
    expect([stdout, stderr]).to.deep.equal(["xxx", ""]);
  });

  it("ends with an error's sentence and its exit code, and no stack trace", () => {
    for (const [body, code, says] of [
      ["", 0, ""],
      ['throw new Error("It is broken.");', 1, "It is broken.\n"],
      ['throw new terminal.UsageError("No such thing.");', 2, "No such thing.\n"],
      ['throw new terminal.NotConfirmedError("Nothing was done.");', 4, "Nothing was done.\n"],
      ['throw new Error("mine");', 7, "mine\n"],
    ] as const) {
      const { status, stderr } = run(body);
      expect(stderr).to.equal(says);
      expect(status, body).to.equal(code);
    }
  });
});
