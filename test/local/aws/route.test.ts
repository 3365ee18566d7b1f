import { expect } from "chai";
import { routeOf } from "../../../local/aws/route.ts";

describe("routeOf", () => {
  it("reads the parameters of a path, decoded", () => {
    const match = routeOf("/clusters/{name}/node-groups/{nodegroupName}");
    expect(match("/clusters/a/node-groups/b%20c")).to.deep.equal({ name: "a", nodegroupName: "b c" });
    expect(match("/clusters/a/node-groups/b/update-config")).to.equal(undefined);
    expect(match("/clusters/a")).to.equal(undefined);
  });

  it("takes slashes where the template says so, and looks at no query", () => {
    expect(routeOf("/{Bucket}/{Key+}?x-id=GetObject")("/b/a/b")).to.deep.equal({ Bucket: "b", Key: "a/b" });
  });

  it("takes what is no percent-encoding, and no character of a template, for itself", () => {
    expect(routeOf("/a.b/{name}")("/a.b/%zz")).to.deep.equal({ name: "%zz" });
    expect(routeOf("/a.b/{name}")("/axb/c")).to.equal(undefined);
  });
});
