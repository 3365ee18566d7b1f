import { expect } from "chai";
import { associated, brokenOf, cause, findingOf, look, roleArn, unseenOf } from "../captured.ts";

const missing = { serviceAccount: async () => undefined };
const annotated = (annotations: Record<string, string>) => ({
  kubernetes: { serviceAccount: async () => ({ annotations }) },
});

describe("the doctor's link service-account", () => {
  it("has a missing ServiceAccount made by hand, or by the stack that makes it", async () => {
    const byHand = brokenOf(await look({ kubernetes: missing }));
    expect(byHand).to.include({ cause: "service-account-missing" });
    expect(byHand.mend).to.deep.equal(["kubectl create serviceaccount --namespace team-a reader"]);
    const byStack = brokenOf(await look({ kubernetes: missing }, { stack: "dev" }));
    expect(byStack.mend).to.deep.equal(["pulumi refresh --stack dev", "pulumi up --stack dev"]);
  });

  it("has a missing namespace made before what is in it", async () => {
    const broken = brokenOf(await look({ kubernetes: { ...missing, hasNamespace: async () => false } }));
    expect(broken).to.include({ cause: "namespace-missing" });
    expect(broken.mend).to.deep.equal([
      "kubectl create namespace team-a",
      "kubectl create serviceaccount --namespace team-a reader",
    ]);
  });

  it("names an annotation that is not there, another one, and one that is no role's ARN", async () => {
    expect(await cause(annotated({}))).to.equal("annotation-missing");
    const similar = brokenOf(await look(annotated({ "eks.amazonaws.com/roleARN": roleArn })));
    expect(similar.disagreement?.found.value).to.equal("eks.amazonaws.com/roleARN");
    expect(await cause(annotated({ "eks.amazonaws.com/role-arn": "reader" }))).to.equal(
      "annotation-malformed",
    );
  });

  it("takes the association before the annotation, and says so", async () => {
    const { kubernetes, ...rest } = associated();
    const both = { ...kubernetes, ...annotated({ "eks.amazonaws.com/role-arn": roleArn }).kubernetes };
    const finding = findingOf(await look({ ...rest, kubernetes: both }), "service-account");
    expect(JSON.stringify(finding)).to.contain("is for pods of before the association");
  });

  it("goes by the annotation where associations may not be asked for, and does not call that healthy", async () => {
    const refuse = async (): Promise<never> => {
      throw new Error("not authorized to perform: eks:ListPodIdentityAssociations");
    };
    const diagnosis = await look({ eks: { association: refuse } });
    expect(diagnosis.state).to.equal("unseen");
    expect(unseenOf(diagnosis, "service-account").takes).to.contain("eks:ListPodIdentityAssociations");
    expect(findingOf(diagnosis, "sts").state).to.equal("holds");
  });
});
