import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { descendants } from "../../bench/measure.ts";
import { seed } from "./tally.ts";

// The engine's process, for tests that kill it, and when.

export type Operation = "up" | "destroy";

/** The engine's process that runs an operation below this process; undefined while there is none. */
export const engine = (operation: Operation): number | undefined =>
  descendants(process.pid).find((pid) => {
    try {
      const [program = "", verb] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return program.split("/").at(-1) === "pulumi" && verb === operation;
    } catch {
      return false; // it has ended
    }
  });

/** A number from 0 to 1 that the seed and a name decide. */
export const random = (name: string): number =>
  createHash("sha256").update(`${seed}:${name}`).digest().readUInt32BE(0) / 2 ** 32;
