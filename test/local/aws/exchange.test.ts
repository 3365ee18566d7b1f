import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { expect } from "chai";
import { chain, type Exchange, read, receive } from "../../../local/aws/exchange.ts";
import { refusal } from "./tokens.ts";

const signedFor = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20270115/eu-central-1/${service}/aws4_request, SignedHeaders=host, Signature=00`;

function request(url: string, headers: Record<string, string>, body: string): Exchange {
  const incoming = Object.assign(Readable.from([Buffer.from(body)]), { method: "POST", url, headers });
  return receive(incoming as unknown as IncomingMessage, {} as ServerResponse);
}

describe("an exchange", () => {
  const form = { "content-type": "application/x-www-form-urlencoded", authorization: signedFor("iam") };

  it("is called by its path without the query, until its action is known", async () => {
    const exchange = request("/path?X-Amz-Signature=secret", form, "Action=CreateRole&RoleName=a%20b");
    expect(exchange.label).to.equal("/path");
    const { action, parameters } = await read(exchange);
    expect(exchange.label).to.equal("iam:CreateRole");
    expect(action).to.equal("CreateRole");
    expect(parameters.get("RoleName")).to.equal("a b");
  });

  it("takes a JSON body for no form, and the action from its target", async () => {
    const target = { authorization: signedFor("ecr"), "x-amz-target": "AmazonEC2.DescribeImages" };
    const { action, parameters, body } = await read(request("/", target, '{"Action=x":1}'));
    expect([action, [...parameters], body]).to.deep.equal(["DescribeImages", [], '{"Action=x":1}']);
  });

  it("is not read when it is larger than a mebibyte, or compressed", async () => {
    expect(await refusal(read(request("/", form, "x".repeat(1024 * 1024 + 1))))).to.match(
      /^413 RequestEntityTooLarge/,
    );
    expect(await refusal(read(request("/", { ...form, "content-encoding": "gzip" }, "x")))).to.equal(
      "400 InvalidRequest: Local takes no compressed request to iam.",
    );
  });
});

describe("chain", () => {
  it("has each handler change what the next gets, and what it gave", async () => {
    const answer = chain<number, string>(
      [async (n, next) => `<${await next(n + 1)}>`, async (n, next) => `[${await next(n * 10)}]`],
      async (n) => String(n),
    );
    expect(await answer(1)).to.equal("<[20]>");
  });

  it("stops at the first that answers itself", async () => {
    const answer = chain<number, string>([async () => "refused"], () =>
      Promise.reject(new Error("not reached")),
    );
    expect(await answer(1)).to.equal("refused");
  });
});
