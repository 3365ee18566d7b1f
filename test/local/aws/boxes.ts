import { spawnSync } from "node:child_process";
import type { ServiceDescription } from "../../../local/aws/models.ts";

/** A service of two operations, in the form of botocore's models. */
export const description: ServiceDescription = {
  metadata: { protocol: "json" },
  operations: {
    MakeBox: { http: { method: "POST", requestUri: "/boxes/{boxName}" }, input: { shape: "MakeBoxRequest" } },
    CountBoxes: { http: { method: "GET", requestUri: "/boxes" } },
  },
  shapes: {
    MakeBoxRequest: {
      type: "structure",
      required: ["BoxName", "Tags"],
      members: {
        BoxName: { shape: "Name", location: "uri", locationName: "boxName" },
        Depth: { shape: "Depth", location: "querystring", locationName: "depth" },
        Kind: { shape: "Kind" },
        Tags: { shape: "Tags" },
        Labels: { shape: "Labels" },
        Sealed: { shape: "Flag" },
        Anything: { shape: "Anything" },
      },
    },
    Name: { type: "string", min: 2, max: 8, pattern: "[a-z]+" },
    Depth: { type: "integer", min: 1, max: 3 },
    Kind: { type: "string", enum: ["WOOD", "STEEL"] },
    Tags: { type: "list", max: 2, member: { shape: "Tag" } },
    Tag: {
      type: "structure",
      required: ["Key"],
      members: { Key: { shape: "Name" }, Inner: { shape: "Tags" } },
    },
    Labels: { type: "map", key: { shape: "Name" }, value: { shape: "Name" } },
    Flag: { type: "boolean" },
    Anything: { type: "structure", document: true },
    MakeBoxResponse: { type: "structure", members: {} },
  },
};

/** Where a Python with botocore is, if there is one on this machine; awscli brings it. */
export function botocoreHome(): string | undefined {
  const { stdout } = spawnSync("python3", ["-c", "import botocore, sys; print(sys.prefix)"], {
    encoding: "utf8",
  });
  return stdout?.trim() || undefined;
}
