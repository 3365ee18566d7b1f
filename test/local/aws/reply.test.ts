import { expect } from "chai";
import { AwsError, emptyIamReply, errorReply, escapeXml, jsonReply } from "../../../local/aws/reply.ts";

describe("a reply", () => {
  const error = new AwsError("NoSuchThing", "<none> of it", 404);

  it("is an error in the form of each protocol, with an id of its request", () => {
    const query = errorReply(error, "query", "iam");
    expect(query.body).to.match(
      /^<ErrorResponse xmlns="https:\/\/iam\.amazonaws\.com\/doc\/2010-05-08\/"><Error><Type>Sender<\/Type><Code>NoSuchThing<\/Code><Message>&#60;none&#62; of it<\/Message>/,
    );
    expect(query.body).to.contain(`<RequestId>${query.headers["x-amzn-requestid"]}</RequestId>`);
    expect(errorReply(error, "ec2").body).to.contain("<Response><Errors><Error><Code>NoSuchThing</Code>");
    expect(errorReply(error, "xml").body).to.contain("<Error><Code>NoSuchThing</Code>");
    const json = errorReply(error, "json");
    expect(JSON.parse(json.body)).to.deep.equal({ __type: "NoSuchThing", message: "<none> of it" });
    expect(json.headers).to.include({ "x-amzn-errortype": "NoSuchThing" });
    for (const reply of [query, json]) expect(reply.status).to.equal(404);
  });

  it("lays what is the server's fault to the server", () => {
    expect(errorReply(new AwsError("InternalFailure", "", 500), "query").body).to.contain(
      "<Type>Receiver</Type>",
    );
  });

  it("is empty as IAM's are, or JSON", () => {
    expect(emptyIamReply("TagRole").body).to.match(/^<TagRoleResponse xmlns=.*<\/TagRoleResponse>$/);
    expect(jsonReply({ a: 1 }, 202)).to.deep.include({ status: 202, body: '{"a":1}' });
  });

  it("has no character that XML does not take", () => {
    expect(escapeXml("a\u0000<b>\t&\"'\n")).to.equal("a&#60;b&#62;\t&#38;&#34;&#39;\n");
  });
});
