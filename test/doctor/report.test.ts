import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { conclusion, describeLink } from "../../doctor/report.ts";
import { blocksOf } from "../docs.ts";
import { issuer, look } from "./captured.ts";

describe("the doctor's report", () => {
  const first = async (change: Parameters<typeof look>[0], id: string): Promise<string> => {
    const link = (await look(change)).links.find((one) => one.id === id);
    return link ? describeLink(link) : "no such link";
  };

  it("is on docs/doctor.md, as it is", async () => {
    const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "doctor.md"), "utf8");
    const url = issuer.replace("https://", "").replace("eu-central-1", "eu-west-1");
    const arn = `arn:aws:iam::111122223333:oidc-provider/${url}`;
    const oidcProviders = async () => [{ arn, url, audiences: ["sts.amazonaws.com"] }];
    const diagnosis = await look({ iam: { oidcProviders } });
    const lines = diagnosis.links.map((link) => describeLink(link)).join("\n");
    expect(blocksOf(page, "text")).to.deep.equal([`${lines}\n\n${conclusion(diagnosis)}\n`]);
  });

  it("writes a broken link with both values, what mends it, and apart from it what to know and look at", async () => {
    expect(
      await first({ eks: { cluster: async () => undefined } }, "cluster"),
    ).to.equal(`  ✖  The cluster can be reached

     There is no EKS cluster dev in eu-central-1, in the account of these credentials.
     the cluster               dev
     clusters in eu-central-1  dev

     Name one of these clusters, another region, or use the credentials of the cluster's account.

     To see more:
       aws eks list-clusters --region eu-central-1
       aws sts get-caller-identity
`);
    expect(
      await first({ kubernetes: { serviceAccount: async () => undefined } }, "service-account"),
    ).to.contain("     To mend it:\n       kubectl create serviceaccount --namespace team-a reader\n");
  });

  it("says of a link that cannot be told what it would take", async () => {
    expect(await first({ kubernetes: { token: async () => undefined } }, "token")).to.equal(
      "  ?  The token says the right things: cannot tell. These credentials may not create a token.\n       It would take: Rights to create serviceaccounts/token.",
    );
  });

  it("concludes in words that claim no more than was looked at", async () => {
    expect(conclusion(await look())).to.equal(
      "team-a/reader on dev: healthy. Its pods get the role's credentials.",
    );
    expect(conclusion(await look({}, { actions: [] }))).to.contain(
      "What the role may do was not asked (--action).",
    );
    expect(conclusion(await look({ iam: { role: async () => undefined } }))).to.equal(
      'team-a/reader on dev: broken at "The role is there".',
    );
    expect(conclusion(await look({ images: { files: async () => undefined } }))).to.contain(
      'not everything could be looked at: begin at "The image\'s SDK knows web identity".',
    );
  });

  it("folds sentences to the terminal, and leaves values and commands whole", async () => {
    const { links } = await look({
      eks: {
        cluster: async () => {
          throw new Error(
            "User: arn:aws:iam::111122223333:user/me is not authorized to perform: eks:DescribeCluster",
          );
        },
      },
    });
    const lines = links
      .map((link) => describeLink(link, { columns: 80 }))
      .join("\n")
      .split("\n");
    expect(lines.slice(0, 3)).to.deep.equal([
      "  ?  The cluster can be reached: cannot tell. User:",
      "       arn:aws:iam::111122223333:user/me is not authorized to perform:",
      "       eks:DescribeCluster",
    ]);
    expect(lines.filter((line) => line.length > 80)).to.deep.equal([]);
    expect(lines.filter((line) => line.includes("It would take"))).to.have.length(1);
  });
});
