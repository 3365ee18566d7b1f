import { addedLibraryPath, addedSearchPath } from "../machine/paths.ts";
import { engineEnvironment } from "../pulumi/engine.ts";
import { awsEnvironment, files } from "../run.ts";
import { running } from "../state.ts";

/** Prints what a shell needs so that `aws`, `kubectl`, `docker` and `pulumi` in it talk to local. */
export async function env(): Promise<void> {
  const state = running();
  const variables: Record<string, string> = {
    ...awsEnvironment(state),
    KUBECONFIG: files.kubeconfig,
    DOCKER_HOST: `unix://${files.dockerSocket}`,
    ...engineEnvironment(state),
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
  lines.push(`export PATH=${quoted(addedSearchPath)}:"$PATH"`);
  lines.push(`export LD_LIBRARY_PATH=${quoted(addedLibraryPath)}"\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** A text as one word of a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
