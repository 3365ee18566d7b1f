import { expect } from "chai";
import { ecr } from "../../../local/aws/ecr.ts";
import { jsonReply, type Reply } from "../../../local/aws/reply.ts";
import { refusal } from "./tokens.ts";

const uri = "000000000000.dkr.ecr.eu-central-1.amazonaws.com/team/app";

describe("ecr", () => {
  let deleted: string[];
  beforeEach(() => {
    deleted = [];
  });
  const registry = {
    host: "127.0.0.1:5000",
    password: "secret",
    deleteImages: async (repository: string) => {
      deleted.push(repository);
    },
  };
  const send = (action: string, reply: Reply, body: object = {}) =>
    ecr(action, JSON.stringify(body), async () => reply, registry);

  it("gives every repository local's registry", async () => {
    const reply = await send(
      "DescribeRepositories",
      jsonReply({ repositories: [{ repositoryUri: uri, createdAt: 7 }] }),
    );
    expect(JSON.parse(reply.body)).to.deep.equal({
      repositories: [{ repositoryUri: "127.0.0.1:5000/team/app", createdAt: 7 }],
    });
  });

  it("sends docker to local's registry", async () => {
    const data = { authorizationData: [{ authorizationToken: "t", proxyEndpoint: `https://${uri}` }] };
    const reply = await send("GetAuthorizationToken", jsonReply(data));
    expect(JSON.parse(reply.body).authorizationData[0]).to.deep.equal({
      authorizationToken: Buffer.from("AWS:secret").toString("base64"),
      proxyEndpoint: "http://127.0.0.1:5000",
    });
  });

  it("deletes a repository with its images, so that the next of its name begins empty", async () => {
    await send("DeleteRepository", jsonReply({ message: "not empty" }, 400), { repositoryName: "team/app" });
    expect(deleted).to.deep.equal([]);
    await send("DeleteRepository", jsonReply({ repository: {} }), { repositoryName: "team/app" });
    expect(deleted).to.deep.equal(["team/app"]);
  });

  it("refuses in ECR's words to put an image to a tag that exists, where tags are immutable", async () => {
    const refused = jsonReply({ __type: "ImageTagAlreadyExistsException", message: "exists" }, 400);
    const put = send("PutImage", refused, { repositoryName: "team/app", imageTag: "v1" });
    expect(await refusal(put)).to.equal(
      "400 ImageTagAlreadyExistsException: The image tag 'v1' already exists in the 'team/app' repository and cannot be overwritten because the tag is immutable.",
    );
  });

  it("leaves errors and other answers as they are", async () => {
    const error = jsonReply({ message: uri }, 400);
    expect(await send("CreateRepository", error)).to.equal(error);
    const images = jsonReply({ imageDetails: [] });
    expect(await send("DescribeImages", images)).to.equal(images);
  });
});
