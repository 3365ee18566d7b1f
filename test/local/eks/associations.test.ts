import { expect } from "chai";
import { AwsError, errorReply, jsonReply, type Reply } from "../../../local/aws/reply.ts";
import { describeCall } from "../../../local/aws/request.ts";
import { eks } from "../../../local/eks/api.ts";
import { effectDelaySeconds, isAssociated } from "../../../local/eks/associations.ts";
import { issuer, refusal } from "../aws/tokens.ts";

describe("a Pod Identity association", () => {
  it("takes effect some seconds after it is made", async () => {
    const made = new Date(1_800_000_000_000);
    const secondsLater = (seconds: number, createdAt: Date | undefined = made) =>
      isAssociated("team-a", "app", {
        createdAt: async (namespace, name) =>
          `${namespace}/${name}` === "team-a/app" ? createdAt : undefined,
        now: () => new Date(made.getTime() + seconds * 1000),
      });
    expect(await secondsLater(0)).to.equal(false);
    expect(await secondsLater(effectDelaySeconds - 0.001)).to.equal(false);
    expect(await secondsLater(effectDelaySeconds)).to.equal(true);
    expect(
      await isAssociated("team-a", "app", { createdAt: async () => undefined }),
      "there is none",
    ).to.equal(false);
  });

  describe("is tagged, as MiniStack cannot", () => {
    const arn = "arn:aws:eks:eu-central-1:000000000000:podidentityassociation/irsa/a-1";
    const path = `/tags/${encodeURIComponent(arn)}`;
    const refused = errorReply(new AwsError("InvalidParameterException", "Invalid resourceArn"), "json");
    let upstream: Reply;
    let answer: ReturnType<typeof eks>;
    beforeEach(() => {
      upstream = refused;
      answer = eks({
        kubernetes: { endpoint: "https://x", certificateAuthority: "UEVN", issuer, version: "1.34" },
        clusterNames: async () => ["irsa"],
        tags: async () => ({}),
        associationTags: async (cluster, id) =>
          cluster === "irsa" && id === "a-1" ? { team: "data" } : undefined,
        log: () => undefined,
      });
    });
    const send = (method: string, url: string, body: unknown = {}) =>
      answer(describeCall(method, url, {}), JSON.stringify(body), async () => upstream);
    const tags = async () => JSON.parse((await send("GET", path)).body).tags;

    it("beside the tags that it was made with, and by key without them", async () => {
      expect(await tags()).to.deep.equal({ team: "data" });
      await send("POST", path, { tags: { env: "dev", team: "web" } });
      expect(await tags()).to.deep.equal({ env: "dev", team: "web" });
      await send("DELETE", `${path}?tagKeys=env&tagKeys=other`);
      expect(await tags()).to.deep.equal({ team: "web" });
    });

    it("and described with its present tags", async () => {
      await send("POST", path, { tags: { env: "dev" } });
      upstream = jsonReply({ association: { associationArn: arn, tags: { team: "data" } } });
      const described = await send("GET", "/clusters/irsa/pod-identity-associations/a-1");
      expect(JSON.parse(described.body).association.tags).to.deep.equal({ team: "data", env: "dev" });
    });

    it("only when it is there, and when MiniStack allows the caller to", async () => {
      expect(await refusal(send("POST", path.replace("a-1", "a-2"), { tags: { a: "b" } }))).to.match(
        /^404 NotFoundException: No resource found for ARN: arn:.*\/a-2\.$/,
      );
      upstream = errorReply(new AwsError("AccessDeniedException", "no", 403), "json");
      expect(await send("POST", path, { tags: { a: "b" } })).to.equal(upstream);
    });

    it("and leaves the tags of all else to MiniStack", async () => {
      upstream = errorReply(new AwsError("InvalidParameterException", "Invalid resourceArn"), "json");
      const cluster = `/tags/${encodeURIComponent("arn:aws:eks:eu-central-1:000000000000:cluster/irsa")}`;
      expect(await send("POST", cluster, { tags: { a: "b" } })).to.equal(upstream);
    });
  });
});
