import { expect } from "chai";
import { withSection } from "../../docs/sections.ts";

describe("a section of a page", () => {
  it("is replaced between its marks, the rest left as it is", () => {
    const page = "before\n<!-- a -->\nold\n<!-- /a -->\nafter\n";
    expect(withSection(page, "a", "new")).to.equal(page.replace("old", "new"));
  });

  it("is refused where the page has no place for it", () => {
    expect(() => withSection("<!-- /a -->\n<!-- a -->", "a", "new")).to.throw("The page has no <!-- a -->");
  });
});
