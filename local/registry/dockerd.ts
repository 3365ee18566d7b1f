import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import type { BaseImage } from "../machine/install/base-image.ts";
import { type Daemon, start } from "../machine/process.ts";

/** The cgroup that holds the containers in which images are built. */
export const buildCgroup = "eks-irsa-build";

export interface DockerdOptions {
  /** Data of this run. */
  folder: string;
  /** Images and build cache, kept between runs. */
  cache: string;
  onStart: (daemon: Daemon) => void;
}

/**
 * Starts a Docker engine of local's own, beside whatever the machine has, and gives its socket. It touches neither
 * network nor firewall: build steps run without a network, or on the host's.
 */
export async function startDockerd(options: DockerdOptions): Promise<string> {
  const { folder, cache } = options;
  await mkdir(folder, { recursive: true });
  await mkdir(cache, { recursive: true });
  const socket = join(folder, "docker.sock");
  const config = join(folder, "daemon.json");
  await writeFile(config, "{}"); // not /etc/docker/daemon.json, which may be the person's
  await start(
    {
      name: "dockerd",
      // A mount namespace of its own: no layer that it mounts is seen, or left, outside.
      command: "unshare",
      args: [
        ...["--mount", "--propagation", "private", "dockerd"],
        ...["--config-file", config],
        ...["--host", `unix://${socket}`],
        ...["--data-root", cache],
        ...["--exec-root", join(folder, "exec")],
        ...["--pidfile", join(folder, "docker.pid")],
        ...[
          "--bridge",
          "none",
          "--iptables=false",
          "--ip6tables=false",
          "--ip-forward=false",
          "--ip-masq=false",
        ],
        ...["--cgroup-parent", `/${buildCgroup}`],
        ...["--oom-score-adjust", "0"],
        ...["--log-level", "warn"],
      ],
      ready: async () => (await new Docker({ socketPath: socket }).ping()).toString() === "OK",
    },
    options.onStart,
  );
  return socket;
}

/** Gives dockerd a base image, unless it has it from an earlier run. */
export async function importBaseImage(socket: string, image: BaseImage): Promise<void> {
  const docker = new Docker({ socketPath: socket });
  const present = await docker
    .getImage(image.name)
    .inspect()
    .catch(() => undefined);
  if (present) return;
  const [repo, tag] = image.name.split(/:(?=[^:]+$)/);
  const tar = spawn("tar", ["--create", "--directory", image.folder, "--owner=0", "--group=0", "."], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const answer = await docker.importImage(tar.stdout, { repo, tag, changes: image.changes });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve()));
  });
}

/** Pushes an image to local's registry, where the node finds it, and gives the name that it has there. */
export async function publish(socket: string, image: BaseImage, registry: string): Promise<string> {
  const docker = new Docker({ socketPath: socket });
  const [, path = "", tag = "latest"] = /^[^/]+\/(.+):([^:]+)$/.exec(image.name) ?? [];
  const repo = `${registry}/${path}`;
  await docker.getImage(image.name).tag({ repo, tag });
  const answer = await docker.getImage(`${repo}:${tag}`).push({ authconfig: { username: "", password: "" } });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve()));
  });
  return `${repo}:${tag}`;
}

/** Removes the names that images got in earlier runs, whose registries are gone. The build cache stays. */
export async function removeOldImages(socket: string): Promise<void> {
  const docker = new Docker({ socketPath: socket });
  const names = (await docker.listImages()).flatMap((image) => image.RepoTags ?? []);
  await Promise.all(
    names.filter((name) => name.startsWith("127.0.0.1:")).map((name) => docker.getImage(name).remove()),
  );
}
