import { expect } from "chai";
import type { Container, Pod } from "../../../doctor/world.ts";
import { brokenOf, container, findingOf, look, pod, unseenOf, withPod } from "../captured.ts";

/** A pod without fsGroup whose token is its owner's alone. */
const strict = (containers: Partial<Container>[], change: Partial<Pod> = {}) =>
  withPod({
    fsGroup: undefined,
    tokens: pod.tokens.map((one) => ({ ...one, mode: 0o400 })),
    containers: containers.map((one) => ({ ...container, ...one })),
    ...change,
  });

describe("the doctor's link readable", () => {
  it("finds the token of a Windows container, whose path the webhook writes otherwise than the mount's", async () => {
    const file = "C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token";
    const windows = { ...container, env: { ...container.env, AWS_WEB_IDENTITY_TOKEN_FILE: file } };
    const diagnosis = await look(withPod({ windows: true, fsGroup: undefined, containers: [windows] }));
    expect(diagnosis.state).to.equal("healthy");
  });

  it("names the one container of several that cannot read its token", async () => {
    const broken = brokenOf(
      await look(
        strict([
          { name: "root", user: 0 },
          { name: "app", user: 1000 },
        ]),
      ),
    );
    expect(broken).to.include({ cause: "token-unreadable" });
    expect(broken.what).to.contain("app runs as");
    expect(broken.evidence).to.deep.equal(["root: as root"]);
    expect(broken.mend[0]).to.equal(
      `kubectl patch deployment --namespace team-a reader --patch '{"spec":{"template":{"spec":{"securityContext":{"fsGroup":1000}}}}}'`,
    );
  });

  it("has the group of a pod that somebody made set in its manifest", async () => {
    const broken = brokenOf(await look(strict([{ user: 1 }, { name: "b", user: 2 }], { owner: undefined })));
    expect(broken.mend).to.deep.equal([]);
    expect(broken.advice?.[0]).to.contain("fsGroup: 1 in the pod's manifest");
  });

  it("lets the one user of all containers read it, and whoever the mode lets", async () => {
    expect((await look(strict([{ user: 1000 }]))).state).to.equal("healthy");
    const open = await look(withPod({ fsGroup: undefined, containers: [{ ...container, user: undefined }] }));
    expect(JSON.stringify(findingOf(open, "readable"))).to.contain("by everybody (mode 0644)");
  });

  it("cannot tell where the image decides who the container runs as", async () => {
    const diagnosis = await look(strict([{ user: undefined }]));
    expect(unseenOf(diagnosis, "readable").takes).to.contain("runAsUser");
  });

  it("names a variable that points to where no token is", async () => {
    const env = { ...container.env, AWS_WEB_IDENTITY_TOKEN_FILE: "/elsewhere" };
    expect(brokenOf(await look(withPod({ containers: [{ ...container, env }] })))).to.include({
      cause: "token-file",
    });
  });
});
