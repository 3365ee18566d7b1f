import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { faultsOf, importsOf, namesakesOf, placesOf } from "./architecture.ts";

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
const places = placesOf(page);

/** A place's name in the picture. */
const idOf = (place: string): string => place.replace(/\/$|\.ts$/, "").replaceAll(/\W/g, "_");

describe("the arrows of ARCHITECTURE.md", () => {
  const faults = (file: string, source: string) => faultsOf(places, new Map([[file, source]]));

  it("hold for every file", () => {
    const files = globSync("**/*.{ts,js}", {
      cwd: root,
      // Nothing of ours, or programs of others to compare with.
      exclude: ["**/node_modules", "dist", "app", "bench/peers"],
    });
    const found = faultsOf(
      places,
      new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")])),
    );
    expect(found).to.deep.equal([]);
  });

  it("start and end at places that are there", () => {
    const named = places.flatMap(({ name, mayImport }) => [name, ...(mayImport ?? [])]);
    expect(named).to.include("iam/").and.include("config.ts");
    expect(named.filter((name) => !existsSync(join(root, name)))).to.deep.equal([]);
  });

  it("are drawn as the table has them", () => {
    const [, picture = ""] = /```mermaid\n([\s\S]*?)```/.exec(page) ?? [];
    const drawn = [...picture.matchAll(/^ *(\w+)(?:\[".*?"\])? --> (\w+)/gm)].map(
      ([, from, to]) => `${from} ${to}`,
    );
    const told = places.flatMap(({ name, mayImport = [] }) =>
      mayImport.map((to) => `${idOf(name)} ${idOf(to)}`),
    );
    // Tests may import all, and what measures nearly all: the picture would not be one.
    const measuring = (arrow: string) => /^(bench|test) /.test(arrow);
    expect(drawn.filter((arrow) => !told.includes(arrow) && !arrow.startsWith("test "))).to.deep.equal([]);
    expect(told.filter((arrow) => !drawn.includes(arrow) && !measuring(arrow))).to.deep.equal([]);
  });

  it("are broken by an import against one, however it is written", () => {
    const against = [
      'import { x } from "../local/state.ts";',
      'import type { X } from "../local/state.ts";',
      'import {\n  x,\n  y,\n} from "../local/state.ts";',
      'import "../local/state.ts";',
      'export { x } from "../local/state.ts";',
      'export * from "../local/state.ts";',
      'const x = await import("../local/state.ts");',
      'type X = import("../local/state.ts").X;',
      'import x from "./../iam/../local/state.ts";',
    ];
    for (const source of against) {
      expect(faults("doctor/x.ts", source), source).to.deep.equal([
        "doctor/x.ts imports local/state.ts; doctor/ may import iam/, terminal.ts.",
      ]);
    }
  });

  it("are kept by imports along them, and inside a place", () => {
    expect(faults("doctor/links/x.ts", 'import { x } from "../../iam/role.ts";')).to.deep.equal([]);
    expect(faults("doctor/links/x.ts", 'import { x } from "../chain.ts";')).to.deep.equal([]);
    expect(faults("local/pulumi/engine.ts", 'import "./provider-host/host.ts";')).to.deep.equal([]);
    expect(faults("test/x.ts", 'import "../local/state.ts";')).to.deep.equal([]);
    expect(faults("doctor/x.ts", '// import "../local/state.ts"')).to.deep.equal([]);
  });

  it("hold at a place inside a place", () => {
    expect(faults("local/pulumi/provider-host/x.ts", 'import "../engine.ts";')).to.deep.equal([
      "local/pulumi/provider-host/x.ts imports local/pulumi/engine.ts; local/pulumi/provider-host/ may import no other place.",
    ]);
    expect(faults("components/build-context.ts", 'import "./image.ts";')).to.deep.equal([
      "components/build-context.ts imports components/image.ts; components/build-context.ts may import no other place.",
    ]);
    expect(faults("local/x.ts", 'import "../components/build-context.ts";')).to.deep.equal([]);
    expect(faults("local/x.ts", 'import "../components/image.ts";')).to.have.length(1);
  });

  it("keep engines and clouds out of iam/", () => {
    for (const name of [
      "@pulumi/pulumi",
      "@pulumi/aws/iam/role.js",
      "@kubernetes/client-node",
      "@aws-sdk/client-iam",
    ]) {
      expect(faults("iam/x.ts", `import type { X } from "${name}";`)).to.deep.equal([
        `iam/x.ts imports ${name}; iam/ is plain values.`,
      ]);
    }
    expect(faults("iam/x.ts", 'import * as z from "zod";')).to.deep.equal([]);
  });

  it("ask a new place for a row of its own", () => {
    expect(faults("rooms/x.ts", "")).to.deep.equal(["rooms/x.ts is in no place of ARCHITECTURE.md."]);
  });

  it("read imports, and not what only looks like one", () => {
    const source = 'const text = `from "a"`; // from "b"\nimport c from "c";\n';
    expect(importsOf(source)).to.deep.equal(["c"]);
  });
});

describe("a file's name", () => {
  /** Whether the provider has a module of a stand-in's name: `providers/aws/iam/role.ts` is of `aws:iam/role:Role`. */
  const mirrors = (file: string): boolean => {
    const [, module] = /^local\/pulumi\/providers\/(.+)\.ts$/.exec(file) ?? [];
    if (module === undefined) return false;
    const [provider, ...path] = module
      .replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
      .split("/");
    const real = join(root, "node_modules", "@pulumi", provider as string, ...path);
    return existsSync(real) || existsSync(`${real}.js`);
  };

  it("is of one thing, in all rooms", () => {
    // test/ mirrors the rooms, and an example is another's program.
    const files = globSync("*/**/*.ts", {
      cwd: root,
      exclude: ["**/node_modules", "dist", "app", "bench/peers", "test", "examples"],
    });
    expect(files).to.include("iam/role.ts").and.include("local/pulumi/providers/aws/iam/role.ts");
    expect(namesakesOf(files, mirrors)).to.deep.equal([]);
  });

  it("is told where it is of two, but for a door, a command line and a stand-in", () => {
    const stands = "local/pulumi/providers/aws/iam/role.ts";
    expect(namesakesOf(["iam/index.ts", "doctor/index.ts", "iam/role.ts", stands], mirrors)).to.deep.equal(
      [],
    );
    expect(namesakesOf(["iam/role.ts", "doctor/role.ts", stands], mirrors)).to.deep.equal([
      "role.ts stands for 2 things: iam/role.ts, doctor/role.ts.",
    ]);
    const ours = "local/pulumi/providers/aws/names.ts"; // the provider has no such module
    expect(namesakesOf(["iam/names.ts", ours], mirrors)).to.deep.equal([
      `names.ts stands for 2 things: iam/names.ts, ${ours}.`,
    ]);
  });
});
