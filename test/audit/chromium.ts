import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

// A page as a browser has it: headless Chromium, asked in its own protocol, where the machine has one.

/** The browser's command; undefined where there is none. */
export const chromium: string | undefined = ["chromium", "chromium-browser", "google-chrome"].find(
  (name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0,
);

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export class Browser {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #events = new Map<string, () => void>();
  #last = 0;
  #session: string | undefined;

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
      else if (answer.method !== undefined) this.#events.get(answer.method)?.();
    });
  }

  static async open(command: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), "eks-irsa-chromium-"));
    const process = spawn(
      command,
      [
        "--headless=new",
        "--no-sandbox", // which root, as in CI's containers, does not have
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--remote-debugging-port=0",
        `--user-data-dir=${profile}`,
        "about:blank",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const url = await new Promise<string>((resolve, reject) => {
      process.once("exit", (code) => reject(new Error(`Chromium ended with ${code}.`)));
      createInterface({ input: process.stderr as NodeJS.ReadableStream }).on("line", (line) => {
        const found = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    const socket = new WebSocket(url);
    await once(socket, "open");
    const browser = new Browser(process, profile, socket);
    const { targetId } = (await browser.send("Target.createTarget", { url: "about:blank" })) as {
      targetId: string;
    };
    const { sessionId } = (await browser.send("Target.attachToTarget", { targetId, flatten: true })) as {
      sessionId: string;
    };
    browser.#session = sessionId;
    await browser.send("Page.enable");
    return browser;
  }

  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(
      JSON.stringify({ id, method, params, ...(this.#session && { sessionId: this.#session }) }),
    );
    const { result = {}, error } = await answered;
    this.#waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Shows a page of a file in a window so wide, in light or dark. */
  async show(url: string, width: number, scheme: "light" | "dark" = "light"): Promise<void> {
    const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: width < 500 };
    await this.send("Emulation.setDeviceMetricsOverride", metrics);
    await this.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
    const loaded = new Promise<void>((resolve) => this.#events.set("Page.loadEventFired", resolve));
    await this.send("Page.navigate", { url });
    await loaded;
  }

  /** What an expression comes to in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? "The page threw.");
    return result.value;
  }

  /** Presses a key, as a person does. */
  async press(key: "Tab" | "Enter" | "Escape"): Promise<void> {
    const windowsVirtualKeyCode = { Tab: 9, Enter: 13, Escape: 27 }[key];
    const event = { key, code: key, windowsVirtualKeyCode, ...(key === "Enter" && { text: "\r" }) };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  async close(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#session = undefined;
    this.send("Browser.close").catch(() => undefined);
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
