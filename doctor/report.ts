import type { Diagnosis, LinkReport } from "./chain.ts";

const marks: Readonly<Record<LinkReport["finding"]["state"], string>> = {
  holds: "✔",
  broken: "✖",
  unseen: "?",
  "not reached": "·",
};

/** A link as a person reads it, in one line or, where it is broken, in several. */
export function describeLink({ title, finding }: LinkReport): string {
  const line = `  ${marks[finding.state]}  ${title}`;
  switch (finding.state) {
    case "holds":
      return `${line}${finding.evidence.map((one) => `\n       ${one}`).join("")}`;
    case "unseen":
      return `${line}: not seen. ${finding.why}`;
    case "not reached":
      return line;
    case "broken": {
      const { disagreement, what, mend } = finding;
      const width = Math.max(disagreement?.wanted.name.length ?? 0, disagreement?.found.name.length ?? 0);
      const values = disagreement
        ? [disagreement.wanted, disagreement.found].map(
            ({ name, value }) => `     ${name.padEnd(width)}  ${value}`,
          )
        : [];
      return [
        line,
        "",
        `     ${what}`,
        ...values,
        "",
        "     To mend it:",
        ...mend.map((one) => `       ${one}`),
        "",
      ].join("\n");
    }
  }
}

/** The outcome in one sentence. */
export function conclusion({ patient, state, links }: Diagnosis): string {
  const who = `${patient.namespace}/${patient.serviceAccount} on ${patient.cluster}`;
  if (state === "healthy") return `${who}: healthy. Its pods get the role's credentials.`;
  const first = links.find(({ finding }) => finding.state === (state === "broken" ? "broken" : "unseen"));
  return state === "broken"
    ? `${who}: broken at "${first?.title}".`
    : `${who}: nothing broken was seen, but not everything could be looked at ("${first?.title}").`;
}
