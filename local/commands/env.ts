import { engineEnvironment } from "../engine";
import { libraryPath, searchPath } from "../paths";
import { files } from "../run";
import { running } from "./operations";
import { awsEnvironment, engineTarget } from "./up";

/** Prints what a shell needs so that `aws`, `kubectl`, `docker` and `pulumi` in it talk to local. */
export async function env(): Promise<void> {
  const state = running();
  const variables: Record<string, string> = {
    PATH: searchPath,
    LD_LIBRARY_PATH: libraryPath,
    ...awsEnvironment(state),
    KUBECONFIG: files.kubeconfig,
    DOCKER_HOST: `unix://${files.dockerSocket}`,
    ...engineEnvironment(engineTarget(state)),
  };
  for (const [name, value] of Object.entries(variables))
    process.stdout.write(`export ${name}=${quoted(value)}\n`);
}

/** A text as one word of a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
