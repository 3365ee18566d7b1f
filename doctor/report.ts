import { folded } from "../terminal.ts";
import type { Finding, LinkReport } from "./chain.ts";
import type { Diagnosis } from "./diagnosis.ts";

/** What a state is called where people read it. */
export const words: Readonly<Record<Finding["state"], string>> = {
  holds: "holds",
  broken: "broken",
  unseen: "cannot tell",
  "not reached": "not reached",
};

const marks: Readonly<Record<Finding["state"], string>> = {
  holds: "✔",
  broken: "✖",
  unseen: "?",
  "not reached": "·",
};

interface Look {
  /** How a mark is shown: in a colour where there is a terminal. */
  readonly paint?: (state: Finding["state"], mark: string) => string;
  /** Columns that sentences are folded to; commands and values stay as they are, to be copied. */
  readonly columns?: number;
}

/** A link as a person reads it, in one line or, where it is broken, in several. */
export function describeLink(
  { title, finding }: LinkReport,
  { paint = (_, mark) => mark, columns = Number.POSITIVE_INFINITY }: Look = {},
): string {
  const sentence = (text: string, margin: string): string =>
    folded(text, columns - margin.length)
      .map((one) => `${margin}${one}`)
      .join("\n");
  const mark = paint(finding.state, marks[finding.state]);
  const line = `  ${mark}  ${title}`;
  switch (finding.state) {
    case "holds":
      return `${line}${finding.evidence.map((one) => `\n       ${one}`).join("")}`;
    case "unseen":
      return [
        `  ${mark}  ${sentence(`${title}: cannot tell. ${finding.why}`, "       ").trimStart()}`,
        ...(finding.restsOn === undefined ? [sentence(`It would take: ${finding.takes}`, "       ")] : []),
      ].join("\n");
    case "not reached":
      return line;
    case "broken": {
      const { disagreement, what, mend, advice = [], look = [], evidence = [] } = finding;
      const values = disagreement ? [disagreement.wanted, disagreement.found] : [];
      const width = Math.max(...values.map(({ name }) => name.length));
      const commands = (title: string, list: readonly string[]): string[] =>
        list.length === 0 ? [] : ["", `     ${title}`, ...list.map((one) => `       ${one}`)];
      return [
        line,
        ...evidence.map((one) => `       ${one}`),
        "",
        sentence(what, "     "),
        ...values.map(({ name, value }) => `     ${name.padEnd(width)}  ${value}`),
        ...commands("To mend it:", mend),
        ...(advice.length > 0 ? ["", ...advice.map((one) => sentence(one, "     "))] : []),
        ...commands("To see more:", look),
        "",
      ].join("\n");
    }
  }
}

/** The outcome in one or two sentences. */
export function conclusion({ patient, state, links }: Diagnosis): string {
  const who = `${patient.namespace}/${patient.serviceAccount} on ${patient.cluster}`;
  // What only rests on another link is none to begin with.
  const titles = (wanted: Finding["state"]): string =>
    links
      .filter(({ finding }) => finding.state === wanted && !("restsOn" in finding && finding.restsOn))
      .map(({ title }) => `"${title}"`)
      .join(", ");
  switch (state) {
    case "healthy":
      return `${who}: healthy. Its pods get the role's credentials.${
        patient.actions.length > 0 ? "" : " What the role may do was not asked (--action)."
      }`;
    case "broken":
      return `${who}: broken at ${titles("broken")}.`;
    case "unseen":
      return `${who}: nothing broken was seen, but not everything could be looked at: begin at ${titles("unseen")}.`;
  }
}
