import Docker from "dockerode";
import type { Provider } from "../../provider-host/index.ts";
import { type DockerConfig, image } from "./image.ts";

export interface DockerOptions {
  /** Path of dockerd's Unix socket. */
  readonly dockerSocket: string;
  /** Folder that build contexts given as relative paths start from. */
  readonly workDir: string;
}

/** The Docker provider: images only. */
export function dockerProvider({ dockerSocket, workDir }: DockerOptions): Provider<DockerConfig> {
  const docker = new Docker({ socketPath: dockerSocket });
  return {
    name: "docker",
    title: "the local stand-in for the docker provider",
    version: "5.2.0",
    configure: () => ({ docker, workDir }),
    resourceType: (type) => (type === "docker:index/image:Image" ? image : undefined),
    functions: {},
  };
}
