import {
  type CredentialSource,
  disagreement,
  type Facts,
  holds,
  type Link,
  type Patient,
  unseen,
} from "../chain.ts";
import type { Container, Pod, ProjectedToken } from "../world.ts";
import { setGroup } from "./mend.ts";

/** The token that a container's SDK will find: the volume behind the variable. */
export function tokenOf(
  { container, tokenFile }: CredentialSource,
  { tokens }: Pod,
): ProjectedToken | undefined {
  return tokens.find((token) =>
    container.mounts.some(
      ({ volume, path }) =>
        volume === token.volume &&
        withoutDrive(tokenFile) === `${withoutDrive(path).replace(/\/$/, "")}/${token.path}`,
    ),
  );
}

/** In a Windows container the webhook writes `C:\var\…`, and leaves the mount's path `/var/…`. */
const withoutDrive = (path: string): string => path.replace(/^[A-Za-z]:/, "").replaceAll("\\", "/");

/**
 * The user that each container runs as can read its token's file. Told from the pod's specification, as the kubelet sets
 * the owner of a projected token: the file is its group's with an fsGroup, its user's where all containers run as one.
 * Source: "Projected volumes: SecurityContext interactions", Kubernetes docs.
 */
export const readable: Link<"pod" | "sources", never> = {
  id: "readable",
  title: "Each container's user can read its token",
  needs: ["pod", "sources"],
  gives: [],
  async examine({ pod, sources }, _, patient) {
    const evidence: string[] = [];
    const undecided: string[] = [];
    for (const source of sources) {
      const { container, tokenFile } = source;
      const token = tokenOf(source, pod);
      if (token === undefined) {
        return {
          state: "broken",
          cause: "token-file",
          what: `In ${container.name} no projected token is mounted where the variable points to.`,
          disagreement: disagreement(
            "token's file",
            tokenFile,
            "projected tokens",
            pod.tokens.map((one) => `${one.volume}/${one.path}`).join(", ") || "none",
          ),
          mend: [],
          advice: [
            "Take the variable or the volume of your own out of the pod's template: the webhook sets both.",
          ],
          evidence,
        };
      }
      const reason = readableBy(container, token, pod);
      if (reason === "image decides") {
        undecided.push(container.name);
        continue;
      }
      if (reason === undefined) {
        return {
          state: "broken",
          cause: "token-unreadable",
          what: `The user that ${container.name} runs as cannot read the token.`,
          disagreement: disagreement(
            `user of ${container.name}`,
            String(container.user),
            "the token's file",
            `owned by root, mode ${modeOf(token)}`,
          ),
          ...giveGroup(pod, patient, Number(container.user)),
          evidence,
        };
      }
      evidence.push(`${container.name}: ${reason}`);
    }
    if (undecided.length > 0) {
      return unseen(
        `The token's file is root's alone; whether ${undecided.join(", ")} runs as root, the image decides.`,
        "The image's user, or a runAsUser in the pod's template.",
      );
    }
    return holds({}, ...evidence);
  },
};

/** By what a container can read its token; undefined when it cannot. */
function readableBy(container: Container, token: ProjectedToken, pod: Facts["pod"]): string | undefined {
  const users = new Set(pod.containers.map(({ user }) => user));
  if (pod.windows) return "by every user: Windows keeps no owner of a projected file";
  if (container.user === 0) return "as root";
  if (pod.fsGroup !== undefined) return `by the group ${pod.fsGroup} (fsGroup)`;
  if (users.size === 1 && container.user !== undefined) return `by its owner, user ${container.user}`;
  if ((token.mode & 0o004) !== 0) return `by everybody (mode ${modeOf(token)})`;
  if ((token.mode & 0o040) !== 0 && (container.group ?? 0) === 0)
    return `by the group root (mode ${modeOf(token)})`;
  return container.user === undefined ? "image decides" : undefined;
}

const modeOf = ({ mode }: ProjectedToken): string => mode.toString(8).padStart(4, "0");

function giveGroup(
  pod: Pod,
  patient: Patient,
  fsGroup: number,
): { mend: readonly string[]; advice?: readonly string[] } {
  const set = setGroup(patient, pod, fsGroup);
  return set === undefined
    ? { mend: [], advice: [`Set spec.securityContext.fsGroup: ${fsGroup} in the pod's manifest.`] }
    : { mend: [set] };
}
