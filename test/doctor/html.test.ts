import { expect } from "chai";
import { page } from "../../doctor/html.ts";
import { look } from "./captured.ts";

describe("the doctor's page", () => {
  const when = new Date("2026-11-24T10:00:00Z");
  const missing = { kubernetes: { serviceAccount: async () => undefined } };

  it("has a state in words for each link, and nothing in it that is markup", async () => {
    const evil = '<script>alert("x")</script>';
    const annotations = { "eks.amazonaws.com/role-arn": evil };
    const diagnosis = await look({ kubernetes: { serviceAccount: async () => ({ annotations }) } });
    const html = page(diagnosis, when);
    expect(html).not.to.contain(evil);
    expect(html.match(/<li id=/g)).to.have.length(diagnosis.links.length);
    expect(html.match(/<span class="state">broken<\/span>/g)).to.have.length(1);
    expect(html.match(/<span class="state">not reached<\/span>/g)).to.have.length(12);
    expect(html).to.match(/^<!doctype html>\n<html lang="en">/);
    expect(html).not.to.match(/https?:\/\/[^\s<]*\.(js|css|woff)/);
  });

  it("has only commands in boxes to copy from, and sentences as sentences", async () => {
    const html = page(await look({ eks: { cluster: async () => undefined } }), when);
    expect([...html.matchAll(/<pre[^>]*><code>(.*?)<\/code>/g)].map(([, one]) => one)).to.deep.equal([
      "aws eks list-clusters --region eu-central-1",
      "aws sts get-caller-identity",
    ]);
    expect(html).to.contain("<p>Name one of these clusters, another region,");
    expect(html).to.contain('"Copy the command"');
  });

  it("keeps the meaning of lists without marks, and announces nothing that does not change", async () => {
    const html = page(await look(missing), when);
    const [body = ""] = /<body>.*<\/main>/s.exec(html) ?? [];
    expect(body.match(/<[ou]l(?! role="list")/g)).to.equal(null);
    expect(body).not.to.contain('role="status"');
  });

  it("tells the conclusion by more than its border", async () => {
    const html = page(await look(missing), when);
    expect(html).to.contain('<p class="conclusion broken">');
    expect(html).to.match(/\.conclusion\.broken \{[^}]*background: [^}]*color: /);
  });

  it("lets an ARN break between its parts only", async () => {
    const html = page(await look({ iam: { role: async () => undefined } }), when);
    expect(html).to.contain('<span class="part">oidc.eks.eu-central-1.amazonaws.com/</span>');
    expect(html).to.match(/\.state \{ white-space: nowrap/);
  });

  it("says what it would take to tell", async () => {
    const html = page(await look({ kubernetes: { token: async () => undefined } }), when);
    expect(html).to.contain("<h3>It would take</h3>\n<p>Rights to create serviceaccounts/token.</p>");
  });
});
