// Finds long-lived access keys in texts, and says where they are, never what.

/** Id of a long-lived access key. Temporary ones (ASIA) end by themselves. Source: "IAM identifiers", IAM User Guide. */
const accessKeyId = /(?<![A-Z0-9])AKIA[A-Z2-7]{16}(?![A-Z0-9])/;
/** What a secret access key looks like; so do other things. */
const secretLike = /(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g;
/** The name that says that it is one of AWS's; MinIO's and others' have some of the same words. */
const secretName = /aws[-_.]?secret|secret[-_.]?access[-_.]?key/i;
const namedSecret = new RegExp(
  `(?:${secretName.source})[\\w.-]*["']?\\s*[=:]\\s*["']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])`,
  "i",
);

/** A secret access key is random: a hash in hexadecimal, a path or a word repeated is none. */
const looksRandom = (text: string): boolean =>
  !/^[0-9a-f]+$|^[0-9A-F]+$/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);

const hasSecretLike = (text: string): boolean => (text.match(secretLike) ?? []).some(looksRandom);

/** How a text is wrapped in which keys are looked for: as it stands, or once more in base64. */
function* readings(text: string): Generator<string> {
  yield text;
  if (/^[A-Za-z0-9+/\s]{24,}={0,2}\s*$/.test(text)) yield Buffer.from(text, "base64").toString("latin1");
}

/**
 * Names of the entries that hold a long-lived access key, or a part of one. A key's id alone opens nothing, and is told
 * only beside what may be its secret; the secret alone is told where its name says what it is.
 */
export function placesOfKeys(entries: Readonly<Record<string, string>>): string[] {
  const ids = new Set<string>();
  const named = new Set<string>();
  const likely = new Set<string>();
  for (const [name, whole] of Object.entries(entries)) {
    for (const text of readings(whole)) {
      if (accessKeyId.test(text)) ids.add(name);
      if (namedSecret.test(text) || (secretName.test(name) && hasSecretLike(text))) named.add(name);
      else if (hasSecretLike(text)) likely.add(name);
    }
  }
  if (named.size > 0) return [...new Set([...ids, ...named])];
  return ids.size > 0 && likely.size > 0 ? [...new Set([...ids, ...likely])] : [];
}
