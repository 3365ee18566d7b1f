/** What a manifest may be; a registry that is asked for none of them says that it has none. */
const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** What a registry, given by its URL, has under a tag: the manifest's digest; undefined when it has none. */
export async function digestOf(
  registry: string,
  repository: string,
  tag: string,
): Promise<string | undefined> {
  const url = `${registry}/v2/${repository}/manifests/${tag}`;
  const { ok, status, headers } = await fetch(url, { method: "HEAD", headers: { accept: manifestTypes } });
  if (status === 404) return undefined;
  if (!ok) throw new Error(`The registry answered ${status} for ${repository}:${tag}.`);
  const digest = headers.get("docker-content-digest");
  if (digest === null) throw new Error(`The registry gave no digest for ${repository}:${tag}.`);
  return digest;
}

/** Deletes all that has a tag in a repository, as ECR does when it deletes the repository. */
export async function deleteImages(registry: string, repository: string): Promise<void> {
  const listed = await fetch(`${registry}/v2/${repository}/tags/list`);
  if (listed.status === 404) return; // nothing was ever pushed to it
  const { tags } = (await listed.json()) as { tags: string[] | null };
  const digests = await Promise.all((tags ?? []).map((tag) => digestOf(registry, repository, tag)));
  for (const digest of new Set(digests)) {
    if (digest === undefined) continue;
    const { ok, status } = await fetch(`${registry}/v2/${repository}/manifests/${digest}`, {
      method: "DELETE",
    });
    if (!ok && status !== 404)
      throw new Error(`The registry answered ${status} to deleting ${repository}@${digest}.`);
  }
}
