import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { namespacesOf, whatHolds } from "../../automation/held-namespaces.ts";

describe("namespaces that are held", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "held-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Asks a `kubectl` that answers so, and keeps what it was given. */
  const ask = (answer: string, ...namespaces: string[]) => {
    const words = `#!/bin/sh\necho "$@" > ${folder}/words\n${answer}\n`;
    writeFileSync(join(folder, "kubectl"), words, { mode: 0o755 });
    return whatHolds(namespaces, "the kubeconfig", { PATH: `${folder}:${process.env.PATH}` });
  };
  const json = (value: object) => `cat <<'END'\n${JSON.stringify(value)}\nEND`;
  const namespace = (name: string, deletionTimestamp?: string, ...messages: string[]) => ({
    metadata: { name, deletionTimestamp },
    status: {
      conditions: [
        { type: "NamespaceDeletionDiscoveryFailure", status: "False", message: "All resources discovered" },
        ...messages.map((message) => ({ status: "True", message })),
      ],
    },
  });
  const content = "Some resources are remaining: configmaps. has 1 resource instances";
  const finalizers =
    "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances";

  it("are told in Kubernetes' own words, where they are being deleted", async () => {
    const deleted = "2026-11-26T10:00:00Z";
    const items = [namespace("a", deleted, content, finalizers), namespace("b"), namespace("c", deleted)];
    const held = await ask(json({ kind: "List", items }), "a", "b", "c");
    expect(held).to.have.length(1);
    expect(held[0]).to.contain(
      `The namespace a is being deleted, but not gone: ${content}; ${finalizers}. What has a finalizer`,
    );
    expect(readFileSync(join(folder, "words"), "utf8")).to.match(/^get namespaces a b c --kubeconfig /);
  });

  it("are asked for by the stack's own kubeconfig, one as itself", async () => {
    const held = await ask(json(namespace("a", "2026-11-26T10:00:00Z", content)), "a");
    expect(held[0]).to.contain(content);
    const words = readFileSync(join(folder, "words"), "utf8").split(" ");
    expect(words[3]).to.equal("--kubeconfig");
  });

  it("are none where they are gone, or nobody can tell", async () => {
    expect(await ask("exit 0", "a")).to.deep.equal([]);
    expect(await ask("exit 1", "a")).to.deep.equal([]);
    expect(await whatHolds(["a"], "{}", { PATH: folder })).to.deep.equal([]);
    expect(await whatHolds([], "{}")).to.deep.equal([]);
  });

  it("are those that the stack made", () => {
    const resource = (type: string, id?: string) => ({ urn: `urn:${id}`, type, id });
    const resources = [
      resource("kubernetes:core/v1:Namespace", "team-a"),
      resource("kubernetes:core/v1:ServiceAccount", "team-a/app"),
      resource("pulumi:pulumi:Stack"),
    ];
    expect(namespacesOf({ resources })).to.deep.equal(["team-a"]);
    expect(namespacesOf({})).to.deep.equal([]);
  });
});
