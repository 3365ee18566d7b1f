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

/** How a mark is shown: in a colour where there is a terminal. */
type Paint = (state: Finding["state"], mark: string) => string;

/** A link as a person reads it, in one line or, where it is broken, in several. */
export function describeLink({ title, finding }: LinkReport, paint: Paint = (_, mark) => mark): string {
  const line = `  ${paint(finding.state, marks[finding.state])}  ${title}`;
  switch (finding.state) {
    case "holds":
      return `${line}${finding.evidence.map((one) => `\n       ${one}`).join("")}`;
    case "unseen":
      return `${line}: cannot tell. ${finding.why}\n       It would take: ${finding.takes}`;
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
        `     ${what}`,
        ...values.map(({ name, value }) => `     ${name.padEnd(width)}  ${value}`),
        ...commands("To mend it:", mend),
        ...(advice.length > 0 ? ["", ...advice.map((one) => `     ${one}`)] : []),
        ...commands("To see more:", look),
        "",
      ].join("\n");
    }
  }
}

/** The outcome in one or two sentences. */
export function conclusion({ patient, state, links }: Diagnosis): string {
  const who = `${patient.namespace}/${patient.serviceAccount} on ${patient.cluster}`;
  const titles = (wanted: Finding["state"]): string =>
    links
      .filter(({ finding }) => finding.state === wanted)
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
      return `${who}: nothing broken was seen, but not everything could be looked at (${titles("unseen")}).`;
  }
}
