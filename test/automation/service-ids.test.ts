import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { associationType, serviceIds } from "../../automation/service-ids.ts";

describe("ids that only the service knows", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-service-ids-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  /** An `aws` that answers so, and notes what it was asked. */
  const aws = (script: string) => {
    const file = join(folder, "aws");
    writeFileSync(file, `#!/bin/sh\necho "$AWS_REGION $*" >> "${folder}/asked"\n${script}\n`);
    chmodSync(file, 0o755);
    return { PATH: `${folder}:/usr/bin:/bin`, AWS_REGION: "eu-west-1" };
  };
  const creating = (serviceAccount: string, type = associationType, operation = "creating") => ({
    type: operation,
    resource: { urn: serviceAccount, type, inputs: { clusterName: "dev", namespace: "a", serviceAccount } },
  });
  const associations = JSON.stringify({
    associations: [
      { associationId: "a-1", namespace: "b", serviceAccount: "x" },
      { associationId: "a-2", namespace: "a", serviceAccount: "x" },
    ],
  });

  it("are those of the associations that were being created, asked for once a cluster", async () => {
    const state = {
      pending_operations: [
        creating("x"),
        creating("y"),
        creating("z", "aws:iam/role:Role"),
        creating("x", associationType, "deleting"),
      ],
    };
    const found = await serviceIds(state, aws(`echo '${associations}'`));
    expect([...found]).to.deep.equal([
      ["x", "dev,a-2"],
      ["y", undefined],
    ]);
    expect(readFileSync(join(folder, "asked"), "utf8")).to.equal(
      "eu-west-1 eks list-pod-identity-associations --cluster-name dev --output json\n",
    );
  });

  it("are not known where EKS does not say, and not asked for where nothing was being created", async () => {
    expect([...(await serviceIds({ pending_operations: [creating("x")] }, aws("exit 254")))]).to.deep.equal(
      [],
    );
    rmSync(join(folder, "asked"));
    expect([
      ...(await serviceIds({ pending_operations: [creating("z", "other")] }, aws("exit 1"))),
    ]).to.deep.equal([]);
    expect(() => readFileSync(join(folder, "asked"))).to.throw("ENOENT");
  });
});
