import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made: string[] = [];

/**
 * A folder for the files of a stack that is opened without one: its settings, among them what is secret, encrypted. It is
 * gone when this process ends; the one that the SDK would make stays.
 */
export function scratchFolder(): string {
  if (made.length === 0) {
    process.once("exit", () => {
      for (const folder of made) rmSync(folder, { recursive: true, force: true });
    });
  }
  const folder = mkdtempSync(join(tmpdir(), "eks-irsa-stack-"));
  made.push(folder);
  return folder;
}
