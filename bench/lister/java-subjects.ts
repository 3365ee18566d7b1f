import { cpSync } from "node:fs";
import { join } from "node:path";
import { cache, searchPath } from "../../local/machine/paths.ts";
import { apps } from "../../testing/lister-process.ts";
import { buildImage } from "./dockerfile.ts";
import { type Command, startToFirstBucket } from "./running.ts";
import { sizeOf } from "./size.ts";
import { ask, compile, lister, type Subjects, serving } from "./subjects.ts";

const originals = join(import.meta.dirname, "..", "originals", "java");
const floors = join(import.meta.dirname, "..", "floors", "java");
const original = "mvn exec:java";
const floor = "empty class";

/** Maven's downloads for the original, and nothing else: its image would hold them. */
const repository = join(cache, "bench", "original-m2");

/** The release that the lister is for. */
const release = 21;

/**
 * Builds the Java subjects below a folder.
 *
 * @param env What they find in their environment.
 * @throws Error when there is no JDK or no Maven on this machine.
 */
export async function javaSubjects(folder: string, env: Readonly<Record<string, string>>): Promise<Subjects> {
  const jdk = ask("a JDK", "javac", "-J-XshowSettings:properties", "-version");
  const settings = ask("a JDK", "sh", "-c", "java -XshowSettings:properties -version 2>&1");
  const javaHome = /java\.home = (.*)$/m.exec(settings)?.[1] ?? "";
  const version = Number(/javac (\d+)/.exec(jdk)?.[1]);
  const mavenHome = /^Maven home: (.*)$/m.exec(ask("Maven", "mvn", "--batch-mode", "-version"))?.[1] ?? "";

  const tools = { PATH: `${join(javaHome, "bin")}:${searchPath}`, JAVA_HOME: javaHome };
  const image = await buildImage(apps.java, join(folder, "image"), {
    ...tools,
    RELEASE: String(Math.min(version, release)),
  });
  const classes = join(folder, "classes");
  for (const name of ["Rest", "Http"]) {
    compile("javac", ["-d", classes, join(floors, `${name}.java`)], { cwd: folder, env: tools });
  }
  const bare = (name: string, ...args: string[]): Command => {
    // The same JVM with the same flags, but for the archive of the lister's own classes.
    const flags = image.entryPoint.slice(0, image.entryPoint.indexOf("-jar"));
    const without = flags.filter((flag) => !flag.startsWith("-XX:SharedArchiveFile"));
    return { program: [...without, "-cp", classes, name, ...args], env };
  };

  const project = join(folder, "original");
  cpSync(originals, project, { recursive: true });
  const mvn = (...args: string[]): Command => ({
    program: ["mvn", "--quiet", `-Dmaven.repo.local=${repository}`, ...args],
    env: { ...withoutAws, ...env, ...tools },
    cwd: project,
  });
  // Downloads and compiles everything, so that what is measured does neither.
  await (await startToFirstBucket(mvn("compile", "exec:java"), 600)).stop();

  const command = [...image.entryPoint, ...serving];
  const inImage = (name: string): string => join(image.root, "usr", "lib", "s3-lister", name);
  return {
    language: "Java",
    original,
    floor,
    started: {
      [lister]: { program: command, env: { ...env, ...image.env } },
      [original]: mvn("--offline", "exec:java"),
      "mvn compile exec:java": mvn("--offline", "compile", "exec:java"),
      [floor]: bare("Rest"),
    },
    sizes: {
      [lister]: await sizeOf([image.root]),
      [original]: await sizeOf([
        javaHome,
        mavenHome,
        repository,
        join(project, "src"),
        join(project, "pom.xml"),
      ]),
      [floor]: await sizeOf(
        [image.root, join(classes, "Rest.class")],
        ["s3-lister.jar", "lib", "s3-lister.jsa"].map(inImage),
      ),
    },
    sizeNote: `The original: this machine's JDK ${version}, its Maven, Maven's repository and the project, without the system below them. The empty class: the lister's own runtime image with one class.`,
    server: { program: command, env: { ...env, ...image.env } },
    bareServer: (bytes) => bare("Http", String(bytes)),
    atMost: { start: 0.25 },
  };
}

const withoutAws = Object.fromEntries(
  Object.entries(process.env).filter(
    (entry): entry is [string, string] => !entry[0].startsWith("AWS_") && entry[1] !== undefined,
  ),
);
