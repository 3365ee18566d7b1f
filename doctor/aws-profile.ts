// An AWS configuration as SDKs read it: profiles, and what one says of whose credentials to use. Source: "Shared config and
// credentials files", and "Assume role credential provider", AWS SDKs and Tools Reference Guide.

type Profile = ReadonlyMap<string, string>;

/** The profiles of a configuration file, by name. */
export function profilesOf(text: string): ReadonlyMap<string, Profile> {
  const profiles = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) {
      // Of a profile that stands there twice, SDKs take both together.
      current = profiles.get(header) ?? new Map();
      profiles.set(header, current);
      continue;
    }
    const [, key, value] = /^([A-Za-z_]\w*)\s*=\s*(.*?)\s*(?:\s[#;].*)?$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) current?.set(key.toLowerCase(), value);
  }
  return profiles;
}

/** What a profile has an SDK do. */
export type ProfileWay =
  /** It names none of it: SDKs go on to look elsewhere. */
  | { readonly kind: "nothing" }
  /** The role that the pod's token is swapped for. */
  | { readonly kind: "web identity"; readonly roleArn: string; readonly tokenFile: string }
  /** A role that is assumed with the credentials of another way. */
  | {
      readonly kind: "assume";
      readonly roleArn: string;
      readonly externalId?: string;
      readonly source: ProfileWay;
    }
  /** The agent's credentials, or the container's of ECS. */
  | { readonly kind: "container" }
  /** Long-lived keys of its own. */
  | { readonly kind: "keys"; readonly profile: string }
  /** A profile that is not there. */
  | { readonly kind: "missing"; readonly profile: string }
  /** What cannot be followed from here: a program, single sign-on, the node's role. */
  | { readonly kind: "other"; readonly what: string };

/** Follows a profile to where its credentials come from. */
export function wayOf(
  profiles: ReadonlyMap<string, Profile>,
  name: string,
  seen: readonly string[] = [],
): ProfileWay {
  const profile = profiles.get(name);
  if (profile === undefined) {
    return name === "default" && seen.length === 0 ? { kind: "nothing" } : { kind: "missing", profile: name };
  }
  const get = (key: string): string | undefined => profile.get(key) || undefined;
  const roleArn = get("role_arn");
  const source = get("source_profile");
  const from = get("credential_source");
  const tokenFile = get("web_identity_token_file");
  const hasKeys = get("aws_access_key_id") !== undefined;
  // A profile that is its own source means its keys.
  if (roleArn !== undefined && !(seen.includes(name) && hasKeys)) {
    if (tokenFile !== undefined) return { kind: "web identity", roleArn, tokenFile };
    if (seen.includes(name)) return { kind: "other", what: `source_profile = ${name}, in a circle` };
    const externalId = get("external_id");
    const next: ProfileWay | undefined =
      source !== undefined
        ? wayOf(profiles, source, [...seen, name])
        : from?.toLowerCase() === "ecscontainer"
          ? { kind: "container" }
          : from !== undefined
            ? { kind: "other", what: `credential_source = ${from}` }
            : undefined;
    if (next !== undefined) {
      return { kind: "assume", roleArn, ...(externalId !== undefined && { externalId }), source: next };
    }
    return {
      kind: "other",
      what: `the profile ${name} has a role_arn, and not whose credentials ask for it`,
    };
  }
  if (hasKeys) return { kind: "keys", profile: name };
  const program = ["credential_process", "sso_session", "sso_start_url"].find((key) => profile.has(key));
  return program === undefined ? { kind: "nothing" } : { kind: "other", what: program };
}
