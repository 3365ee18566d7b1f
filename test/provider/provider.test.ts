import { InputPropertiesError, output } from "@pulumi/pulumi";
import { expect } from "chai";
import { packageSchema } from "../../provider/generate.ts";
import { provider } from "../../provider/index.ts";
import schema from "../../provider/schema.json" with { type: "json" };
import { known, oidcProviderArn, only, type Registered, setMocks, settled } from "../mocks.ts";

describe("the provider for other languages", () => {
  const inputs = { oidcProviderArn, namespace: "team-a", policies: ["AmazonS3ReadOnlyAccess"] };
  const token = "eks-irsa:index:IrsaServiceAccount";
  let registered: Registered[];
  beforeEach(async () => {
    registered = await setMocks();
  });

  /** What is wrong with the arguments, by property, as the engine is told. */
  const wrong = async (given: object): Promise<Record<string, string>> => {
    try {
      await provider.construct?.("reader", token, given as never, {});
    } catch (error) {
      if (!InputPropertiesError.isInstance(error)) throw error;
      return Object.fromEntries((error.errors ?? []).map((one) => [one.propertyPath, one.reason]));
    }
    return {};
  };

  it("constructs the component itself, and gives its outputs", async () => {
    const result = await provider.construct?.("reader", token, inputs, {});
    await settled(registered);
    expect(only(registered, token).name).to.equal("reader");
    expect(only(registered, "aws:iam/role:Role").parent).to.contain(token);
    expect(await known(output(result?.state))).to.include({
      roleArn: "arn:aws:iam::111122223333:role/reader-role",
      namespace: "team-a",
    });
  });

  it("names each argument that is missing, unknown, known too late, or refused", async () => {
    const {
      oidcProviderArn: missing,
      polices,
      ...rest
    } = await wrong({
      ...inputs,
      oidcProviderArn: undefined,
      polices: [],
    });
    expect(missing).to.match(/^it must be the ARN of an IAM OIDC provider/);
    expect(polices).to.match(/^there is no such key; there are .*namespace, .*; do you mean policies\?$/);
    expect(rest).to.deep.equal({});
    for (const name of ["policies", "role", "otherSubjects", "annotations"]) {
      expect((await wrong({ ...inputs, [name]: output([]) }))[name]).to.contain(
        "must be known from the start",
      );
    }
    expect(
      await wrong({
        ...inputs,
        policies: ["ReadOnlyAccess", "no such thing"],
        role: { maxSessionDuration: 60, path: "x" },
      }),
    ).to.have.all.keys("policies[1]", "role.maxSessionDuration", "role.path");
    expect(await settled(registered)).to.deep.equal([]);
    expect(
      await wrong({ ...inputs, namespace: output("team-a"), labels: output({ team: "a" }) }),
    ).to.deep.equal({});
  });

  it("refuses a type that it does not have", async () => {
    const failure = await provider
      .construct?.("x", "eks-irsa:index:Cluster", {}, {})
      .catch((error: Error) => error.message);
    expect(failure).to.equal(`eks-irsa:index:Cluster is not in this package; ${token} is.`);
  });

  it("has the schema that the component's declarations come to: else run `node provider/generate.ts`", () => {
    expect(schema).to.deep.equal(packageSchema());
  });

  it("says of each argument what it is", () => {
    const { inputProperties, requiredInputs, properties } = schema.resources[token];
    expect(inputProperties.policies.description).to.match(/^What the role may do\. At most ten/);
    expect(inputProperties.namespace).to.deep.equal({
      type: "string",
      description: "Namespace of the ServiceAccount; it must exist.",
    });
    expect(inputProperties.roleOnly).to.include({ type: "boolean", plain: true });
    expect(requiredInputs).to.deep.equal(["oidcProviderArn", "namespace"]);
    expect(properties).to.have.all.keys(
      "roleArn",
      "roleName",
      "namespace",
      "serviceAccountName",
      "podAnnotations",
      "podAdditions",
      "targetTrustPolicy",
    );
    // Most have neither.
    expect(schema.resources[token].required).to.not.include.oneOf(["podAdditions", "targetTrustPolicy"]);
  });

  it("refers only to types that its schema has", () => {
    const references = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/types\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(new Set(references)).to.have.all.keys(...Object.keys(schema.types));
  });
});
