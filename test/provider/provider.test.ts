import { InputPropertiesError, output } from "@pulumi/pulumi";
import { expect } from "chai";
import { toArguments } from "../../provider/arguments.ts";
import { provider } from "../../provider/index.ts";
import { packageSchema } from "../../provider/schema.ts";
import { known, oidcProviderArn, only, type Registered, setMocks, settled } from "../mocks.ts";

describe("the provider for other languages", () => {
  const inputs = { oidcProviderArn, namespace: "team-a", policies: ["AmazonS3ReadOnlyAccess"] };
  const token = "eks-irsa:index:IrsaServiceAccount";
  let registered: Registered[];
  beforeEach(async () => {
    registered = await setMocks();
  });

  const wrong = (given: object): Record<string, string> => {
    try {
      toArguments(given as never);
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

  it("names each argument that is missing, unknown, or known too late", () => {
    expect(wrong({ namespace: "team-a" })).to.deep.equal({ oidcProviderArn: "must be given" });
    expect(wrong({ ...inputs, polices: [] }).polices).to.match(
      /^is not an argument; there are oidcProviderArn, /,
    );
    expect(wrong({ ...inputs, policies: output([]) }).policies).to.contain("must be known from the start");
    expect(wrong({ ...inputs, namespace: output("team-a") })).to.deep.equal({});
  });

  it("has the engine name the property that the component refuses", async () => {
    const refused = async (more: object) => {
      try {
        await provider.construct?.("reader", token, { ...inputs, ...more }, {});
      } catch (error) {
        if (InputPropertiesError.isInstance(error)) return error.errors?.[0];
      }
      return undefined;
    };
    expect(await refused({ policies: ["ReadOnlyAccess", "no such thing"] })).to.deep.include({
      propertyPath: "policies[1]",
    });
    expect(await refused({ role: { maxSessionDuration: 60 } })).to.deep.include({
      propertyPath: "role.maxSessionDuration",
    });
    expect(await settled(registered)).to.deep.equal([]);
  });

  it("refuses a type that it does not have", async () => {
    const failure = await provider
      .construct?.("x", "eks-irsa:index:Cluster", {}, {})
      .catch((error: Error) => error.message);
    expect(failure).to.equal(`eks-irsa:index:Cluster is not in this package; ${token} is.`);
  });

  it("refers only to types that its schema has", () => {
    const text = JSON.stringify(packageSchema("1.2.3"));
    const { types } = JSON.parse(text) as { types: object };
    const references = [...text.matchAll(/"\$ref":"#\/types\/([^"]+)"/g)].map(([, name]) => name);
    expect(new Set(references)).to.have.all.keys(...Object.keys(types));
  });
});
