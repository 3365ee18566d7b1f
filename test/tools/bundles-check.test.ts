import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { bundleNames, resolveBundle } from "../../iam/bundles.ts";
import {
  bundleGrants,
  checkFolder,
  compare,
  grantsOf,
  statementsIn,
  type Upstream,
  upstreamGrants,
  upstreams,
} from "../../tools/bundles-check.ts";

describe("the comparison of bundles with their projects' documents", () => {
  const allow = (Action: string | string[], Resource = "*", Condition?: object) =>
    ({ Effect: "Allow", Action, Resource, ...(Condition && { Condition }) }) as never;
  const differences = (ours: never[], theirs: never[]) => compare(grantsOf(ours), grantsOf(theirs));

  it("finds policies in JSON and in pages, with commas too many, and no trust policies", () => {
    const page = [
      "Give it this policy, and { not } that:",
      '{ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": ["a:B",], "Resource": "x/}" }] }',
      '{ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole" } }',
      '<pre>{ "Effect": "Allow", "Action": "c:D", "Resource": "*" }</pre> {',
    ].join("\n");
    expect(statementsIn(page).map(({ Action, Resource }) => [Action, Resource])).to.deep.equal([
      [["a:B"], "x/}"],
      ["c:D", "*"],
    ]);
  });

  it("tells action by action what only one side has, and what both have elsewhere", () => {
    const result = differences(
      [allow(["s3:A", "s3:B"]), allow("s3:C", "arn:x"), allow("s3:Ours")],
      [allow("s3:A"), allow(["s3:B", "s3:C", "s3:Theirs"])],
    );
    expect(result.same).to.deep.equal(["s3:A", "s3:B"]);
    expect(result.missing).to.deep.equal([{ action: "s3:Theirs", theirs: ["*"], ours: [] }]);
    expect(result.added).to.deep.equal([{ action: "s3:Ours", theirs: [], ours: ["*"] }]);
    expect(result.elsewhere).to.deep.equal([{ action: "s3:C", theirs: ["*"], ours: ["arn:x"] }]);
  });

  it("does not care how statements are cut, or conditions ordered", () => {
    const [one, other] = [
      { StringEquals: { x: ["1", "2"] }, Null: { y: "true" } },
      { Null: { y: "true" }, StringEquals: { x: ["2", "1"] } },
    ];
    const result = differences(
      [allow(["s3:A", "s3:B"], "*", one)],
      [allow("s3:A", "*", other), allow("s3:B", "*", one)],
    );
    expect(result.same).to.deep.equal(["s3:A", "s3:B"]);
    expect(differences([allow("s3:A", "*", one)], [allow("s3:A")]).elsewhere).to.have.length(1);
  });

  it("takes a pattern for what the other side spells out, and for itself where that spells nothing out", () => {
    const result = differences(
      [allow(["ssm:GetParameter", "ssm:GetParameters"])],
      [allow("ssm:GetParameter*")],
    );
    expect(result.same).to.deep.equal(["ssm:GetParameter", "ssm:GetParameters"]);
    expect(differences([], [allow("ssm:Get*")]).missing.map(({ action }) => action)).to.deep.equal([
      "ssm:Get*",
    ]);
    expect(differences([allow("vpc-lattice:*")], [allow("vpc-lattice:*")]).same).to.deep.equal([
      "vpc-lattice:*",
    ]);
  });

  it("knows when a page no longer has the part that it compares", () => {
    const upstream = {
      path: "README.md",
      parts: [{ from: "## Policy", to: "## End" }],
    } as unknown as Upstream;
    expect(() => upstreamGrants("nothing", upstream)).to.throw(
      'README.md has nothing between "## Policy" and "## End" any more',
    );
    expect(() => upstreamGrants("## Policy ## End", upstream)).to.throw(
      "README.md has no policy there any more",
    );
  });

  describe("in a folder", () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "bundles-check-"));
    });
    after(() => rmSync(folder, { recursive: true }));
    const path = "docs/example-iam-policy.json";
    const check = (...actions: string[]) => {
      const file = join(folder, "aws-fsx-openzfs-csi-driver", path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify({ Statement: [allow(actions)] }));
      const lines: string[] = [];
      return { lacking: checkFolder(folder, (line) => lines.push(line)), text: lines.join("\n") };
    };

    it("prints what differs, and says whether an action lacks", () => {
      const { lacking, text } = check("fsx:CreateVolume", "fsx:NewOne");
      expect(lacking).to.equal(true);
      expect(text).to.contain("  - fsx:NewOne\n      upstream: *");
      expect(text).to.contain("  + fsx:DeleteVolume\n      here:     *");
      expect(text).to.contain(
        "velero: velero-plugin-for-aws/README.md (last compared at 9854632, 2025-12-22)\n  not there",
      );
      expect(check("fsx:CreateVolume").lacking).to.equal(false);
    });
  });

  it("is of each bundle that has a document of its project's, in the versions that docs/bundles.md names", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/bundles.md"), "utf8");
    for (const upstream of upstreams) {
      expect(bundleGrants(upstream).size, upstream.path).to.be.greaterThan(0);
      const { repository, path, commit, date } = upstream;
      expect(page).to.contain(`\`${repository}/${path}\` | ${commit}, ${date} |`);
    }
    // Those of the others are AWS's own policies, or of pages that have no repository.
    const compared = new Set(upstreams.map(({ reference }) => reference.bundle));
    expect(bundleNames.filter((name) => !compared.has(name))).to.have.members([
      ...["efs-csi", "cert-manager", "prometheus", "cloudwatch-observability"],
    ]);
    expect(resolveBundle({ bundle: "cloudwatch-observability" })).to.have.length(2);
  });
});
