import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

// A headless Chromium, spoken to by its own protocol (https://chromedevtools.github.io/devtools-protocol): the little that is
// needed to look at a page as a person's browser shows it, and to have axe-core judge it.

/** The Chromium of this machine; undefined where there is none. */
export const chromium = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** How a person looks at a page. */
export interface View {
  /** Width in CSS pixels: a phone's 390, a desk's 1280. */
  readonly width: number;
  readonly scheme: "light" | "dark";
  /** Least height of a picture. Default 800. */
  readonly height?: number;
}

export const views: readonly View[] = [390, 1280].flatMap((width) =>
  (["light", "dark"] as const).map((scheme) => ({ width, scheme })),
);

type Answer = Record<string, unknown>;

export class Browser {
  readonly #process: ChildProcess;
  readonly #socket: WebSocket;
  readonly #folder: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #loaded = Promise.withResolvers<void>();
  #session = "";
  #width = 0;
  #last = 0;

  private constructor(process: ChildProcess, socket: WebSocket, folder: string) {
    this.#process = process;
    this.#socket = socket;
    this.#folder = folder;
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(String(data))));
  }

  /** @throws Error when there is no Chromium, or it does not start. */
  static async start(): Promise<Browser> {
    if (chromium === undefined) throw new Error("There is no Chromium on the search path.");
    const folder = mkdtempSync(join(tmpdir(), "eks-irsa-browser-"));
    // Its sandbox does not work for root; what it is shown here is our own.
    const options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"];
    const place = ["--remote-debugging-port=0", `--user-data-dir=${join(folder, "profile")}`];
    const child = spawn(chromium, [...options, ...place, "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const address = await new Promise<string>((resolve, reject) => {
      let said = "";
      child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
        const [, url] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
        if (url !== undefined) resolve(url);
      });
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`${chromium} has ended: ${said}`)));
    });
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error(`${address} cannot be reached.`)));
    });
    const browser = new Browser(child, socket, folder);
    const { targetId } = await browser.#send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.#send("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = String(sessionId);
    await browser.#send("Page.enable");
    return browser;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Shows a page. */
  async open(url: string, { width, scheme, height = 800 }: View): Promise<void> {
    this.#width = width;
    const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
    await this.#send("Emulation.setDeviceMetricsOverride", metrics);
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#send("Emulation.setEmulatedMedia", { features });
    this.#loaded = Promise.withResolvers();
    await this.#send("Page.navigate", { url });
    await this.#loaded.promise;
  }

  /** Shows a page that is given as text. */
  async show(html: string, view: View): Promise<void> {
    const file = join(this.#folder, "page.html");
    writeFileSync(file, html);
    await this.open(pathToFileURL(file).href, view);
  }

  /** What an expression in the page comes to, a promise's value too; as JSON. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value?: unknown }).value;
  }

  /** What is wrong with the page that is shown: what axe-core finds, and a width that a person must scroll. */
  async faults(): Promise<string[]> {
    await this.evaluate(axe);
    const found = (await this.evaluate(
      "axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)].join(' ')))",
    )) as string[];
    // Not `innerWidth`: a phone zooms out of what is too wide.
    const width = Number(await this.evaluate("document.documentElement.scrollWidth"));
    return width > this.#width ? [...found, `it is ${width} pixels wide`] : found;
  }

  /** Presses a key, as a person does. */
  async press(key: "Tab" | "Enter" | "Escape"): Promise<void> {
    const windowsVirtualKeyCode = { Tab: 9, Enter: 13, Escape: 27 }[key];
    const event = { key, code: key, windowsVirtualKeyCode, ...(key === "Enter" && { text: "\r" }) };
    await this.#send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** The whole page as PNG. */
  async picture(): Promise<Buffer> {
    const { data } = await this.#send("Page.captureScreenshot", { captureBeyondViewport: true });
    return Buffer.from(String(data), "base64");
  }

  #send(method: string, params: object = {}): Promise<Answer> {
    const id = ++this.#last;
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(id, answer);
    const sessionId = this.#session === "" ? undefined : this.#session;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return answer.promise;
  }

  #receive(message: { id?: number; method?: string; result?: Answer; error?: { message: string } }): void {
    if (message.method === "Page.loadEventFired") this.#loaded.resolve();
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id);
    if (waiting === undefined || message.id === undefined) return;
    this.#waiting.delete(message.id);
    if (message.error) waiting.reject(new Error(message.error.message));
    else waiting.resolve(message.result ?? {});
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
