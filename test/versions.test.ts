import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { kubernetesVersion } from "../local/machine/install/programs.ts";
import manifest from "../package.json" with { type: "json" };
import { environments, stackConfig } from "./stack-files.ts";

// What must stand in two files, since two tools read it, is the same in both.

const read = (...path: string[]): string =>
  readFileSync(join(import.meta.dirname, "..", ...path), "utf8").trim();

describe("versions", () => {
  it("of Kubernetes are the same in every environment, and on local", () => {
    const minor = kubernetesVersion.replace(/^v(\d+\.\d+)\..*$/, "$1");
    for (const environment of environments) {
      const cluster = JSON.parse(stackConfig(environment)["eks-irsa:cluster"] ?? "{}");
      expect(cluster.version, environment).to.equal(minor);
    }
  });

  it("of Node.js are the same for people, CI and npm's scripts", () => {
    const { node } = manifest.devDependencies;
    expect(read(".nvmrc")).to.equal(node.split(".")[0]);
    expect(manifest.devDependencies["@types/node"].split(".")[0]).to.equal(node.split(".")[0]);
  });

  it("of Pulumi's aws and kubernetes are not below those of pulumi-eks, whose resources are of its own", () => {
    const { dependencies } = JSON.parse(read("node_modules", "@pulumi", "eks", "package.json"));
    for (const name of ["@pulumi/aws", "@pulumi/kubernetes"] as const) {
      const parts = (range: string) => range.replace(/^\^/, "").split(".").map(Number);
      const [[major, minor = 0], [least, leastMinor = 0]] = [
        parts(manifest.dependencies[name]),
        parts(dependencies[name]),
      ];
      expect(major, name).to.equal(least);
      expect(minor, name).to.be.at.least(leastMinor);
    }
  });

  it("of the images that CI and the devcontainer begin with are those of .nvmrc and of the lister", () => {
    const imageOf = (text: string, name: string) => new RegExp(`\\b${name}:\\S+`).exec(text)?.[0];
    const devcontainer = read(".devcontainer", "Dockerfile");
    const node = `node:${read(".nvmrc")}-bookworm`;
    expect(imageOf(devcontainer, "node")).to.equal(node);
    expect(imageOf(read(".github", "workflows", "ci.yml"), "image: node")).to.equal(`image: ${node}`);
    expect(imageOf(devcontainer, "golang")).to.equal(imageOf(read("app", "go", "Dockerfile"), "golang"));
  });

  it("of Pulumi's SDK are the same in Node.js and in the example in Python", () => {
    expect(read("examples", "python", "requirements.txt")).to.equal(
      `pulumi==${manifest.dependencies["@pulumi/pulumi"].replace("^", "")}`,
    );
  });
});
