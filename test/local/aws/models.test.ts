import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { asModel, botocoreModels } from "../../../local/aws/models.ts";
import { botocoreHome, description } from "./boxes.ts";

describe("AWS's models", () => {
  it("are kept as far as requests are asked by them", () => {
    const model = asModel({
      ...description,
      shapes: {
        ...description.shapes,
        Name: { ...description.shapes.Name, type: "string", documentation: "A name." } as never,
      },
    });
    expect(model.protocol).to.equal("json");
    expect(model.operations).to.deep.include({
      name: "CountBoxes",
      method: "GET",
      path: "/boxes",
      input: undefined,
    });
    expect(model.shapes).to.include.keys("Tag", "Labels").and.not.to.have.any.keys("MakeBoxResponse");
    expect(model.shapes.Name)
      .to.deep.include({ pattern: "[a-z]+" })
      .and.not.to.have.any.keys("documentation");
  });

  it("are found where Python has them, the newest, compressed or not, and read once", async () => {
    const venv = mkdtempSync(join(tmpdir(), "eks-irsa-models-"));
    try {
      const write = (service: string, version: string, name: string, protocol: string) => {
        const folder = join(venv, "lib/python3.11/site-packages/botocore/data", service, version);
        mkdirSync(folder, { recursive: true });
        const text = JSON.stringify({ ...description, metadata: { protocol } });
        writeFileSync(join(folder, name), name.endsWith(".gz") ? gzipSync(text) : text);
      };
      write("box", "2015-01-01", "service-2.json", "query");
      write("box", "2020-01-01", "service-2.json.gz", "json");
      write("crate", "2020-01-01", "service-2.json", "rest-json");
      const models = botocoreModels(venv);
      expect((await models("box"))?.protocol).to.equal("json");
      expect((await models("crate"))?.protocol).to.equal("rest-json");
      expect(await models("box")).to.equal(await models("box"));
      expect(await models("../box"), "no name of a service").to.equal(undefined);
      expect(await models("none")).to.equal(undefined);
      expect(await botocoreModels("/nowhere")("box")).to.equal(undefined);
    } finally {
      rmSync(venv, { recursive: true });
    }
  });

  it("are botocore's, where there is one", async function () {
    const home = botocoreHome();
    if (home === undefined) this.skip();
    const models = botocoreModels(home);
    const protocols = { iam: "query", ec2: "ec2", ecr: "json", eks: "rest-json" };
    for (const [service, protocol] of Object.entries(protocols)) {
      const model = await models(service);
      expect(model?.protocol, service).to.equal(protocol);
      expect(model?.operations.length, service).to.be.greaterThan(40);
    }
  });
});
