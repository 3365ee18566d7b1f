import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { checkPeers, claimsIn, comparePeer, pages, peers } from "../../tools/peers-check.ts";

describe("the comparison with other tools' arguments", () => {
  it("reads the columns that a tool heads, in the template of the heading, and no flags, methods or commands", () => {
    const page = [
      "| Terraform | `other` | here |",
      "|---|---|---|",
      "| `one`, `two.*.three` | `x` | `y` |",
      '| `four = "Five"`, always, `--flag`, `method()`, `a command`, `all_…` | | |',
      "",
      "| Terraform `attach_…_policy` | why |",
      "|---|---|",
      "| `six` | `seven` |",
    ].join("\n");
    expect(claimsIn(page, "Terraform")).to.deep.equal(["one", "two.*.three", "four", "attach_six_policy"]);
    expect(claimsIn(page, "here")).to.deep.equal(["y"]);
    expect(claimsIn(page, "CDK")).to.deep.equal([]);
  });

  it("says what is new and what is gone; what has no details stands for all inside it", () => {
    expect(comparePeer(["a", "b", "c.d", "c.e"], ["a", "b.any", "c", "c.d", "f"])).to.deep.equal({
      same: 3,
      added: ["c.e"],
      gone: ["f"],
    });
  });

  const readOf = (heading: string, ...files: (string | Buffer)[]): string[] =>
    peers.find((one) => one.heading === heading)?.argumentsIn(files.map((file) => Buffer.from(file))) ?? [];

  it("reads each tool's own schema", () => {
    const schema = {
      definitions: {
        ClusterIAMServiceAccount: { properties: { metadata: { $ref: "#/definitions/Meta" }, tags: {} } },
        Meta: { properties: { name: {}, labels: {} } },
      },
    };
    expect(readOf("eksctl", JSON.stringify(schema))).to.deep.equal([
      ...["metadata.name", "metadata.labels", "tags"],
    ]);
    expect(readOf("Terraform", 'variable "a" {\n  type = any\n}\n\nvariable "b_c" {}\n')).to.deep.equal([
      ...["a", "b_c"],
    ]);
    const types = {
      "aws-cdk-lib.aws_eks.ServiceAccountProps": {
        properties: [{ name: "cluster" }],
        interfaces: ["aws-cdk-lib.aws_eks.ServiceAccountOptions"],
      },
      "aws-cdk-lib.aws_eks.ServiceAccountOptions": { properties: [{ name: "labels" }] },
    };
    expect(readOf("CDK", gzipSync(JSON.stringify({ types })))).to.deep.equal(["cluster", "labels"]);
    expect(
      readOf(
        "@pulumi/aws-iam",
        `import * as inputs from "./types/input";
        export interface RoleForServiceAccountsEksArgs {
          tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
          role?: pulumi.Input<inputs.RoleArgs>;
          oidcProviders?: pulumi.Input<{ [key: string]: pulumi.Input<inputs.ProviderArgs> }>;
        }`,
        "export interface RoleArgs { name?: string; path?: string }\nexport interface ProviderArgs { arn?: string }",
      ),
    ).to.deep.equal(["tags", "role.name", "role.path", "oidcProviders.*.arn"]);
  });

  /** The names of all arguments, as the tool read them of the versions that docs/migrating.md names. */
  const captured = JSON.parse(readFileSync(join(import.meta.dirname, "peers.json"), "utf8")) as Record<
    string,
    { version: string; arguments: string[] }
  >;
  const texts = pages.map((page) =>
    readFileSync(join(import.meta.dirname, "..", "..", "docs", page), "utf8"),
  );

  for (const { heading } of peers) {
    it(`finds each argument of ${heading} in the tables, and no other`, () => {
      const { arguments: names = [] } = captured[heading] ?? {};
      const claims = texts.flatMap((text) => claimsIn(text, heading));
      expect(comparePeer(names, claims)).to.deep.equal({ same: names.length, added: [], gone: [] });
      expect(names.length).to.be.greaterThan(5);
    });
  }

  it("prints what differs in a folder, and says so", () => {
    const folder = mkdtempSync(join(tmpdir(), "peers-check-"));
    try {
      const variables = (...names: string[]) => {
        const file = join(folder, "terraform-aws-iam/modules/iam-role-for-service-accounts/variables.tf");
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, names.map((name) => `variable "${name}" {\n}\n`).join(""));
        const lines: string[] = [];
        return { differs: checkPeers(folder, (line) => lines.push(line)), lines };
      };
      const all = captured.Terraform?.arguments ?? [];
      expect(variables(...all)).to.deep.include({ differs: false });
      const { differs, lines } = variables(...all.slice(1), "brand_new");
      expect(differs).to.equal(true);
      expect(lines).to.include.members(["  + brand_new", `  - ${all[0]}`]);
      expect(lines.join("\n")).to.contain("CDK: node_modules/aws-cdk-lib/.jsii.gz not there");
      expect(() => variables()).to.throw("there are no arguments any more");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
