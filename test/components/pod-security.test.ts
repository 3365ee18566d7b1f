import { expect } from "chai";
import { S3Lister } from "../../components/lister.ts";
import { Toolbox } from "../../components/toolbox.ts";
import { only, setMocks, settled } from "../mocks.ts";

/** The part of a pod that the restricted standard looks at. */
interface Pod {
  securityContext: object;
  containers: { securityContext: object }[];
}

describe("the pods of this project", () => {
  const args = { image: "image", namespace: "a", serviceAccountName: "b", region: "eu-central-1" };
  for (const [what, make] of [
    ["lister", () => new S3Lister("app", args)],
    ["toolbox", () => new Toolbox("app", args)],
  ] as const) {
    it(`are restricted, as Pod Security Standards have it: ${what}`, async () => {
      const registered = await setMocks();
      make();
      await settled(registered);
      const { inputs } = only(registered, "kubernetes:apps/v1:Deployment");
      const pod = (inputs.spec as { template: { spec: Pod } }).template.spec;
      expect(pod.securityContext).to.deep.equal({
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        fsGroup: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(pod.containers).to.have.lengthOf(1);
      for (const { securityContext } of pod.containers) {
        expect(securityContext).to.deep.include({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
        });
      }
    });
  }
});
