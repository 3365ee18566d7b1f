import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { page } from "../../audit/page.ts";
import { Browser, chromium, views } from "../../testing/browser.ts";
import { account, allow, annotation, arnOf, cleanWorld, document, pod, role, type World } from "./clean.ts";
import { faults } from "./faults.ts";

/** A cluster with some of the planted faults, and more ServiceAccounts. */
function world(more = 0): World {
  const made = cleanWorld();
  for (const kind of [
    "key-in-secret",
    "node-hop-limit",
    "escalation-pass-role",
    "trust-whole-account",
    "role-unused",
  ]) {
    faults.find((one) => one.kind === kind)?.plant(made);
  }
  for (let at = 0; at < more; at++) {
    const name = `app-${at}`;
    made.serviceAccounts.push(account(name, { [annotation]: arnOf(name) }));
    made.pods.push(pod(name));
    made.roles.push(
      role(name, at % 10 === 0 ? { inline: [{ name: "own", document: document(allow("s3:*")) }] } : {}),
    );
  }
  return made;
}

describe("the audit's page", () => {
  const html = page(audit(world()), "low");

  it("has every finding and every ServiceAccount, findings first, and needs no other file", () => {
    expect(html.match(/<li class="(critical|high|medium|low)"/g)).to.have.length(5);
    expect(html.match(/<th role="rowheader"/g)).to.have.length(2);
    expect(html.indexOf('id="findings"')).to.be.below(html.indexOf('id="accounts"'));
    expect(html).not.to.match(/(src|href)=/);
  });

  it("has nothing in it that is markup", () => {
    const evil = '"><img src=x onerror=alert(1)>';
    const made = world();
    made.serviceAccounts.push(account(evil, { [annotation]: evil }));
    made.unseen.push({ what: evil, why: evil, takes: evil });
    expect(page(audit(made), "low"))
      .not.to.contain(evil)
      .and.not.to.contain("<img");
  });

  it("names for a screen reader what the picture shows", () => {
    expect(html).to.contain(
      'role="img" aria-label="Reach of team-a/reader. arn:aws:iam::111122223333:role/reader (IRSA): iam, lambda; sensitive: iam:PassRole"',
    );
  });

  it("says so where there is nothing", () => {
    const clean = page(
      audit({ ...cleanWorld(), serviceAccounts: [], associations: [], pods: [], roles: [], providers: [] }),
      "low",
    );
    expect(clean.match(/<p>None\.<\/p>/g)).to.have.length(2);
  });

  describe("in a browser", () => {
    const wide = { width: 1280, scheme: "light" } as const;
    let browser: Browser;
    const textOf = (id: string) => browser.evaluate(`document.getElementById("${id}").textContent`);
    const isOpen = () => browser.evaluate('document.getElementById("reach").open');
    const focused = () => browser.evaluate("document.activeElement.textContent");
    /** Types into the search, and waits for what it says. */
    const search = (words: string) =>
      browser.evaluate(
        `new Promise((resolve) => {
          const input = document.getElementById("search");
          new MutationObserver(() => resolve()).observe(document.getElementById("shown"), { childList: true });
          input.value = ${JSON.stringify(words)};
          input.dispatchEvent(new Event("input"));
        })`,
      );

    before(async function () {
      if (chromium === undefined) this.skip();
      browser = await Browser.start();
    });
    after(() => browser?.close());

    for (const view of views) {
      it(`has nothing that axe-core finds, and no line wider than the screen: ${view.width} px, ${view.scheme}`, async () => {
        await browser.show(html, view);
        await browser.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
        expect(await browser.faults()).to.deep.equal([]);
        await browser.evaluate('document.querySelector("button.reach").click()');
        expect(await browser.faults(), "the reach").to.deep.equal([]);
      });
    }

    it("searches and filters findings and ServiceAccounts, and says how many are left", async () => {
      await browser.show(page(audit(world(1000)), "low"), wide);
      expect(await textOf("shown")).to.equal("105 of 105 findings, 1002 of 1002 ServiceAccounts");
      await search("app-77");
      expect(await textOf("shown")).to.equal("1 of 105 findings, 11 of 1002 ServiceAccounts");
      expect(await browser.evaluate('document.querySelectorAll("tbody tr:not([hidden])").length')).to.equal(
        11,
      );
      await search("");
      await browser.evaluate(
        'document.getElementById("severity").value = "high"; document.getElementById("severity").dispatchEvent(new Event("change"))',
      );
      expect(await textOf("shown")).to.equal("3 of 105 findings, 1 of 1002 ServiceAccounts");
    });

    it("is used by keyboard alone: the reach opens on Enter, closes on Escape, and the focus goes back", async () => {
      await browser.show(html, wide);
      await browser.evaluate('document.getElementById("namespace").focus()');
      for (let at = 0; at < 6; at++) await browser.press("Tab"); // past the five findings
      expect(await focused()).to.equal("team-a/reader");
      await browser.press("Enter");
      expect(await isOpen()).to.equal(true);
      expect(await textOf("reach-title")).to.equal("Reach of team-a/reader");
      expect(await focused()).to.equal("Close");
      await browser.press("Escape");
      expect(await isOpen()).to.equal(false);
      expect(await focused()).to.equal("team-a/reader");
    });
  });
});
