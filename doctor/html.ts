import type { Diagnosis, LinkReport } from "./chain.ts";
import { conclusion } from "./report.ts";

/** One page that needs nothing else: the chain, each link with its state and the evidence. */
export function page(diagnosis: Diagnosis, when = new Date()): string {
  const { patient, state, links } = diagnosis;
  const title = `${patient.namespace}/${patient.serviceAccount} · IRSA doctor`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>IRSA chain of <code>${text(`${patient.namespace}/${patient.serviceAccount}`)}</code></h1>
<p>Cluster <code>${text(patient.cluster)}</code> in ${text(patient.region)}, looked at <time datetime="${when.toISOString()}">${text(
    when.toISOString().replace("T", " ").slice(0, 19),
  )} UTC</time>.</p>
<p class="conclusion ${state}" role="status">${text(conclusion(diagnosis))}</p>
<ol>
${links.map(item).join("\n")}
</ol>
</main>
</body>
</html>
`;
}

const words: Readonly<Record<LinkReport["finding"]["state"], string>> = {
  holds: "holds",
  broken: "broken",
  unseen: "not seen",
  "not reached": "not reached",
};

function item({ id, title, finding }: LinkReport): string {
  const name = finding.state.replace(" ", "-");
  return `<li id="${text(id)}" class="${name}">
<h2>${text(title)} <span class="state">${words[finding.state]}</span></h2>
${body(finding)}</li>`;
}

function body(finding: LinkReport["finding"]): string {
  switch (finding.state) {
    case "holds":
      return `<ul>${finding.evidence.map((one) => `<li><code>${text(one)}</code></li>`).join("")}</ul>\n`;
    case "unseen":
      return `<p>${text(finding.why)}</p>\n`;
    case "not reached":
      return "";
    case "broken": {
      const { what, disagreement, mend } = finding;
      const values = disagreement
        ? `<dl>${[disagreement.wanted, disagreement.found]
            .map(({ name, value }) => `<dt>${text(name)}</dt><dd><code>${text(value)}</code></dd>`)
            .join("")}</dl>\n`
        : "";
      return `<p>${text(what)}</p>\n${values}<h3>To mend it</h3>\n${mend
        .map((one) => `<pre tabindex="0">${text(one)}</pre>`)
        .join("\n")}\n`;
    }
  }
}

/** Text as the content of an element or of a quoted attribute. */
const text = (value: string): string =>
  value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Every pair of colours has a contrast of at least 4.5 (WCAG 2.2, 1.4.3), and no state is told by its colour alone. */
const style = `
:root { color-scheme: light dark; --line: #c4c8cc; --good: #1a6b2d; --bad: #a8131a; --dim: #5b6167; --back: #fff; --fore: #16191c; --soft: #f2f4f6; }
@media (prefers-color-scheme: dark) { :root { --line: #454b52; --good: #7bd88f; --bad: #ff9a9a; --dim: #a3abb3; --back: #16191c; --fore: #eef0f2; --soft: #22272c; } }
body { overflow-wrap: anywhere; font: 1rem/1.5 system-ui, sans-serif; color: var(--fore); background: var(--back); margin: 0; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0; }
h3 { font-size: .9rem; margin: .75rem 0 .25rem; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--soft); padding: .5rem; border-radius: .3rem; margin: .25rem 0; }
.conclusion { border-inline-start: .3rem solid var(--dim); padding: .4rem .7rem; background: var(--soft); font-weight: 600; }
.conclusion.healthy { border-color: var(--good); }
.conclusion.broken { border-color: var(--bad); }
ol { list-style: none; margin: 1.5rem 0 0; padding: 0; }
ol > li { position: relative; padding: 0 0 1.1rem 2.4rem; }
ol > li::before { content: ""; position: absolute; left: .3rem; top: .2rem; width: .9rem; height: .9rem; border: .18rem solid var(--dim); border-radius: .6rem; background: var(--back); }
ol > li:not(:last-child)::after { content: ""; position: absolute; left: .85rem; top: 1.5rem; bottom: -.1rem; border-inline-start: .18rem solid var(--line); }
ol > li.holds::before { border-color: var(--good); background: var(--good); }
ol > li.holds:not(:last-child)::after { border-color: var(--good); }
ol > li.broken::before { border-color: var(--bad); background: var(--bad); border-radius: .1rem; transform: rotate(45deg); }
ol > li.broken::after, ol > li.not-reached::after, ol > li.unseen::after { border-inline-start-style: dashed !important; }
.state { font-weight: 400; font-size: .85rem; color: var(--dim); }
.holds .state { color: var(--good); }
.broken .state { color: var(--bad); font-weight: 700; }
.not-reached h2 { color: var(--dim); }
ul { margin: .1rem 0; padding: 0; list-style: none; color: var(--dim); }
dl { margin: .5rem 0; }
dt { font-size: .85rem; color: var(--dim); }
dd { margin: 0 0 .4rem; }
`;
