import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import dockerignore from "@balena/dockerignore";

// What a lister's Dockerfile puts into its image, made without Docker: its own commands run on this machine, with the few
// absolute paths that they use laid below a folder. So what is measured cannot drift from what is built.

export interface Image {
  /** The folder that holds what the image would. */
  readonly root: string;
  /** The command that the image starts, as it is run on this machine. */
  readonly entryPoint: readonly string[];
  /** The environment that the image sets. */
  readonly env: Readonly<Record<string, string>>;
}

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** The instructions of a Dockerfile by stage; the first stage is what comes before any FROM. */
function parse(text: string): Instruction[][] {
  const stages: Instruction[][] = [[]];
  const whole = text.replace(/^\s*#.*\n/gm, "").replace(/\\\n/g, " ");
  for (const line of whole.split("\n")) {
    const [, word, rest] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (word === undefined || rest === undefined) continue;
    if (word === "FROM") stages.push([]);
    stages.at(-1)?.push({ word, rest });
  }
  return stages;
}

/** Where the Dockerfiles keep what they make; all else that they name is this machine's. */
const own = /(?<![\w}/.])\/(src|out|usr\/lib\/s3-lister)(?![\w-])/g;

/**
 * Runs the build stage of `context`/Dockerfile below `folder`.
 *
 * @param args Build arguments, and what else its commands shall find in their environment.
 * @throws Error with the end of what a command printed when it fails, or with an instruction that is not known here.
 */
export async function buildImage(
  context: string,
  folder: string,
  args: Readonly<Record<string, string>>,
): Promise<Image> {
  const [, build = [], final = []] = parse(readFileSync(join(context, "Dockerfile"), "utf8"));
  const place = (text: string): string => text.replace(own, `${folder}/$1`);
  const withoutAws = Object.entries(process.env).filter(([key]) => !key.startsWith("AWS_"));
  const env: NodeJS.ProcessEnv = { ...Object.fromEntries(withoutAws), ...args };
  mkdirSync(join(folder, "tmp"), { recursive: true });
  const wanted = wantedIn(context);
  let cwd = folder;
  for (const { word, rest } of build) {
    if (word === "FROM") continue;
    else if (word === "ARG") {
      const [name = "", value] = rest.split("=", 2);
      if (value !== undefined) env[name] ??= value;
    } else if (word === "WORKDIR") {
      cwd = place(rest);
      mkdirSync(cwd, { recursive: true });
    } else if (word === "COPY") {
      const names = rest.split(/\s+/);
      const to = join(cwd, names.pop() ?? ".");
      for (const name of names) {
        const file = /\.\w+$/.test(name);
        cpSync(join(context, name), file ? join(to, name) : to, {
          recursive: true,
          // A folder that is not wanted may hold a file that is.
          filter: (source) => statSync(source).isDirectory() || wanted(relative(context, source)),
        });
      }
    } else if (word === "RUN") await sh(place(rest), cwd, env);
    else throw new Error(`${context}/Dockerfile has ${word} in its build stage, which is not known here.`);
  }
  const last = (word: string): string[] => final.filter((one) => one.word === word).map(({ rest }) => rest);
  const inImage = (path: string): string =>
    path.startsWith("/usr/local/bin/") ? `${folder}/out${path}` : place(path);
  const entryPoint = (JSON.parse(last("ENTRYPOINT").at(-1) ?? "[]") as string[]).map((word) =>
    word.startsWith("/") ? inImage(word) : place(word),
  );
  const pairs = last("ENV").flatMap((text) => text.split(/\s+/).map((pair) => pair.split("=", 2)));
  return { root: join(folder, "out"), entryPoint, env: Object.fromEntries(pairs) as Record<string, string> };
}

/** What a build of `context` gets to see. */
function wantedIn(context: string): (path: string) => boolean {
  const file = join(context, ".dockerignore");
  const ignored = dockerignore.default().add(existsSync(file) ? readFileSync(file, "utf8") : "");
  return (path) => !ignored.ignores(path);
}

function sh(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-ec", script], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part: Buffer) => {
        output += part.toString();
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${script} failed with exit code ${code}:\n${output.slice(-3000)}`));
    });
  });
}
