import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { load } from "js-yaml";

interface Step {
  uses?: string;
  with?: Record<string, unknown>;
}

interface Job {
  uses?: string;
  permissions?: Record<string, string>;
  steps?: Step[];
}

const folder = join(import.meta.dirname, "..", ".github", "workflows");

/** Whether a job shows who it is by a token, and by nothing that is stored. Says what is wrong. */
function keysOf(text: string): string[] {
  const stored = [
    ...text.matchAll(/secrets\.\w+|secrets: inherit|aws-(?:secret-)?access-key\S*|NPM_TOKEN/g),
  ].map(([found]) => `uses ${found}`);
  const { jobs } = load(text) as { jobs: Record<string, Job> };
  const unsigned = Object.entries(jobs).flatMap(([name, { permissions, steps = [] }]) =>
    steps
      .filter(({ uses }) => uses?.startsWith("aws-actions/configure-aws-credentials@"))
      .filter((step) => permissions?.["id-token"] !== "write" || !step.with?.["role-to-assume"])
      .map(() => `${name} signs in to AWS without a token of its own`),
  );
  return [...stored, ...unsigned];
}

describe("the workflows", () => {
  const workflows = readdirSync(folder).map(
    (name) => [name, readFileSync(join(folder, name), "utf8")] as const,
  );

  for (const [name, text] of workflows) {
    it(`${name} stores no key`, () => {
      expect(keysOf(text)).to.deep.equal([]);
    });
  }

  it("would be told from one that does", () => {
    const job = (step: string, permissions = "{ id-token: write }") =>
      `jobs:\n  up:\n    permissions: ${permissions}\n    steps:\n      - ${step}\n`;
    const signIn = "{ uses: aws-actions/configure-aws-credentials@v5, with: { role-to-assume: x } }";
    expect(keysOf(job(signIn))).to.deep.equal([]);
    expect(keysOf(job(signIn, "{ contents: read }"))).to.have.length(1);
    expect(keysOf(job("{ uses: aws-actions/configure-aws-credentials@v5 }"))).to.have.length(1);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own notation
    const stored = 'run: "publish --token ${{ secrets.NPM }}"';
    expect(keysOf(job(stored))).to.deep.equal(["uses secrets.NPM"]);
  });

  it("start with no more than reading, and run .ci/run", () => {
    for (const [name, text] of workflows) {
      expect((load(text) as { permissions?: unknown }).permissions, name).to.deep.equal({ contents: "read" });
    }
    expect(workflows.find(([name]) => name === "ci.yml")?.[1]).to.contain("run: .ci/run");
  });
});
