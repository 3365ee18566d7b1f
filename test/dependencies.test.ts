import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

const root = join(import.meta.dirname, "..");

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** What one list has and the other has not. */
function differences(packages: Iterable<string>, page: string): { unexplained: string[]; stale: string[] } {
  const told = [...page.matchAll(/^\| `([^`]+)` \| (\S.*) \|$/gm)].map(([, name = ""]) => name);
  const named = new Set(packages);
  return {
    unexplained: [...named].filter((name) => !told.includes(name)).sort(),
    stale: told.filter((name, index) => !named.has(name) || told.indexOf(name) !== index),
  };
}

describe("docs/dependencies.md", () => {
  it("says why each package of each manifest is here, once, and no other", () => {
    // Those of programs of others, which are measured against, are theirs.
    const files = globSync("**/package.json", {
      cwd: root,
      exclude: ["**/node_modules", "dist", "bench/peers"],
    });
    expect(files).to.include.members(["package.json", "local/package.json"]);
    const packages = files.flatMap((file) => {
      const manifest = JSON.parse(readFileSync(join(root, file), "utf8")) as Manifest;
      return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    });
    const page = readFileSync(join(root, "docs", "dependencies.md"), "utf8");
    expect(differences(packages, page)).to.deep.equal({ unexplained: [], stale: [] });
  });

  it("would miss a line, a reason, and see one too many", () => {
    const page = "| `a` | why |\n| `b` |  |\n| `c` | why |\n| `a` | again |\n";
    expect(differences(["a", "b", "d"], page)).to.deep.equal({ unexplained: ["b", "d"], stale: ["c", "a"] });
  });
});
