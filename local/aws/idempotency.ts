import type { Reply } from "./reply.ts";

/** Answers that a request which comes a second time is given again: by then nobody waits for older ones. */
const maxEntries = 1000;

/**
 * Requests that carry a token of the caller's choice, as EKS and EC2 take it: one that comes again, since its answer was
 * lost, does nothing and has the same answer. MiniStack knows no such tokens.
 */
export class Idempotency {
  readonly #answers = new Map<string, Promise<Reply>>();

  /** Carries a request out, or gives the answer that it had. An error counts as no answer. */
  once(what: string, token: unknown, carryOut: () => Promise<Reply>): Promise<Reply> {
    if (typeof token !== "string" || token === "") return carryOut();
    const key = `${what} ${token}`;
    const known = this.#answers.get(key);
    if (known) return known;
    const answer = carryOut();
    this.#answers.set(key, answer);
    const forget = (): boolean => this.#answers.delete(key);
    answer.then((reply) => reply.status < 300 || forget(), forget);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > maxEntries && oldest !== undefined) this.#answers.delete(oldest);
    return answer;
  }
}
