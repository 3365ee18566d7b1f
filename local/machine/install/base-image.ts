import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { cache, debian, project } from "../paths.ts";
import { exists } from "../process.ts";
import { goEnvironment } from "./go.ts";

/** Debian's parts of the image that Go programs are built in. */
export const baseImageDebianPackages = ["busybox-static", "ca-certificates"] as const;

/** The root file system of a base image, and the name that it is imported under. */
export interface BaseImage {
  name: string;
  folder: string;
  /** Its environment, as instructions of `docker import`. */
  changes: readonly string[];
}

/**
 * Lays out the image that stands for `golang:` here, where no public image can be pulled: the Go toolchain of this
 * machine, a shell, Debian's certificate authorities, and the modules that the lister needs, so
 * that a build in it asks nothing of the network. Does nothing when it is there for the same toolchain and modules.
 */
export async function layOutGoImage(goVersion: string, onLine: (line: string) => void): Promise<BaseImage> {
  const app = join(project, "app", "go");
  const pins = createHash("sha256")
    .update(await readFile(join(app, "go.sum")))
    .update(goImageChanges.join("\n"))
    .digest("hex")
    .slice(0, 12);
  const name = `eks-irsa.local/golang:${goVersion}-${pins}`;
  const folder = join(baseImages, `golang-${goVersion}-${pins}`);
  if (await exists(folder)) return { name, folder, changes: goImageChanges };

  await removeOthers("golang-");
  const root = `${folder}.new`;
  for (const path of ["bin", "etc", "usr/local", "go", "tmp", "root"]) {
    await mkdir(join(root, path), { recursive: true });
  }

  const goroot = (await command("go", ["env", "GOROOT"], { log: "go", env: goEnvironment })).trim();
  const unneeded = new Set(["test", "doc", "api", "misc"].map((name) => join(goroot, name)));
  await cp(goroot, join(root, "usr/local/go"), {
    recursive: true,
    filter: (source) => !unneeded.has(source),
  });

  const busybox = (await exists("/bin/busybox")) ? "/bin/busybox" : join(debian, "bin/busybox");
  await cp(busybox, join(root, "bin/busybox"));
  await addBusybox(root, busybox);

  // As Debian ships them: the machine's own bundle may hold a certificate that is nobody else's business.
  const authorities = "usr/share/ca-certificates/mozilla";
  const source = (await exists(join("/", authorities))) ? "/" : debian;
  await cp(join(source, authorities), join(root, authorities), { recursive: true });

  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");

  await command("go", ["mod", "download", "-x"], {
    log: "base-image",
    cwd: app,
    env: { ...goEnvironment, GOMODCACHE: join(root, "go/pkg/mod"), GOFLAGS: "-modcacherw" },
    onLine,
  });
  await rename(root, folder);
  return { name, folder, changes: goImageChanges };
}

/** Where the root file systems of base images lie. */
export const baseImages = join(cache, "base");

/** Removes what was laid out for other versions. */
export async function removeOthers(prefix: string): Promise<void> {
  for (const name of await readdir(baseImages).catch(() => [])) {
    if (name.startsWith(prefix)) await rm(join(baseImages, name), { recursive: true });
  }
}

/** Gives a root file system a shell and the usual commands: those of busybox, where it has none of its own. */
export async function addBusybox(root: string, busybox: string): Promise<void> {
  const applets = (await command(busybox, ["--list"], { log: "base-image" })).trim().split("\n");
  for (const applet of applets) {
    const own = await Promise.all(["bin", "usr/bin"].map((folder) => exists(join(root, folder, applet))));
    if (!own.includes(true)) await symlink("busybox", join(root, "bin", applet)).catch(() => {});
  }
}

const goImageChanges = [
  "ENV PATH=/usr/local/go/bin:/bin GOPATH=/go GOPROXY=off GOTOOLCHAIN=local",
  // The binary is stripped of debug information in any case, and a compiler that seldom collects garbage is quicker.
  "ENV GOFLAGS -modcacherw -gcflags=all=-dwarf=false",
  "ENV GOGC 400",
  "WORKDIR /go",
];
