import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { traceLines } from "./buildkit.ts";

/** A line of the stream that dockerd answers builds and pushes with. */
interface Message {
  stream?: string;
  status?: string;
  id?: string;
  progress?: string;
  error?: string;
  errorDetail?: { message?: string };
  /** Text is BuildKit's. */
  aux?: Record<string, unknown> | string;
}

/**
 * Follows a build or a push to its end.
 *
 * @param onLine Called for each line for people.
 * @returns what dockerd gave beside the lines: the image's id, or its digest.
 * @throws Error with the last lines when it failed.
 */
export async function follow(
  stream: NodeJS.ReadableStream,
  onLine: (line: string) => void,
): Promise<Record<string, unknown>> {
  const last: string[] = [];
  const stepsSeen = new Set<string>();
  let result: Record<string, unknown> = {};
  const lines = createInterface({ input: stream as Readable });
  // Its end is what closes BuildKit's session, also where a failure ends the reading.
  lines.once("close", () => stream.resume());
  for await (const text of lines) {
    if (text.trim() === "") continue;
    const message = JSON.parse(text) as Message;
    if (typeof message.aux === "object") result = { ...result, ...message.aux };
    const failure = message.errorDetail?.message ?? message.error;
    if (failure !== undefined) {
      throw new Error(
        last.length > 0 ? `${failure}\n${last.map((line) => `    ${line}`).join("\n")}` : failure,
      );
    }
    const said = typeof message.aux === "string" ? traceLines(message.aux, stepsSeen) : textOf(message);
    for (const line of said.map(withoutEscapes).filter((line) => line !== "" && line !== " --->")) {
      last.push(line);
      if (last.length > 20) last.shift();
      onLine(line);
    }
  }
  return result;
}

// Colours and cursor movements have no place in the engine's log.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what there is to match
const escapes = /\x1b\[[0-9;?]*[A-Za-z]/g;

const withoutEscapes = (line: string): string => line.replace(escapes, "").trimEnd();

/** Lines for people; none for progress bars. */
function textOf({ stream, status, id, progress }: Message): string[] {
  if (progress !== undefined || id === "moby.image.id") return [];
  return (stream ?? [id && `${id}:`, status].filter(Boolean).join(" ")).split("\n");
}
