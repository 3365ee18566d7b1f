import type { Control } from "./test-control.ts";

/**
 * How long pods' sessions live at most, where a test wants to see them expire: 15 minutes are the least that AWS gives. They
 * are as long as their expiration says, and MiniStack refuses them then.
 */
export class SessionLimit implements Control {
  #seconds: number | undefined;

  get(): number | undefined {
    return this.#seconds;
  }

  /** @throws Error for what is no number of seconds. */
  set(seconds: unknown): void {
    if (seconds !== undefined && (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds < 1))
      throw new Error(`A session lives ${JSON.stringify(seconds)}; it must be a whole number of seconds.`);
    this.#seconds = seconds;
  }

  /**
   * How long one lives that was asked for with so many seconds.
   *
   * @param least what whoever gets it takes for too short
   */
  readonly of = (asked: number, least = 1): number =>
    Math.min(asked, Math.max(least, this.#seconds ?? asked));
}
