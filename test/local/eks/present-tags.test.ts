import { expect } from "chai";
import { jsonReply } from "../../../local/aws/reply.ts";
import { eksWith } from "./harness.ts";

describe("the tags of EKS's", () => {
  for (const [what, path, described] of [
    ["add-ons", "/clusters/irsa/addons/vpc-cni", { addon: { addonArn: "arn:a", tags: { old: "1" } } }],
    [
      "access entries",
      "/clusters/irsa/access-entries/arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fci",
      { accessEntry: { accessEntryArn: "arn:a", tags: { old: "1" } } },
    ],
  ] as const) {
    it(`${what} are those that they have now`, async () => {
      const [member = ""] = Object.keys(described);
      expect(await eksWith().get(jsonReply(described), member, "GET", path)).to.deep.include({
        tags: { of: "arn:a" },
      });
    });
  }
});
