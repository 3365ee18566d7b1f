import { expect } from "chai";
import { ecr } from "../../../local/aws/ecr.ts";
import { jsonReply } from "../../../local/aws/reply.ts";

const registry = { host: "127.0.0.1:5000", password: "secret" };
const uri = "000000000000.dkr.ecr.eu-central-1.amazonaws.com/team/app";

describe("ecr", () => {
  it("gives every repository local's registry", () => {
    const reply = ecr(
      "DescribeRepositories",
      jsonReply({ repositories: [{ repositoryUri: uri, createdAt: 7 }] }),
      registry,
    );
    expect(JSON.parse(reply.body)).to.deep.equal({
      repositories: [{ repositoryUri: "127.0.0.1:5000/team/app", createdAt: 7 }],
    });
  });

  it("sends docker to local's registry", () => {
    const data = { authorizationData: [{ authorizationToken: "t", proxyEndpoint: `https://${uri}` }] };
    const reply = ecr("GetAuthorizationToken", jsonReply(data), registry);
    expect(JSON.parse(reply.body).authorizationData[0]).to.deep.equal({
      authorizationToken: Buffer.from("AWS:secret").toString("base64"),
      proxyEndpoint: "http://127.0.0.1:5000",
    });
  });

  it("leaves errors and other answers as they are", () => {
    const error = jsonReply({ message: uri }, 400);
    expect(ecr("CreateRepository", error, registry)).to.equal(error);
    const images = jsonReply({ imageDetails: [] });
    expect(ecr("DescribeImages", images, registry)).to.equal(images);
  });
});
