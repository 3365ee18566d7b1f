import type { Disagreement, Finding, LinkReport } from "./chain.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { conclusion, words } from "./report.ts";

const mechanisms: Readonly<Record<Diagnosis["chain"], string>> = {
  irsa: "IRSA",
  "pod-identity": "EKS Pod Identity",
};

/** One page that needs nothing else: the chain, each link with its state and the evidence. */
export function page(diagnosis: Diagnosis, when = new Date()): string {
  const { patient, chain, state, links } = diagnosis;
  const name = `${patient.namespace}/${patient.serviceAccount}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(`${name} · ${mechanisms[chain]} doctor`)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${mechanisms[chain]} chain of <code>${value(name)}</code></h1>
<p>Cluster <code>${value(patient.cluster)}</code> in <span class="part">${text(patient.region)}</span>, looked at <time datetime="${when.toISOString()}">${text(
    when.toISOString().replace("T", " ").slice(0, 19),
  )} UTC</time>.</p>
<p class="conclusion ${state}">${text(conclusion(diagnosis))}</p>
<ol role="list">
${links.map(item).join("\n")}
</ol>
</main>
<script>${script}</script>
</body>
</html>
`;
}

function item({ id, title, finding }: LinkReport): string {
  const name = finding.state.replace(" ", "-");
  return `<li id="${text(id)}" class="${name}">
<h2>${text(title)} <span class="state">${words[finding.state]}</span></h2>
${body(finding)}</li>`;
}

function body(finding: Finding): string {
  switch (finding.state) {
    case "holds":
      return evidenceList(finding.evidence);
    case "unseen":
      return finding.restsOn === undefined
        ? `<p>${prose(finding.why)}</p>\n<h3>It would take</h3>\n<p>${prose(finding.takes)}</p>\n`
        : `<p>${prose(finding.why)}</p>\n`;
    case "not reached":
      return "";
    case "broken": {
      const { what, disagreement, mend, advice = [], look = [], evidence = [] } = finding;
      const sentences = advice.map((one) => `<p>${prose(one)}</p>\n`).join("");
      return `${evidenceList(evidence)}<p>${prose(what)}</p>\n${disagreement ? values(disagreement) : ""}${
        mend.length + advice.length > 0 ? "<h3>To mend it</h3>\n" : ""
      }${commands(mend)}${sentences}${look.length > 0 ? `<h3>To see more</h3>\n${commands(look)}` : ""}`;
    }
  }
}

const evidenceList = (evidence: readonly string[]): string =>
  evidence.length === 0
    ? ""
    : `<ul role="list">${evidence.map((one) => `<li><code>${value(one)}</code></li>`).join("")}</ul>\n`;

const values = ({ wanted, found }: Disagreement): string =>
  `<dl>${[wanted, found]
    .map((one) => `<dt>${text(one.name)}</dt><dd><code>${value(one.value)}</code></dd>`)
    .join("")}</dl>\n`;

/** Commands, each in a box to paste from. The button is made by the script: without it, it would do nothing. */
const commands = (list: readonly string[]): string =>
  list
    .map((one) => `<div class="command"><pre tabindex="0"><code>${text(one)}</code></pre></div>\n`)
    .join("");

/** Text as the content of an element or of a quoted attribute. */
const text = (value: string): string =>
  value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A value that is too long for a phone's line breaks between the parts of an ARN or path, not at its hyphens. */
const value = (whole: string): string =>
  whole
    .split(/(?<=[:/,=])(?! )|(?<= )/)
    .map((part) => `<span class="part">${text(part)}</span>`)
    .join("");

/** A sentence, in which an ARN or a URL breaks between its parts as well. */
const prose = (sentence: string): string =>
  sentence
    .split(" ")
    .map((word) => (word.length > 24 ? value(word) : text(word)))
    .join(" ");

/** A button beside each command that copies it, and says so to a screen reader too. */
const script = `
for (const box of document.querySelectorAll(".command")) {
  const button = document.createElement("button");
  const said = document.createElement("span");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the command");
  said.className = "said";
  said.setAttribute("role", "status");
  const command = box.querySelector("code").textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command);
      said.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(box.querySelector("code"));
      said.textContent = "Selected: copy it by keyboard";
    }
  });
  box.append(button, said);
}
`;

/** Every pair of colours has a contrast of at least 4.5 (WCAG 2.2, 1.4.3), and no state is told by its colour alone. */
const style = `
:root { color-scheme: light dark; --line: #c4c8cc; --good: #1a6b2d; --bad: #a8131a; --unsure: #7a4b00; --dim: #5b6167; --back: #fff; --fore: #16191c; --soft: #f2f4f6; --good-soft: #e3f3e6; --bad-soft: #fde8e8; --unsure-soft: #fdf1dc; }
@media (prefers-color-scheme: dark) { :root { --line: #454b52; --good: #7bd88f; --bad: #ff9a9a; --unsure: #ffc978; --dim: #a3abb3; --back: #16191c; --fore: #eef0f2; --soft: #22272c; --good-soft: #14301b; --bad-soft: #3d1619; --unsure-soft: #38290f; } }
body { overflow-wrap: anywhere; font: 1rem/1.5 system-ui, sans-serif; color: var(--fore); background: var(--back); margin: 0; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; }
h2 { font-size: 1rem; margin: 0; }
h3 { font-size: .9rem; margin: .75rem 0 .25rem; }
p { margin: .3rem 0; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; }
h1 code { font-size: 1.2rem; }
time { white-space: nowrap; }
.part { display: inline-block; max-width: 100%; white-space: pre-wrap; }
.command { display: flex; flex-wrap: wrap; align-items: start; gap: .5rem; margin: .25rem 0; }
.command pre { flex: 1 1 16rem; min-width: 0; overflow-x: auto; white-space: pre; background: var(--soft); padding: .5rem; border-radius: .3rem; margin: 0; }
.command button { font: inherit; font-size: .85rem; padding: .4rem .7rem; min-height: 2.25rem; color: var(--fore); background: var(--back); border: 1px solid var(--dim); border-radius: .3rem; cursor: pointer; }
.said { flex-basis: 100%; font-size: .85rem; color: var(--dim); }
.said:empty { display: none; }
.conclusion { margin: 1rem 0; border-inline-start: .3rem solid var(--dim); padding: .5rem .7rem; background: var(--soft); font-weight: 600; }
.conclusion.healthy { border-color: var(--good); background: var(--good-soft); color: var(--good); }
.conclusion.broken { border-color: var(--bad); background: var(--bad-soft); color: var(--bad); }
.conclusion.unseen { border-color: var(--unsure); background: var(--unsure-soft); color: var(--unsure); }
ol { list-style: none; margin: 1.5rem 0 0; padding: 0; }
ol > li { position: relative; padding: 0 0 1.1rem 2.4rem; }
ol > li::before { content: ""; position: absolute; left: .3rem; top: .2rem; width: .9rem; height: .9rem; border: .18rem solid var(--dim); border-radius: .6rem; background: var(--back); }
ol > li:not(:last-child)::after { content: ""; position: absolute; left: .85rem; top: 1.5rem; bottom: -.1rem; border-inline-start: .18rem solid var(--line); }
ol > li.holds::before { border-color: var(--good); background: var(--good); }
ol > li.holds:not(:last-child)::after { border-color: var(--good); }
ol > li.broken::before { border-color: var(--bad); background: var(--bad); border-radius: .1rem; transform: rotate(45deg); }
ol > li.unseen::before { border-color: var(--unsure); border-style: dashed; }
ol > li.broken::after, ol > li.not-reached::after, ol > li.unseen::after { border-inline-start-style: dashed !important; }
.state { white-space: nowrap; font-weight: 400; font-size: .85rem; color: var(--dim); }
.holds .state { color: var(--good); }
.unseen .state { color: var(--unsure); font-weight: 700; }
.broken .state { color: var(--bad); font-weight: 700; }
.not-reached h2 { color: var(--dim); }
ul { margin: .1rem 0; padding: 0; list-style: none; color: var(--dim); }
dl { margin: .5rem 0; }
dt { font-size: .85rem; color: var(--dim); }
dd { margin: 0 0 .4rem; }
`;
