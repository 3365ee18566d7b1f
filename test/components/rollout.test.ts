import { expect } from "chai";
import { isUnfinishedRollout } from "../../automation/errors.ts";
import { S3Lister } from "../../components/lister.ts";
import { rolloutFault } from "../../components/rollout.ts";
import { known, setMocks } from "../mocks.ts";

const ended = { name: "s3-lister", generation: 3, replicas: 2, observedGeneration: 3, updatedReplicas: 2 };

describe("a rollout", () => {
  it("has ended where the controller has seen the Deployment, and all pods that are wanted are new", () => {
    expect(rolloutFault(ended)).to.equal(undefined);
    expect(rolloutFault({ ...ended, updatedReplicas: 3 })).to.equal(undefined);
    expect(rolloutFault({ ...ended, replicas: 0, updatedReplicas: undefined })).to.equal(undefined);
  });

  it("has not where the old pods were scaled and no new one is there: the status has no count then", () => {
    const said = rolloutFault({ ...ended, updatedReplicas: undefined }) ?? "";
    expect(said).to.contain("s3-lister").and.to.contain("`pulumi up --refresh`");
    expect(isUnfinishedRollout(`error: ${said}`)).to.equal(true);
    expect(isUnfinishedRollout("'s3-lister' timed out waiting to be Ready")).to.equal(false);
  });

  it("has not where the controller has not seen the Deployment", () => {
    expect(rolloutFault({ ...ended, observedGeneration: 2 })).to.contain("s3-lister");
    expect(rolloutFault({ ...ended, observedGeneration: undefined })).to.contain("s3-lister");
  });

  it("is what the lister's name waits for", async () => {
    for (const [updatedReplicas, named] of [
      [1, "app"],
      [0, "are not there yet"],
    ] as const) {
      await setMocks({
        outputs: {
          "kubernetes:apps/v1:Deployment": (_, { metadata, spec }) => ({
            metadata: { ...(metadata as object), generation: 4 },
            spec,
            status: { observedGeneration: 4, updatedReplicas, replicas: 1 },
          }),
        },
      });
      const { name } = new S3Lister("app", {
        image: "r/i@sha256:00",
        namespace: "team-a",
        serviceAccountName: "reader",
        region: "eu-west-1",
      });
      expect(await known(name).catch((error: Error) => error.message)).to.contain(named);
    }
  });
});
