import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { searchPath } from "../../local/machine/paths.ts";
import { apps } from "../../testing/lister-process.ts";
import { buildImage } from "./dockerfile.ts";
import { sizeOf } from "./size.ts";
import { ask, compile, lister, type Subjects, serving } from "./subjects.ts";

const originals = join(import.meta.dirname, "..", "originals", "go");
const floors = join(import.meta.dirname, "..", "floors", "go");
const original = "SDK v1, plain build";
const floor = "empty binary";

/**
 * Builds the Go subjects below a folder.
 *
 * @param env What they find in their environment.
 * @throws Error when there is no Go on this machine.
 */
export async function goSubjects(folder: string, env: Readonly<Record<string, string>>): Promise<Subjects> {
  ask("Go", "go", "version");
  const image = await buildImage(apps.go, join(folder, "image"), { PATH: searchPath });
  const certificates = join(image.root, "etc", "ssl", "certs", "ca-certificates.crt");

  const originalBinary = join(folder, "original");
  compile("go", ["build", "-o", originalBinary, "."], { cwd: originals });
  const floorBinary = (name: string): string => {
    const binary = join(folder, name);
    const flags = ["-trimpath", "-ldflags=-s -w"]; // as in the lister's Dockerfile
    compile("go", ["build", ...flags, "-o", binary, `./${name}`], { cwd: floors, env: { CGO_ENABLED: "0" } });
    return binary;
  };
  const [empty, rest, http] = [floorBinary("empty"), floorBinary("rest"), floorBinary("http")];

  const command = [...image.entryPoint, ...serving];
  return {
    language: "Go",
    original,
    floor,
    started: {
      [lister]: { program: command, env: { ...env, ...image.env } },
      [original]: { program: [originalBinary], env },
      [floor]: { program: [rest], env },
    },
    sizes: {
      [lister]: await sizeOf([image.root]),
      [original]: await sizeOf([originalBinary, certificates, ...librariesOf(originalBinary)]),
      [floor]: await sizeOf([empty]),
    },
    sizeNote:
      "The original: its binary, the C library that a plain build is linked to and does not start without, and the CA certificates, as if on scratch; on a golang base image it would be hundreds of MB.",
    server: { program: command, env: { ...env, ...image.env } },
    bareServer: (bytes) => ({ program: [http, String(bytes)], env }),
    atMost: { size: 0.6, memory: 0.8, start: 0.9 },
  };
}

/** The shared libraries that a binary needs, its loader among them; none for a static one. */
function librariesOf(binary: string): string[] {
  const text = execFileSync("ldd", [binary], { encoding: "utf8" });
  return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path]) =>
    path === undefined ? [] : [path],
  );
}
