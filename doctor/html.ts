import type { Disagreement, Finding, LinkReport } from "./chain.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { commands, copyScript, document, moment, prose, text, value } from "./page-parts.ts";
import { conclusion, words } from "./report.ts";

const mechanisms: Readonly<Record<Diagnosis["chain"], string>> = {
  irsa: "IRSA",
  "pod-identity": "EKS Pod Identity",
};

/** One page that needs nothing else: the chain, each link with its state and the evidence. */
export function page(diagnosis: Diagnosis, when = new Date()): string {
  const { patient, chain, state, links } = diagnosis;
  const name = `${patient.namespace}/${patient.serviceAccount}`;
  return document({
    title: `${name} · ${mechanisms[chain]} doctor`,
    style,
    body: `<h1>${mechanisms[chain]} chain of <code>${value(name)}</code></h1>
<p>Cluster <code>${value(patient.cluster)}</code> in <span class="part">${text(patient.region)}</span>, looked at ${moment(when)}.</p>
<p class="conclusion ${state}">${text(conclusion(diagnosis))}</p>
<ol role="list">
${links.map(item).join("\n")}
</ol>`,
    script: copyScript,
  });
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

const style = `
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
