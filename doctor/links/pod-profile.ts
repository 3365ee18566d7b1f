import { type ProfileWay, profilesOf, wayOf } from "../aws-profile.ts";
import {
  type Broken,
  type CredentialSource,
  disagreement,
  type Facts,
  holds,
  type Identity,
  type Link,
  type Target,
  unseen,
} from "../chain.ts";
import type { Container, Pod, World } from "../world.ts";

/** Whether a container is told of an AWS configuration. */
export const isTold = ({ env, envSources }: Container): boolean =>
  ["AWS_PROFILE", "AWS_CONFIG_FILE"].some(
    (name) => env[name] !== undefined || envSources.some((one) => "variable" in one && one.variable === name),
  );

/**
 * The AWS configuration of the pod leads to the ServiceAccount's role, and from there to where the pod goes on. The target is
 * what all its containers go on to. Looked at where a container is told of one.
 */
export const podProfile: Link<"pod" | "sources" | "identity", "nextRole"> = {
  id: "profile",
  title: "The pod's AWS profile leads to its role",
  needs: ["pod", "sources", "identity"],
  gives: ["nextRole"],
  async examine({ pod, sources, identity }, { kubernetes }, { namespace }) {
    const evidence: string[] = [];
    const targets = new Map<string, Target | undefined>();
    for (const source of sources) {
      const { name } = source.container;
      const read = isTold(source.container)
        ? await wayIn(source.container, pod, namespace, kubernetes)
        : ({ kind: "nothing" } as const);
      if ("why" in read) return unseen(read.why, read.takes);
      const profile = source.container.env.AWS_PROFILE ?? "default";
      const judged = judge(read, profile, source, identity);
      if ("state" in judged) return judged.state === "broken" ? { ...judged, evidence } : judged;
      targets.set(name, judged.target);
      if (isTold(source.container)) evidence.push(`${name}: profile ${profile}, ${judged.leads}`);
    }
    const [first, ...others] = [...targets.values()];
    if (others.some((one) => one?.arn !== first?.arn || one?.externalId !== first?.externalId)) {
      const each = [...targets].map(([name, target]) => `${name}: ${target?.arn ?? "none"}`);
      return unseen(
        `Its containers do not go on to the same role: ${each.join("; ")}.`,
        "One container at a time: --container NAME.",
      );
    }
    return holds({ nextRole: first }, ...evidence);
  },
};

/** A container's way to its credentials by the file that it is told of, or why that cannot be told. */
async function wayIn(
  { name, env, mounts }: Container,
  { configMaps }: Pod,
  namespace: string,
  kubernetes: World["kubernetes"],
): Promise<ProfileWay | { why: string; takes: string }> {
  const file = env.AWS_CONFIG_FILE;
  const asked = "What the workload goes on to, said with --assume-role and --external-id.";
  const hidden = (what: string) => ({
    why: `${what}; what ${name} goes on to cannot be told.`,
    takes: asked,
  });
  if (file === undefined) return hidden("The AWS configuration lies in the image, or comes from elsewhere");
  const found = configMaps.flatMap((one) => {
    const mount = mounts.find(
      ({ volume, path }) => volume === one.volume && file.startsWith(`${trimmed(path)}/`),
    );
    if (mount === undefined) return [];
    const path = file.slice(trimmed(mount.path).length + 1);
    const key = one.keys === undefined ? path : one.keys[path];
    return key === undefined ? [] : [{ configMap: one.name, key }];
  })[0];
  if (found === undefined) return hidden(`${file} is no entry of a ConfigMap`);
  const entry = await kubernetes.configMapEntry(namespace, found.configMap, found.key);
  if (entry === undefined) {
    return {
      why: `The ConfigMap ${found.configMap}, which has the AWS configuration of ${name}, may not be read.`,
      takes: `Rights to get the ConfigMap ${found.configMap} in ${namespace}.`,
    };
  }
  if (entry.text === undefined) {
    return hidden(`The ConfigMap ${found.configMap}, or ${found.key} in it, is gone; the pod has it still`);
  }
  return wayOf(profilesOf(entry.text), env.AWS_PROFILE ?? "default");
}

const trimmed = (path: string): string => path.replace(/\/$/, "");

/** Whether a way starts at the ServiceAccount's role, and where it goes on to. */
function judge(
  way: ProfileWay,
  profile: string,
  source: CredentialSource,
  identity: Identity,
):
  | { leads: string; target: Target | undefined }
  | Broken
  | ReturnType<typeof unseen<Pick<Facts, "nextRole">>> {
  const { name } = source.container;
  const own = identity.kind === "irsa" ? identity.roleArn : identity.association.roleArn;
  switch (way.kind) {
    case "nothing":
      if (source.container.env.AWS_PROFILE !== undefined && identity.kind === "irsa") {
        return unseen(
          `The profile ${profile} of ${name} says nothing of credentials: some SDKs then take the pod's token, some do not.`,
          "The container without AWS_PROFILE, or a profile with role_arn and web_identity_token_file.",
        );
      }
      return { leads: "which leaves it to what the webhook gave", target: undefined };
    case "missing":
      return {
        state: "broken",
        cause: "profile-missing",
        what: `The AWS configuration of ${name} has no profile ${way.profile}, and SDKs go no further.`,
        disagreement: disagreement(
          "profile",
          way.profile,
          "named in",
          `AWS_PROFILE or source_profile of ${name}`,
        ),
        mend: [],
        advice: ["Put the profile into the file, or name one that is there."],
      };
    case "keys":
      return {
        state: "broken",
        cause: "own-keys",
        what: `The profile ${way.profile} of ${name} has long-lived keys, which come before the role.`,
        mend: [],
        advice: ["Take them out of the file, and have the profile use the pod's own role."],
      };
    case "other":
      return unseen(
        `The profile ${profile} of ${name} has its credentials from ${way.what}.`,
        "What the workload goes on to, said with --assume-role and --external-id.",
      );
    case "container":
      return identity.kind === "pod-identity"
        ? { leads: "the agent's credentials", target: undefined }
        : otherRole(name, own, "the agent's credentials");
    case "web identity": {
      if (identity.kind !== "irsa" || way.roleArn !== own) return otherRole(name, own, way.roleArn);
      if (way.tokenFile !== source.tokenFile) {
        return {
          state: "broken",
          cause: "token-file",
          what: `The AWS configuration of ${name} looks elsewhere for the token than the webhook puts it.`,
          disagreement: disagreement(
            "token's file",
            source.tokenFile,
            "web_identity_token_file",
            way.tokenFile,
          ),
          mend: [],
          advice: ["Name the webhook's file in the AWS configuration, and make the pod anew."],
        };
      }
      return { leads: own, target: undefined };
    }
    case "assume": {
      if (way.source.kind === "assume") {
        return unseen(
          `The profile ${profile} of ${name} goes on to a third role; two are looked at.`,
          "A look at each by itself, said with --assume-role.",
        );
      }
      const first = judge(way.source, profile, source, identity);
      if ("state" in first) return first;
      const { roleArn: arn, externalId } = way;
      if (source.container.env.AWS_WEB_IDENTITY_TOKEN_FILE) {
        return unseen(
          `The profile ${profile} of ${name} goes on to ${arn}, but ${name} has AWS_WEB_IDENTITY_TOKEN_FILE too: the SDKs for Go and Java take that first and stay ${own}, those for Python and JavaScript go on.`,
          "That variable empty in the template, as the component's podAdditions have it.",
        );
      }
      return {
        leads: `${own}, then ${arn}`,
        target: { arn, sessionTags: false, ...(externalId !== undefined && { externalId }) },
      };
    }
  }
}

const otherRole = (name: string, own: string, found: string): Broken => ({
  state: "broken",
  cause: "profile-other-role",
  what: `The AWS configuration of ${name} starts at another role than the ServiceAccount's.`,
  disagreement: disagreement("role of the ServiceAccount", own, "role in the profile", found),
  mend: [],
  advice: [
    "Name the ServiceAccount's role in the AWS configuration; where a stack makes that, `pulumi up` does. Then make the pod anew.",
  ],
});
