import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

describe("the lister's Dockerfile in Go", () => {
  it("builds on the builder's own platform, for that of the image, so that no processor is emulated", () => {
    const text = readFileSync(join(import.meta.dirname, "../../app/go/Dockerfile"), "utf8");
    const [, build = "", final = ""] = text.split(/^FROM /m);
    expect(build).to.match(/^--platform=\$\{BUILDPLATFORM\} /);
    expect(build).to.match(/ GOARCH="\$\{TARGETARCH\}" /);
    expect(final, "which only copies").to.not.match(/^(RUN|--platform)/m);
  });
});
