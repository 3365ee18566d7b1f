import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { page } from "../../audit/page.ts";
import { Browser, chromium } from "./chromium.ts";
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

  describe("in Chromium", function () {
    this.timeout("2m");
    let browser: Browser;
    let folder: string;
    const urlOf = (name: string, content: string): string => {
      const file = join(folder, `${name}.html`);
      writeFileSync(file, content);
      return pathToFileURL(file).href;
    };
    const shown = () => browser.evaluate<string>('document.getElementById("shown").textContent');
    const search = (words: string) =>
      browser.evaluate(
        `new Promise((resolve) => {
          const input = document.getElementById("search");
          new MutationObserver(resolve).observe(document.getElementById("shown"), { childList: true });
          input.value = ${JSON.stringify(words)};
          input.dispatchEvent(new Event("input"));
        })`,
      );

    before(async function () {
      if (chromium === undefined) {
        this.skip(); // no browser on this machine
        return;
      }
      folder = mkdtempSync(join(tmpdir(), "eks-irsa-page-"));
      browser = await Browser.open(chromium);
    });
    after(async () => {
      if (chromium === undefined) return;
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    });

    for (const [width, scheme] of [
      [390, "light"],
      [390, "dark"],
      [1280, "light"],
      [1280, "dark"],
    ] as const) {
      it(`fits ${width} px, ${scheme}, and each text has a contrast of 4.5`, async () => {
        await browser.show(urlOf("page", html), width, scheme);
        await browser.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
        expect(
          await browser.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth",
          ),
        ).to.equal(0);
        await browser.evaluate('document.querySelector("button.reach").click()');
        expect(
          await browser.evaluate<boolean>(
            '(({ left, right }) => left >= 0 && right <= innerWidth)(document.getElementById("reach").getBoundingClientRect())',
          ),
        ).to.equal(true);
        expect(await browser.evaluate(lowContrast)).to.deep.equal([]);
      });
    }

    it("searches and filters findings and ServiceAccounts, and says how many are left", async () => {
      await browser.show(urlOf("large", page(audit(world(1000)), "low")), 1280);
      expect(await shown()).to.equal("105 of 105 findings, 1002 of 1002 ServiceAccounts");
      await search("app-77");
      expect(await shown()).to.equal("1 of 105 findings, 11 of 1002 ServiceAccounts");
      expect(await browser.evaluate('document.querySelectorAll("tbody tr:not([hidden])").length')).to.equal(
        11,
      );
      await search("");
      await browser.evaluate(
        'document.getElementById("severity").value = "high"; document.getElementById("severity").dispatchEvent(new Event("change"))',
      );
      expect(await shown()).to.equal("3 of 105 findings, 1 of 1002 ServiceAccounts");
    });

    it("is used by keyboard alone: the reach opens on Enter, closes on Escape, and the focus goes back", async () => {
      await browser.show(urlOf("page", html), 1280);
      const focused = () =>
        browser.evaluate<string>("document.activeElement.textContent || document.activeElement.id");
      await browser.evaluate('document.getElementById("namespace").focus()');
      for (let at = 0; at < 6; at++) await browser.press("Tab");
      expect(await focused()).to.equal("team-a/reader");
      await browser.press("Enter");
      expect(await browser.evaluate('document.getElementById("reach").open')).to.equal(true);
      expect(await browser.evaluate('document.getElementById("reach-title").textContent')).to.equal(
        "Reach of team-a/reader",
      );
      expect(await focused()).to.equal("Close");
      await browser.press("Escape");
      expect(await browser.evaluate('document.getElementById("reach").open')).to.equal(false);
      expect(await focused()).to.equal("team-a/reader");
    });

    it("is a table, a search and labelled controls to a screen reader, wide and narrow", async () => {
      for (const width of [390, 1280]) {
        await browser.show(urlOf("page", html), width);
        const { nodes } = (await browser.send("Accessibility.getFullAXTree")) as {
          nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
        };
        const tree = nodes
          .filter(({ ignored }) => !ignored)
          .map(({ role, name }) => `${role?.value} ${name?.value ?? ""}`);
        const expected = [
          "search Findings and ServiceAccounts",
          "searchbox Search",
          "combobox Severity",
          "combobox Namespace",
          "columnheader May use",
          "rowheader team-a/reader",
          "heading Findings",
        ];
        expect(
          expected.filter((one) => !tree.includes(one)),
          `${width} px`,
        ).to.deep.equal([]);
        expect(tree.filter((one) => one.startsWith("row "))).to.have.length(3);
      }
    });
  });
});

/** Texts of the page whose colour is too near to that behind them. Source: "Contrast ratio", WCAG 2.2. */
const lowContrast = `(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((one) => one / 255).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const low = [];
  for (const element of document.querySelectorAll("main *, dialog *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
    if (!own || !element.checkVisibility()) continue;
    const svg = element.namespaceURI.endsWith("svg");
    const style = getComputedStyle(element);
    const back = svg ? getComputedStyle(element.parentElement.querySelector("rect") ?? element).fill : behind(element);
    const [a, b] = [light(svg ? style.fill : style.color), light(svg && !element.parentElement.querySelector("rect") ? behind(element) : back)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) low.push(element.tagName + " " + element.textContent.slice(0, 40));
  }
  return low;
})()`;
