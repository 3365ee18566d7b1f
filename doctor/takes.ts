// What it would take to look at what could not be looked at, by what was answered.

/** The first that fits is taken. */
const answers: readonly [said: RegExp, takes: (...groups: string[]) => string][] = [
  [
    /ExpiredToken|token .*expired|(credentials|session) .*expired|expired .*(credentials|session)/i,
    () => "Credentials that have not expired: sign in to AWS again (`aws sso login`, or new keys).",
  ],
  [
    /could not (load|resolve) credentials|credential(s)? (provider|is|are) (missing|not)|CredentialsProviderError/i,
    () =>
      "AWS credentials: sign in (`aws sso login`), set keys in the environment, or name a profile in AWS_PROFILE.",
  ],
  [/not authorized to perform:? ([\w-]+:\w+)/, (action) => `Rights for ${action}.`],
  [/cannot (\w+) resource "([^"]+)"/, (verb, resource) => `Rights to ${verb} ${resource} in the cluster.`],
  [
    /Kubernetes: Unauthorized|Kubernetes answers 401/,
    () => "Credentials that the cluster knows: an EKS access entry, or a kubeconfig of somebody who has one.",
  ],
  [/spawn (\S+) ENOENT/, (command) => `The command that the kubeconfig names: ${command}.`],
  [
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNRESET|timed? ?out|socket hang up|fetch failed/i,
    () => "A way from here to where it is: the VPN or network of a private endpoint, or a proxy.",
  ],
];

/** A sentence that says what it would take to be answered otherwise. */
export function takesFor(why: string): string {
  for (const [said, takes] of answers) {
    const groups = said.exec(why)?.slice(1);
    if (groups) return takes(...groups);
  }
  return "Credentials that may ask this, and a way to what is asked.";
}
