import { expect } from "chai";
import type { Pod } from "../../../doctor/world.ts";
import { brokenOf, cause, findingOf, look, pod, unseenOf } from "../captured.ts";

const pods = (...all: Partial<Pod>[]) => ({
  kubernetes: { pods: async () => all.map((one) => ({ ...pod, ...one })) },
});
const chosen = async (...all: Partial<Pod>[]): Promise<string> =>
  JSON.stringify(findingOf(await look(pods(...all)), "pod"));

describe("the doctor's link pod", () => {
  it("takes the newest that runs, else the newest that has not ended", async () => {
    const older = new Date("2026-11-23T10:00:00Z");
    expect(await chosen({ name: "new", phase: "Pending" }, { name: "old", created: older })).to.contain(
      "old, Running",
    );
    expect(
      await chosen({ name: "done", phase: "Succeeded" }, { name: "waits", phase: "Pending", created: older }),
    ).to.contain("waits, Pending");
  });

  it("judges a CronJob by its last pod once all have ended", async () => {
    const diagnosis = await look(
      pods(
        { name: "nightly-1", phase: "Succeeded", created: new Date("2026-11-23T10:00:00Z") },
        { name: "nightly-2", phase: "Succeeded" },
      ),
    );
    expect(diagnosis.state).to.equal("healthy");
    expect(JSON.stringify(findingOf(diagnosis, "pod"))).to.contain(
      "nightly-2, Succeeded, the last one: none runs now",
    );
  });

  it("says that none runs now where a workload makes pods under it, and how one comes to be", async () => {
    const diagnosis = await look({
      kubernetes: {
        pods: async () => [],
        workloads: async () => [
          { kind: "deployment", name: "web", serviceAccount: "default" },
          { kind: "cronjob", name: "nightly", serviceAccount: "reader" },
        ],
      },
    });
    const { why, takes } = unseenOf(diagnosis, "pod");
    expect(why).to.equal("None runs now: cronjob/nightly makes its pods.");
    expect(takes).to.contain("kubectl create job --namespace team-a --from=cronjob/nightly nightly-now");
  });

  it("is broken where nothing uses the ServiceAccount, and names what runs instead", async () => {
    const broken = brokenOf(await look(pods({ serviceAccount: "default" })));
    expect(broken).to.include({ cause: "pod-service-account" });
    expect(broken.disagreement?.found.value).to.equal(`${pod.name} under default`);
    expect(await cause({}, { pod: "other" })).to.equal("pod-service-account");
  });

  it("names a container that the pod does not have", async () => {
    const broken = brokenOf(await look({}, { containers: ["sidecar"] }));
    expect(broken).to.include({ cause: "container-missing" });
    expect(broken.disagreement?.found.value).to.equal("app");
  });
});
