/**
 * Every cause that the doctor knows, and what mends it: always a `command`; a command or `either`, a sentence, as the case
 * lies; or a sentence of `advice` alone, where it is not the doctor's to say what is right. Stable names, for programs.
 * test/doctor/mends.test.ts runs the commands of every cause that has one.
 */
export const causes = {
  "cluster-missing": "advice",
  "cluster-inactive": "advice",
  "kubeconfig-of-another-cluster": "command",
  "namespace-missing": "command",
  "service-account-missing": "command",
  "annotation-missing": "command",
  "annotation-malformed": "command",
  "issuer-missing": "advice",
  "issuer-differs": "advice",
  "role-missing": "command",
  "role-path": "command",
  "role-partition": "command",
  "provider-missing": "command",
  "provider-audience": "command",
  "trust-no-statement": "command",
  "trust-action": "command",
  "trust-principal": "command",
  "trust-key-scheme": "command",
  "trust-key-slash": "command",
  "trust-key-arn": "command",
  "trust-key-issuer": "command",
  "trust-operator": "command",
  "trust-subject": "command",
  "trust-audience": "command",
  "trust-condition": "command",
  "trust-tag-session": "command",
  "trust-deny": "command",
  "session-duration": "command",
  "pod-service-account": "either",
  "container-missing": "advice",
  "agent-unsupported": "advice",
  "agent-missing": "command",
  "agent-not-running": "advice",
  "webhook-missing": "advice",
  "pod-skipped": "advice",
  "own-variables": "command",
  "own-keys": "advice",
  "not-injected": "command",
  "pod-older": "command",
  "pod-other-role": "command",
  "web-identity-first": "command",
  "token-file": "advice",
  "token-unreadable": "either",
  "token-audience": "advice",
  "token-iss": "advice",
  "token-sub": "advice",
  "token-aud": "advice",
  "sts-refused": "advice",
  "profile-missing": "advice",
  "profile-other-role": "advice",
  "target-role-missing": "advice",
  "may-not-assume": "either",
  "target-sts-refused": "advice",
  "not-allowed": "either",
  denied: "advice",
  boundary: "advice",
  "session-policy": "advice",
  "sdk-too-old": "advice",
  "sdk-without-sts": "advice",
} as const;

export type Cause = keyof typeof causes;
type MendedBy<Way> = { [One in Cause]: (typeof causes)[One] extends Way ? One : never }[Cause];

/** Commands, to be run in this order. Words in capitals are to be filled in. */
export type Commands = readonly [string, ...string[]];

/** A cause with the commands that mend it. */
export type Mended =
  | { readonly cause: MendedBy<"command">; readonly mend: Commands }
  | { readonly cause: MendedBy<"either">; readonly mend: readonly string[] }
  | { readonly cause: MendedBy<"advice">; readonly mend: readonly [] };

/** The causes that a command mends, always or as the case lies. */
export type MendedCause = MendedBy<"command" | "either">;
