import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bridge } from "../machine/bridge.ts";
import { command } from "../machine/command.ts";
import { debian } from "../machine/paths.ts";
import { type Daemon, exists, start } from "../machine/process.ts";
import { buildCgroup } from "../registry/dockerd.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";
import { writePauseImage } from "./pause-image.ts";
import type { Pki } from "./pki.ts";

/** Name of the one node. */
export const nodeName = "local";

/** The cgroup that holds every container of the node. */
const cgroup = "eks-irsa";

/** All cgroups that local's processes make: the node's, and that of image builds. */
const cgroups = [cgroup, buildCgroup];

export interface NodeOptions {
  folder: string;
  pki: Pki;
  bridge: Bridge;
  endpoint: string;
  ports: { kubelet: number; kubeletHealth: number };
  onStart: (daemon: Daemon) => void;
}

/**
 * Starts a process that holds a mount namespace: what is mounted in it is seen by no one else, and is gone when its last
 * process is. In it the folders that the kubelet and containerd have hard-wired are overlaid, so that what they write
 * there lands below `folder`.
 */
export async function startMountNamespace(
  folder: string,
  onStart: (daemon: Daemon) => void,
): Promise<Daemon> {
  const holder = await start(
    {
      name: "node-mounts",
      command: "unshare",
      args: ["--mount", "--propagation", "private", "sleep", "infinity"],
      ready: async () => true,
    },
    onStart,
  );
  // unshare becomes sleep once the namespace is there.
  while (!(await readFile(`/proc/${holder.pid}/cmdline`, "utf8")).startsWith("sleep")) await sleep(5);
  for (const path of ["/var/lib", "/var/log", "/run"]) {
    const own = join(folder, "overlay", path.replaceAll("/", "_"));
    await mkdir(join(own, "upper"), { recursive: true });
    await mkdir(join(own, "work"), { recursive: true });
    const layers = `lowerdir=${path},upperdir=${join(own, "upper")},workdir=${join(own, "work")}`;
    await command(
      "nsenter",
      [...inNamespace(holder), "mount", "-t", "overlay", "overlay", "-o", layers, path],
      {
        log: "node-mounts",
      },
    );
  }
  return holder;
}

const inNamespace = (holder: Daemon): string[] => [`--mount=/proc/${holder.pid}/ns/mnt`];

const socket = (folder: string): string => join(folder, "containerd.sock");

/** Starts containerd in the namespace, and gives it the pause image. */
export async function startContainerd(options: NodeOptions, holder: Daemon): Promise<void> {
  const { folder, bridge } = options;
  const cni = join(folder, "cni");
  await mkdir(cni, { recursive: true });
  await writeFile(join(cni, "10-bridge.conflist"), JSON.stringify(cniConfig(bridge), undefined, 2));
  const pause = await writePauseImage(folder);
  const config = join(folder, "containerd.toml");
  const plugins = (await exists("/usr/lib/cni/bridge")) ? "/usr/lib/cni" : join(debian, "usr/lib/cni");
  await writeFile(config, containerdConfig({ folder, cni, plugins, pauseImage: pause.name }));
  await start(
    {
      name: "containerd",
      command: "nsenter",
      args: [...inNamespace(holder), "containerd", "--config", config],
      ready: async () => {
        await command("ctr", ["--address", socket(folder), "version"], { log: "ctr" });
        return true;
      },
    },
    options.onStart,
  );
  await command(
    "ctr",
    ["--address", socket(folder), "--namespace", "k8s.io", "images", "import", pause.file],
    {
      log: "ctr",
    },
  );
}

function cniConfig(bridge: Bridge) {
  return {
    cniVersion: "0.4.0",
    name: "eks-irsa",
    plugins: [
      {
        type: "bridge",
        bridge: bridge.name,
        // The bridge has its address already. Were this plugin to give it one, it would turn on forwarding as well.
        isGateway: false,
        ipMasq: false,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: bridge.subnet, gateway: bridge.address }]],
          routes: [{ dst: "0.0.0.0/0", gw: bridge.address }],
        },
      },
    ],
  };
}

function containerdConfig(options: {
  folder: string;
  cni: string;
  plugins: string;
  pauseImage: string;
}): string {
  const { folder } = options;
  // The machine may lack CAP_SYS_RESOURCE, without which no process may lower its oom_score_adj.
  return `version = 2
root = "${join(folder, "containerd")}"
state = "${join(folder, "containerd-state")}"
[grpc]
  address = "${socket(folder)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${options.pauseImage}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${options.plugins}"
    conf_dir = "${options.cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

/** Starts the kubelet in the namespace, and waits until the node is ready for pods. */
export async function startKubelet(
  options: NodeOptions,
  holder: Daemon,
  nodeReady: () => Promise<boolean>,
): Promise<void> {
  const { folder, pki, bridge } = options;
  await createCgroup();
  const config = join(folder, "kubelet.json");
  await writeFile(config, JSON.stringify(kubeletConfig(options), undefined, 2));
  const kubeconfigFile = await writeKubeconfig(
    join(folder, "kubelet.kubeconfig"),
    options.endpoint,
    pki.ca.certificateFile,
    pki.kubelet,
  );
  await start(
    {
      name: "kubelet",
      command: "nsenter",
      args: [
        ...inNamespace(holder),
        "kubelet",
        `--config=${config}`,
        `--kubeconfig=${kubeconfigFile}`,
        `--root-dir=${join(folder, "kubelet")}`,
        `--hostname-override=${nodeName}`,
        `--node-ip=${bridge.address}`,
      ],
      ready: nodeReady,
    },
    options.onStart,
  );
}

function kubeletConfig({ folder, pki, bridge, ports }: NodeOptions) {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: bridge.address,
    port: ports.kubelet,
    healthzBindAddress: "127.0.0.1",
    healthzPort: ports.kubeletHealth,
    tlsCertFile: pki.kubeletServer.certificateFile,
    tlsPrivateKeyFile: pki.kubeletServer.keyFile,
    authentication: { x509: { clientCAFile: pki.ca.certificateFile }, anonymous: { enabled: false } },
    authorization: { mode: "Webhook" },
    containerRuntimeEndpoint: `unix://${socket(folder)}`,
    podLogsDir: join(folder, "pod-logs"),
    volumePluginDir: join(folder, "volume-plugins"),
    staticPodPath: "",
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    failCgroupV1: false,
    // The disk is the person's own: a full one is no reason to evict what they want to see.
    evictionHard: { "nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "50Mi" },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    resolvConf: "",
    maxPods: 110,
    serializeImagePulls: false,
    // Pods see a changed Secret or rotated token at once rather than after a minute; there are only a few.
    syncFrequency: "10s",
  };
}

/** Makes the cgroup in every hierarchy that the machine mounts. */
async function createCgroup(): Promise<void> {
  for (const folder of await hierarchies()) {
    const own = join(folder, cgroup);
    await mkdir(own, { recursive: true });
    // A cpuset starts out empty and takes no process until it has processors and memory.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      if (await exists(join(own, file))) await writeFile(join(own, file), await readFile(join(folder, file)));
    }
  }
}

/** Removes local's cgroups, innermost groups first. Processes must be gone from them. */
export async function removeCgroups(): Promise<void> {
  const remove = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) await remove(join(folder, entry.name));
    }
    await rmdir(folder);
  };
  const own = (await hierarchies()).flatMap((folder) => cgroups.map((name) => join(folder, name)));
  for (const folder of own) {
    // The kernel needs a moment after the last process has ended.
    for (let attempt = 0; await exists(folder); attempt++) {
      try {
        await remove(folder);
      } catch (error) {
        if (attempt > 50) throw error;
        await sleep(100);
      }
    }
  }
}

/** Processes in containers: those of pods, and those of image builds. */
export async function containerProcesses(): Promise<number[]> {
  const found = new Set<number>();
  for (const own of (await hierarchies()).flatMap((folder) => cgroups.map((name) => join(folder, name)))) {
    if (!(await exists(own))) continue;
    for (const entry of await readdir(own, { recursive: true, encoding: "utf8" })) {
      if (!entry.endsWith("cgroup.procs")) continue;
      const text = await readFile(join(own, entry), "utf8").catch(() => "");
      for (const pid of text.split("\n").filter(Boolean)) found.add(Number(pid));
    }
  }
  return [...found];
}

/** Where cgroups are mounted: one folder for each controller in version 1, one for all in version 2. */
async function hierarchies(): Promise<string[]> {
  const mounts = (await readFile("/proc/mounts", "utf8"))
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  return mounts
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, folder]) => folder ?? "")
    .filter((folder, index, all) => folder !== "" && all.indexOf(folder) === index);
}
