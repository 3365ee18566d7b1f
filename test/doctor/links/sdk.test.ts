import { expect } from "chai";
import { associated, brokenOf, findingOf, look, named, unseenOf, withContainers } from "../captured.ts";

const java = "app/lib/sdk-core-2.29.6.jar";
const go = (text: string) => ({ path: "app", texts: [text] });

describe("the doctor's link sdk", () => {
  const image = (...files: Parameters<typeof named>) => ({ images: named(...files) });

  it("names an SDK for Java without its module for STS, of either version", async () => {
    const second = brokenOf(await look(image(java)));
    expect(second).to.include({ cause: "sdk-without-sts" });
    expect(second.advice?.[0]).to.contain("software.amazon.awssdk:sts").and.to.contain("2.29.6");
    const first = brokenOf(await look(image("app/lib/aws-java-sdk-core-1.12.782.jar")));
    expect(first.advice?.[0]).to.contain("com.amazonaws:aws-java-sdk-sts");
  });

  it("is content with the module, or with a bundle of all", async () => {
    for (const part of ["app/lib/sts-2.29.6.jar", "app/lib/bundle-2.29.6.jar"]) {
      expect((await look(image(java, part))).state).to.equal("healthy");
    }
    const first = image("app/aws-java-sdk-core-1.12.782.jar", "app/aws-java-sdk-sts-1.12.782.jar");
    expect((await look(first)).state).to.equal("healthy");
  });

  it("needs no STS for EKS Pod Identity, and a newer SDK", async () => {
    expect((await look(associated(image(java)))).state).to.equal("healthy");
    const broken = brokenOf(await look(associated(image("botocore-1.29.0.dist-info"))));
    expect(broken).to.include({ cause: "sdk-too-old" });
    expect(broken.disagreement?.wanted.value).to.equal("1.34.41");
    expect((await look(image("botocore-1.29.0.dist-info"))).state).to.equal("healthy");
  });

  it("reads the version out of a program in Go and of a package of Node.js", async () => {
    const text = "\tgithub.com/aws/aws-sdk-go-v2/config\tv1.24.0";
    expect((await look(image(go(text)))).state).to.equal("healthy");
    expect(brokenOf(await look(associated(image(go(text)))))).to.include({ cause: "sdk-too-old" });
    expect(brokenOf(await look(image(go("\tgithub.com/aws/aws-sdk-go\tv1.20.0"))))).to.include({
      cause: "sdk-too-old",
    });
    const path = "app/node_modules/aws-sdk/package.json";
    expect(brokenOf(await look(image({ path, texts: ['"version": "2.400.0"'] })))).to.include({
      cause: "sdk-too-old",
    });
  });

  it("cannot tell of an image that names none or is not to be read, or which of two versions is taken", async () => {
    expect(unseenOf(await look(image()), "sdk").why).to.contain("app: the image names no AWS SDK");
    const unread = { images: { files: async () => undefined } };
    expect(unseenOf(await look(unread), "sdk").why).to.contain("cannot be read from its registry");
    const two = image("a/botocore-1.12.100.dist-info", "b/botocore-1.40.0.dist-info");
    expect(unseenOf(await look(two), "sdk").why).to.contain("1.12.100 and 1.40.0");
  });

  it("takes a container without an SDK beside one with it for one that does not call AWS", async () => {
    const files = async (reference: string) =>
      reference === "proxy:1" ? [] : [{ path: "botocore-1.40.0.dist-info", texts: [] }];
    const change = { ...withContainers({}, { name: "proxy", image: "proxy:1" }), images: { files } };
    const diagnosis = await look(change);
    expect(diagnosis.state).to.equal("healthy");
    expect(JSON.stringify(findingOf(diagnosis, "sdk"))).to.contain("proxy: the image names no AWS SDK");
  });
});
