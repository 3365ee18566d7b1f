import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

const app = join(import.meta.dirname, "..", "..", "app");

describe("the listers' page", () => {
  it("looks the same in both languages, each of which carries the style sheet in its own program", () => {
    const styles = ["go/page.css", "java/src/main/resources/s3lister/page.css"].map((file) =>
      readFileSync(join(app, file), "utf8"),
    );
    expect(styles[1]).to.equal(styles[0]);
  });
});
