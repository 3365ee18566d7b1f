import { expect } from "chai";
import {
  type Admission,
  admissionName,
  admissionSpec,
  millisecondsUntilInForce,
} from "../../components/admission.ts";
import { IrsaServiceAccount, type IrsaServiceAccountArgs } from "../../components/irsa.ts";
import { known, oidcProviderArn, only, type Registered, setMocks, settled } from "../mocks.ts";

// Its expressions are compiled, and put to pods, by the real API server: test/e2e/admission.e2e.ts.

describe("admission: enforced", () => {
  let registered: Registered[];
  beforeEach(async () => {
    registered = await setMocks();
  });
  const make = async (args: Partial<IrsaServiceAccountArgs> = {}) => {
    const irsa = new IrsaServiceAccount("app", { oidcProviderArn, namespace: "team-a", ...args });
    await settled(registered);
    return irsa;
  };
  const policyType = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy";
  const bindingType = `${policyType}Binding`;
  const policy = () =>
    only(registered, policyType).inputs as {
      metadata: { name: string };
      spec: ReturnType<typeof admissionSpec>;
    };
  const lacking = ({ variables }: ReturnType<typeof admissionSpec>) =>
    variables.find(({ name }) => name === "lacking")?.expression ?? "";
  const irsa: Admission = {
    namespace: "team-a",
    serviceAccount: "app",
    mechanism: "irsa",
    roleArn: "arn:aws:iam::111122223333:role/app",
  };

  it("holds up what depends on it until each API server has read its last change, and no longer", () => {
    const at = (seconds: number) => new Date(Date.UTC(2027, 0, 15, 8, 0, seconds)).toISOString();
    const until = (now: number, creationTimestamp = "", time = "") =>
      millisecondsUntilInForce(
        [
          { creationTimestamp, managedFields: [{ time }] },
          { creationTimestamp, managedFields: [] },
        ],
        Date.parse(at(now)),
      );
    expect(until(0, at(0)), "just made").to.equal(3000);
    expect(until(2, at(0)), "made 2 s ago").to.equal(1000);
    expect(until(40, at(0)), "made long ago").to.equal(0);
    expect(until(41, at(0), at(40)), "changed 1 s ago").to.equal(2000);
    expect(until(0, at(30)), "a clock that is behind").to.equal(3000);
    expect(until(0), "under mocks").to.equal(0);
  });

  it("looks for the token's mount where the pods go on to a second role, and so have its variable empty", async () => {
    const chain = { role: "arn:aws:iam::222233334444:role/reports" };
    await make({ admission: "enforced", chain });
    expect(lacking(policy().spec))
      .to.contain('"AWS_ROLE_ARN"')
      .and.to.contain('m.mountPath == "/var/run/secrets/eks.amazonaws.com/serviceaccount"')
      .and.not.to.contain("AWS_WEB_IDENTITY_TOKEN_FILE");
    const { "0": validation } = policy().spec.validations;
    expect(validation?.messageExpression).to.contain("AWS_ROLE_ARN and the token for arn:aws:iam::");
  });

  it("is nothing unless it is asked for", async () => {
    await make();
    await make({ admission: "open" }).catch(() => undefined);
    expect(registered.map(({ type }) => type)).to.not.include.oneOf([policyType, bindingType]);
  });

  it("refuses pods of just this ServiceAccount, and of no other namespace", async () => {
    const { namespace, roleArn } = await make({ admission: "enforced", serviceAccount: "reader" });
    const { metadata, spec } = policy();
    expect(metadata.name).to.equal("eks-irsa.team-a.reader");
    expect(spec).to.deep.equal(
      admissionSpec({
        namespace: await known(namespace),
        serviceAccount: "reader",
        mechanism: "irsa",
        roleArn: await known(roleArn),
        chained: false,
      }),
    );
    expect(spec.matchConstraints.namespaceSelector).to.deep.equal({
      matchLabels: { "kubernetes.io/metadata.name": "team-a" },
    });
    expect(spec.matchConditions[0]?.expression).to.contain('== "reader"');
    expect(only(registered, bindingType).inputs).to.deep.include({
      metadata: { name: "eks-irsa.team-a.reader" },
      spec: { policyName: "eks-irsa.team-a.reader", validationActions: ["Deny"] },
    });
  });

  it("is there before the ServiceAccount, without which there is no pod, and goes after it", async () => {
    const { urn } = await make({ admission: "enforced" });
    const dependencies = only(registered, "kubernetes:core/v1:ServiceAccount").dependencies.join();
    expect(dependencies).to.contain(`${bindingType}::app-admission`);
    expect(only(registered, policyType).parent).to.equal(await known(urn));
  });

  it("is for the pods of a ServiceAccount that is adopted, or that a chart brings, too", async () => {
    await make({ admission: "enforced", adopt: true });
    const [found] = registered.filter(({ name }) => name === "app-to-adopt");
    expect(policy().metadata.name).to.equal("eks-irsa.team-a.app");
    expect(found).to.equal(undefined); // it is read, and not registered
    registered = await setMocks();
    await make({ admission: "enforced", roleOnly: true, serviceAccount: "chart" });
    expect(policy().metadata.name).to.equal("eks-irsa.team-a.chart");
  });

  it("wants of each container what its mechanism gives it", async () => {
    expect(lacking(admissionSpec(irsa)))
      .to.contain(`e.name == "AWS_ROLE_ARN" && has(e.value) && e.value == "${irsa.roleArn}"`)
      .and.to.contain('"AWS_WEB_IDENTITY_TOKEN_FILE"')
      .and.to.contain("object.spec.containers")
      .and.to.contain("object.spec.initContainers")
      .and.not.to.contain("AWS_CONTAINER_");
    expect(lacking(admissionSpec({ ...irsa, mechanism: "pod-identity" })))
      .to.contain('"AWS_CONTAINER_CREDENTIALS_FULL_URI"')
      .and.to.contain('"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"')
      .and.not.to.contain("AWS_ROLE_ARN");
  });

  it("wants what new pods get, while a binding moves from one mechanism to the other", async () => {
    const wanted = async (identity: IrsaServiceAccountArgs["identity"]) => {
      registered = await setMocks();
      await make({ admission: "enforced", identity, clusterName: "dev" });
      return lacking(policy().spec).includes("AWS_ROLE_ARN") ? "irsa" : "pod-identity";
    };
    expect(await wanted({ mechanism: "irsa", migrating: true })).to.equal("irsa");
    expect(await wanted({ mechanism: "pod-identity", migrating: true })).to.equal("pod-identity");
  });

  it("quotes a role's path, whatever it holds", () => {
    const roleArn = `arn:aws:iam::111122223333:role/it's/a\\"path/app`;
    expect(lacking(admissionSpec({ ...irsa, roleArn }))).to.contain(
      String.raw`e.value == "arn:aws:iam::111122223333:role/it's/a\\\"path/app"`,
    );
  });

  it("has a name for the longest ServiceAccount, and no two have one", () => {
    const [long, longer] = [240, 250].map((length) =>
      admissionName({ namespace: "n".repeat(63), serviceAccount: "a".repeat(length) }),
    );
    expect(long?.length).to.be.at.most(253);
    expect(long).not.to.equal(longer);
    expect(admissionName({ namespace: "a", serviceAccount: "b.c" })).not.to.equal(
      admissionName({ namespace: "a-b", serviceAccount: "c" }),
    );
  });
});
