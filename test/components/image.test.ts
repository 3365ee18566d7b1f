import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Image } from "../../components/image.ts";
import { known, only, type Registered, setMocks, settled } from "../mocks.ts";

describe("Image", () => {
  let registered: Registered[];
  let context: string;
  beforeEach(async () => {
    registered = await setMocks();
    context = mkdtempSync(join(tmpdir(), "eks-irsa-image-"));
    writeFileSync(join(context, "Dockerfile"), "FROM scratch\n");
  });
  afterEach(() => rmSync(context, { recursive: true }));
  const inputs = (type: string) => only(registered, type).inputs;

  it("makes a repository that scans, encrypts, expires, and takes a tag again", async () => {
    new Image("app", { context });
    await settled(registered);
    expect(inputs("aws:ecr/repository:Repository")).to.deep.include({
      imageTagMutability: "MUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfigurations: [{ encryptionType: "AES256" }],
      forceDelete: false,
    });
    const { rules } = JSON.parse(inputs("aws:ecr/lifecyclePolicy:LifecyclePolicy").policy as string);
    expect(rules[0].selection).to.deep.equal({
      tagStatus: "any",
      countType: "imageCountMoreThan",
      countNumber: 20,
    });
  });

  it("encrypts with the key that it is given, and keeps as many as it is told", async () => {
    new Image("app", { context, kmsKey: "arn:aws:kms:eu-central-1:111122223333:key/k", keep: 3 });
    await settled(registered);
    expect(inputs("aws:ecr/repository:Repository").encryptionConfigurations).to.deep.equal([
      { encryptionType: "KMS", kmsKey: "arn:aws:kms:eu-central-1:111122223333:key/k" },
    ]);
    expect(inputs("aws:ecr/lifecyclePolicy:LifecyclePolicy").policy).to.contain('"countNumber":3');
  });

  it("tags the image by what goes into it: the same again for the same, another for any change", async () => {
    const tag = async (build = {}) => {
      registered = await setMocks();
      const image = new Image("app", { context, build });
      await settled(registered);
      expect(await known(image.reference)).to.match(/@sha256:(ab){32}$/);
      return String(inputs("docker:index/image:Image").imageName).split(":")[1];
    };
    const first = await tag();
    expect(await tag()).to.equal(first);
    expect(await tag({ args: { BUILD_IMAGE: "other" } })).not.to.equal(first);
    writeFileSync(join(context, "main.go"), "package main\n");
    const second = await tag();
    expect(second).not.to.equal(first);
    writeFileSync(join(context, ".dockerignore"), "main.go\n");
    writeFileSync(join(context, "main.go"), "package other\n");
    const third = await tag();
    writeFileSync(join(context, "main.go"), "package third\n");
    expect(await tag()).to.equal(third);
  });

  it("refuses a context without Dockerfile before it registers anything", async () => {
    rmSync(join(context, "Dockerfile"));
    expect(() => new Image("app", { context })).to.throw(/Dockerfile/);
    expect(await settled(registered)).to.deep.equal([]);
  });
});
