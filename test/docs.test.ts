import { spawn } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { load } from "js-yaml";
import { ConfigError, parseConfig } from "../config.ts";
import { checkLocalConfig } from "../local/pulumi/engine.ts";
import manifest from "../package.json" with { type: "json" };
import { anchorsOf, blocksOf, commandsOf, type Script, scriptOf } from "./docs.ts";

const root = join(import.meta.dirname, "..");
const pages = new Map(
  globSync("{*,docs/*,.github/*}.md", { cwd: root })
    .sort()
    .map((name) => [name, readFileSync(join(root, name), "utf8")] as const),
);
const commands = [...pages].flatMap(([page, text]) => commandsOf(text).map((one) => ({ page, ...one })));

/** Commands that are not run here, by how they begin, and why. Those of `npm run` have their words looked up all the same. */
const notRun: Readonly<Record<string, string>> = {
  "npm ci": "replaces node_modules, which this test runs from",
  "npm test": "runs this test",
  "npm pack": "writes a file; test/e2e/package.e2e.ts does it",
  "npm install": "writes; test/e2e/package.e2e.ts does it",
  "npm run format": "writes",
  "npm run test:local": "needs local, and half an hour",
  "npm run test:faults": "needs local, and half an hour",
  "npm run bench": "needs local, and an hour",
  "npm run local": "needs root on Debian; test/e2e/ does it",
  "npm run stack": "needs an engine and AWS; test/e2e/automation.e2e.ts does it",
  "npm run doctor": "needs a cluster; test/e2e/doctor-command.e2e.ts does it",
  "npm run audit": "needs a cluster; test/e2e/audit.e2e.ts does it",
  "npm run adopt": "needs a cluster; test/e2e/adopt.e2e.ts does it",
  "npx tsc": "`npm test` does it",
  "npx node": "needs local; test/e2e/example.e2e.ts does it",
  ".ci/run": "runs this test, and all else",
  pulumi: "needs an engine, and an account or local",
  aws: "needs an account or local",
  kubectl: "needs a cluster",
  curl: "needs the example to be running",
  tar: "is piped into a pod",
  cp: "copies what `npm run adopt` wrote",
  export: "sets the reader's shell",
  cd: "leads to a folder of the reader's",
  rm: "deletes the reader's caches",
};

/** Paths in other projects, which look like ours. */
const elsewhere = ["docs/install/iam_policy.json", "docs/tutorials/aws.md", "app/db"];

/** The scripts that have commands and options of their own, and say so by `--help`. */
const withHelp = ["local", "stack", "doctor", "audit", "adopt"];

/** Runs a script of package.json as npm does, with more words behind it. */
function run({ name, args }: Script): Promise<{ code: number | null; output: string }> {
  const script = manifest.scripts[name as keyof typeof manifest.scripts];
  const [, ...words] = script.split(" "); // each begins with `node`
  return execute(process.execPath, [...words, ...args]);
}

function execute(command: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

/** What a script, or one of its commands, says to `--help`. Asked once each. */
const helps = new Map<string, ReturnType<typeof run>>();
function helpOf(name: string, command?: string): ReturnType<typeof run> {
  const args = [...(command === undefined ? [] : [command]), "--help"];
  const key = [name, ...args].join(" ");
  const help = helps.get(key) ?? run({ name, args });
  helps.set(key, help);
  return help;
}

function commandsIn(help: string): string[] {
  const [, list = ""] = /^Commands:\n([\s\S]*)/m.exec(help) ?? [];
  return [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name = ""]) => name);
}

/** What is wrong with how a script is called: a command or an option that it does not know. */
async function faultsOf({ name, args }: Script): Promise<string[]> {
  if (!(name in manifest.scripts)) return [`there is no script ${name}`];
  if (!withHelp.includes(name)) return [];
  const known = commandsIn((await helpOf(name)).output);
  const [first] = args;
  const command = first !== undefined && !first.startsWith("-") && known.length > 0 ? first : undefined;
  if (command !== undefined && !known.includes(command)) return [`${name} has no command ${command}`];
  // What is behind `exec` is a command of the pod's.
  const options = command === "exec" ? [] : args.filter((word) => word.startsWith("--") && word !== "--help");
  if (options.length === 0) return [];
  const { output: help } = await helpOf(name, command);
  return options
    .filter((option) => !new RegExp(`${option}\\b`).test(help))
    .map((option) => `${name} ${command ?? ""} has no option ${option}`);
}

describe("the pages", function () {
  this.timeout("2m");

  it("are read", () => {
    expect([...pages.keys()]).to.include.members(["README.md", "docs/local.md"]);
    expect(commands.map(({ line }) => line)).to.include("npm run local -- down && rm -rf ~/.cache/eks-irsa");
  });

  it("README is the way in: at most 150 lines, and it leads to every page", () => {
    const readme = pages.get("README.md") ?? "";
    expect(readme.split("\n").length).to.be.at.most(151); // and the end of the last
    expect(
      [...pages.keys()].filter((name) => /^docs|^[A-Z]+\.md$/.test(name) && name !== "README.md"),
    ).to.satisfy((names: string[]) => names.every((name) => readme.includes(`](${name})`)));
  });

  it("have no command that is neither run here nor known to need more", () => {
    const known = ({ words }: { words: readonly string[] }) => {
      const script = scriptOf(words);
      const text = `${script === undefined ? words.join(" ") : `npm run ${script.name}`} `;
      return (
        text.startsWith("npx mocha ") || Object.keys(notRun).some((start) => text.startsWith(`${start} `))
      );
    };
    expect(commands.filter((one) => !known(one)).map(({ page, line }) => `${page}: ${line}`)).to.deep.equal(
      [],
    );
  });

  it("call scripts that are there, with commands and options that they have", async () => {
    const faults = await Promise.all(
      commands.map(async ({ page, line, words }) => {
        const script = scriptOf(words);
        return script === undefined
          ? []
          : (await faultsOf(script)).map((fault) => `${page}: ${line}: ${fault}`);
      }),
    );
    expect(faults.flat()).to.deep.equal([]);
  });

  it("would be told from one that calls what is not there", async () => {
    expect(await faultsOf({ name: "deploy", args: [] })).to.deep.equal(["there is no script deploy"]);
    expect(await faultsOf({ name: "local", args: ["upp"] })).to.deep.equal(["local has no command upp"]);
    expect(await faultsOf({ name: "local", args: ["status", "--jso"] })).to.deep.equal([
      "local status has no option --jso",
    ]);
    expect(await faultsOf({ name: "doctor", args: ["dev", "--yes"] })).to.have.length(1);
  });

  it("have harmless commands that work", async () => {
    const scripts = commands.flatMap(({ words }) => scriptOf(words) ?? []);
    const harmless = [...pages.values()]
      .flatMap((text) => [...text.matchAll(/`(npm run \w+ -- --help)`/g)].flatMap(([, line = ""]) => line))
      .flatMap((line) => scriptOf(line.split(" ")) ?? [])
      .concat(scripts.filter(({ args }) => args.includes("--help")));
    expect(new Set(harmless.map(({ name }) => name))).to.deep.equal(new Set(withHelp));
    for (const name of withHelp) {
      const { code, output } = await helpOf(name);
      expect(code, output).to.equal(0);
      expect(output).to.contain(`Usage: npm run ${name} --`);
    }
  });

  it("run a test file as CONTRIBUTING.md says", async () => {
    const [, ...words] = /`npx (mocha .*?)`/.exec(pages.get("CONTRIBUTING.md") ?? "")?.[1]?.split(" ") ?? [];
    const { code, output } = await execute(process.execPath, [
      join(root, "node_modules", "mocha", "bin", "mocha.js"),
      ...words,
    ]);
    expect(code, output).to.equal(0);
    expect(output).to.match(/\d+ passing/);
  });

  it("mention scripts and commands that are there", async () => {
    const mentions = [...pages].flatMap(([page, text]) =>
      [...text.matchAll(/`npm run ([\w:]+)(?: -- (\w+))?/g)].map(([, name = "", word]) => ({
        page,
        name,
        word,
      })),
    );
    const unknown: string[] = [];
    for (const { page, name, word } of mentions) {
      // The doctor's word is a stack, that of tests and measurements a name among theirs.
      const args = word !== undefined && ["local", "stack"].includes(name) ? [word] : [];
      unknown.push(...(await faultsOf({ name, args })).map((fault) => `${page}: ${fault}`));
    }
    expect(mentions).not.to.deep.equal([]);
    expect(unknown).to.deep.equal([]);
  });

  it("lead to pages, files and headings that are there", () => {
    const broken = [...pages].flatMap(([page, text]) =>
      [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].flatMap(
        ([link, path = "", anchor]) => {
          const target = path === "" ? page : join(dirname(page), path);
          if (!existsSync(join(root, target))) return [`${page}: ${link}`];
          const anchors = anchorsOf(pages.get(target) ?? "");
          return anchor === undefined || anchors.includes(anchor) ? [] : [`${page}: ${link}`];
        },
      ),
    );
    expect(broken).to.deep.equal([]);
  });

  it("name files and folders that are there", () => {
    const rooms = globSync("*/", { cwd: root, exclude: ["node_modules", "dist"] }).join("|");
    const named = new RegExp(`\`((?:${rooms}|\\.github|\\.ci|\\.vscode)/[\\w./-]*)\``, "g");
    const missing = [...pages].flatMap(([page, text]) =>
      [...text.matchAll(named)]
        .filter(([, path = ""]) => !elsewhere.includes(path) && !existsSync(join(root, path)))
        .map(([, path]) => `${page}: ${path}`),
    );
    expect(missing).to.deep.equal([]);
  });

  it("configure only what the configuration has", () => {
    const stackFiles = [...pages].flatMap(([page, text]) =>
      blocksOf(text, "yaml")
        .filter((block) => /^\s*eks-irsa:\w+:/m.test(block))
        .map((block) => ({ page, block })),
    );
    expect(stackFiles.length).to.be.above(5);
    const faults = stackFiles.flatMap(({ page, block }) => {
      const file = load(block) as Record<string, unknown> & { config?: Record<string, unknown> };
      const keys = Object.entries({ "aws:region": "eu-central-1", ...(file.config ?? file) });
      const raw = keys.map(([key, value]) => [
        key,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      return refusalOf(page, () => parseConfig(page, Object.fromEntries(raw)));
    });
    expect(faults).to.deep.equal([]);
  });

  it("set only what the configuration has", () => {
    const settings = commands.flatMap(({ page, words }) => {
      const local = scriptOf(words)?.name === "local";
      const byOption = words.filter((_, index) => local && words[index - 1] === "--config");
      const [, , , , key = "", value = ""] = words; // pulumi config set --path KEY VALUE
      const byCommand = words.slice(0, 4).join(" ") === "pulumi config set --path" ? [`${key}=${value}`] : [];
      return [...byOption, ...byCommand].map((setting) => ({ page, setting }));
    });
    expect(settings.length).to.be.above(5);
    const faults = settings.flatMap(({ page, setting }) =>
      refusalOf(page, () => checkLocalConfig([setting])),
    );
    expect(faults).to.deep.equal([]);
    expect(refusalOf("x", () => checkLocalConfig(["replica=2"]))).to.have.length(1);
  });

  function refusalOf(page: string, check: () => unknown): string[] {
    try {
      check();
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return [`${page}: ${error.message}`];
    }
  }
});

describe("a page's commands", () => {
  it("are taken apart as a shell takes them apart", () => {
    const page = [
      "```sh",
      "npm ci && npm run local   # see it",
      'eval "$(npm run --silent local -- env)"',
      "A=1 npm run --silent local -- exec sh -c 'cd java && mvn test' | cat",
      "# alone",
      "```",
      "",
      "- ```sh",
    ].join("\n");
    expect(commandsOf(page).map(({ words }) => words)).to.deep.equal([
      ["npm", "ci"],
      ["npm", "run", "local"],
      ["npm", "run", "--silent", "local", "--", "env"],
      ["npm", "run", "--silent", "local", "--", "exec", "sh", "-c", "cd java && mvn test"],
      ["cat"],
    ]);
    expect(scriptOf(["npm", "run", "--silent", "local", "--", "env"])).to.deep.equal({
      name: "local",
      args: ["env"],
    });
    expect(scriptOf(["npm", "run", "local"])).to.deep.equal({ name: "local", args: [] });
    expect(scriptOf(["npm", "test"])).to.equal(undefined);
  });

  it("and headings are found as GitHub finds them", () => {
    expect(anchorsOf("# Local: `npm run bench -- local`\n\n## The state cannot be read\n")).to.deep.equal([
      "local-npm-run-bench----local",
      "the-state-cannot-be-read",
    ]);
  });
});
