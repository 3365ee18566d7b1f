import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

const folder = join(import.meta.dirname, "../../../../local/pulumi/provider-host");

describe("the provider host", () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));

  it("imports nothing of the rest of the repository", () => {
    const outside = files.flatMap((file) =>
      [...readFileSync(join(folder, file), "utf8").matchAll(/from "(\.[^"]*)"/g)]
        .map(([, path]) => path)
        .filter((path) => !path?.startsWith("./"))
        .map((path) => `${file}: ${path}`),
    );
    expect(outside).to.deep.equal([]);
  });

  it("has each of its files in the README's table", () => {
    const readme = readFileSync(join(folder, "README.md"), "utf8");
    expect(files.filter((file) => !readme.includes(`\`${file}\``))).to.deep.equal([]);
  });
});
