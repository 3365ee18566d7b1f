import { expect } from "chai";
import { AwsError, errorReply, jsonReply, type Reply } from "../../../local/aws/reply.ts";
import { describeCall } from "../../../local/aws/request.ts";
import type { eks } from "../../../local/eks/api.ts";
import { effectDelaySeconds, isAssociated } from "../../../local/eks/associations.ts";
import { refusal } from "../aws/tokens.ts";
import { eksWith } from "./harness.ts";

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
      ({ answer } = eksWith({
        association: async (cluster, id) =>
          cluster === "irsa" && id === "a-1"
            ? { tags: { team: "data" }, disableSessionTags: false }
            : undefined,
      }));
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

  describe("is made as EKS makes it", () => {
    const arn = "arn:aws:iam::000000000000:role/team/app";
    const trust = (statement: object = {}) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "pods.eks.amazonaws.com" },
            Action: ["sts:AssumeRole", "sts:TagSession"],
            Condition: { StringEquals: { "aws:RequestTag/kubernetes-namespace": "team-a" } },
            ...statement,
          },
        ],
      });
    const made = jsonReply({
      association: {
        associationArn: "arn",
        clusterName: "irsa",
        namespace: "team-a",
        serviceAccount: "app",
        targetRoleArn: "arn:aws:iam::222222222222:role/target",
        externalId: "of MiniStack",
      },
    });
    const path = "/clusters/irsa/pod-identity-associations";
    const create = (body: object, trustPolicy = trust()) =>
      eksWith({ role: async (name) => (name === "app" ? { arn, trustPolicy } : undefined) }).send(
        made,
        "POST",
        path,
        { namespace: "team-a", serviceAccount: "app", roleArn: arn, ...body },
      );

    it("with the external id by which a target role's trust policy may tell it", async () => {
      expect(JSON.parse((await create({})).body).association.externalId).to.equal(
        "eu-central-1/000000000000/irsa/team-a/app",
      );
    });

    it("for a role that is there", async () => {
      expect(await refusal(create({ roleArn: `${arn}x` }))).to.equal(
        "400 InvalidParameterException: Role provided in the request does not exist.",
      );
    });

    for (const [what, statement] of Object.entries({
      "another service": { Principal: { Service: "ec2.amazonaws.com" } },
      "no sts:TagSession": { Action: "sts:AssumeRole" },
      "a Deny only": { Effect: "Deny" },
    })) {
      it(`for a role that trusts EKS Auth, not with ${what}, with session tags or without`, async () => {
        for (const body of [{}, { disableSessionTags: true }]) {
          expect(await refusal(create(body, trust(statement)))).to.equal(
            "400 InvalidParameterException: Trust policy of the role provided is invalid.",
          );
        }
      });
    }

    it("with a session policy only where the session gets no tags", async () => {
      const policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
      });
      expect((await create({ policy, disableSessionTags: true })).status).to.equal(200);
      expect(await refusal(create({ policy }))).to.contain("disableSessionTags must be set to true");
      expect(await refusal(create({ policy: "{", disableSessionTags: true }))).to.contain(
        "The policy is invalid",
      );
      expect(await refusal(create({ policy: policy.padEnd(2049), disableSessionTags: true }))).to.contain(
        "at most 2048",
      );
    });

    it("and is held to the same when it is changed", async () => {
      const policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
      });
      const change = (disableSessionTags: boolean, body: object) =>
        eksWith({
          association: async () => ({
            tags: {},
            disableSessionTags,
            policy: disableSessionTags ? policy : undefined,
          }),
          role: async () => ({ arn, trustPolicy: trust({ Action: "sts:AssumeRole" }) }),
        }).send(made, "POST", `${path}/a-1`, body);
      expect(await refusal(change(true, { disableSessionTags: false }))).to.contain(
        "disableSessionTags must be set to true",
      );
      expect((await change(true, { disableSessionTags: false, policy: "" })).status).to.equal(200);
      expect(await refusal(change(false, { roleArn: arn }))).to.contain(
        "Trust policy of the role provided is invalid.",
      );
    });
  });
});
