import { randomInt } from "node:crypto";

/** How many cases of each family are tried: the whole number, or with `FAULTS=short` what fits in a CI run. */
export const count = (whole: number, short: number): number =>
  process.env.FAULTS === "short" ? short : whole;

/** What the cases are generated from; the same seed gives the same cases. */
export const seed = process.env.SEED === undefined ? randomInt(2 ** 31) : Number(process.env.SEED);

/** How many were tried, and how many held, by family. */
export class Tally {
  readonly #families = new Map<string, { tried: number; held: number }>();

  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }

  /** Notes a case, or so many of a kind. */
  note(family: string, held: boolean, cases = 1): void {
    const entry = this.#families.get(family) ?? { tried: 0, held: 0 };
    entry.tried += cases;
    if (held) entry.held += cases;
    this.#families.set(family, entry);
  }

  get tried(): number {
    return [...this.#families.values()].reduce((sum, { tried }) => sum + tried, 0);
  }

  /** Prints the families, and the sum. */
  print(): void {
    for (const [family, { tried, held }] of this.#families) {
      console.log(
        `      ${family.padEnd(56)} ${String(tried).padStart(6)} tried ${String(held).padStart(6)} held`,
      );
    }
    const held = [...this.#families.values()].reduce((sum, one) => sum + one.held, 0);
    console.log(`      ${this.what}: ${this.tried} tried, ${held} held (SEED=${seed})`);
  }
}
