import { expect } from "chai";
import { page } from "../../doctor/html.ts";
import { Browser, chromium, views } from "../../testing/browser.ts";
import { look } from "./captured.ts";

// The doctor's page in a browser, as on a phone and on a desk, light and dark.

describe("the doctor's page in a browser", () => {
  let browser: Browser;
  before(async function () {
    if (chromium === undefined) this.skip();
    browser = await Browser.start();
  });
  after(() => browser?.close());

  const states = {
    healthy: {},
    "broken, with a mend": { kubernetes: { serviceAccount: async () => undefined } },
    "broken, with two values": { iam: { role: async () => undefined } },
    "broken, with sentences": { eks: { cluster: async () => undefined } },
    unseen: { kubernetes: { token: async () => undefined } },
  };

  for (const [state, world] of Object.entries(states)) {
    for (const view of views) {
      it(`has nothing that axe-core finds, and no line wider than the screen: ${state}, ${view.width} px, ${view.scheme}`, async () => {
        await browser.show(page(await look(world), new Date("2026-11-24T10:00:00Z")), view);
        expect(await browser.faults()).to.deep.equal([]);
      });
    }
  }

  it("breaks neither a state nor a date, and an ARN between its parts only, on a phone", async () => {
    await browser.show(page(await look({ iam: { role: async () => undefined } })), {
      width: 390,
      scheme: "light",
    });
    const broken = await browser.evaluate(
      `[...document.querySelectorAll(".state, time, .part")].filter((one) => one.innerText.trim().length < 40 && one.getClientRects().length > 1).map((one) => one.innerText)`,
    );
    expect(broken).to.deep.equal([]);
  });

  it("copies a command by its button, and says so", async () => {
    await browser.show(page(await look({ kubernetes: { serviceAccount: async () => undefined } })), {
      width: 1280,
      scheme: "light",
    });
    const [copied, said] = (await browser.evaluate(`(async () => {
      const texts = [];
      Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => void texts.push(text) } });
      const box = document.querySelector(".command");
      box.querySelector("button").click();
      while (box.querySelector("[role=status]").textContent === "") await new Promise((resolve) => setTimeout(resolve, 5));
      return [texts[0], box.querySelector("[role=status]").textContent];
    })()`)) as string[];
    expect(copied).to.match(/^kubectl create serviceaccount --namespace /);
    expect(said).to.equal("Copied");
  });

  it("would be found with a fault", async () => {
    const page = `<!doctype html><html lang="en"><title>x</title><main><h1 style="color: #aaa">pale</h1><p style="width: 999px">wide</p></main>`;
    await browser.show(page, { width: 390, scheme: "light" });
    expect((await browser.faults()).join("\n"))
      .to.match(/color-contrast/)
      .and.match(/it is \d+ pixels wide/);
  });
});
