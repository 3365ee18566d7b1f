import { commands, copyScript, document, moment, text, value } from "../doctor/page-parts.ts";
import type { Audit, AuditedRole, AuditedServiceAccount } from "./audit.ts";
import type { Finding } from "./finding.ts";
import { consequenceOf, kinds, type Severity, severities } from "./kinds.ts";
import { picture } from "./picture.ts";
import { conclusion, outcomeOf, reachInWords, ways } from "./summary.ts";

/** One page that needs nothing else: the findings, then every ServiceAccount with a role, to search, filter and see drawn. */
export function page(audit: Audit, failOn: Severity): string {
  const { cluster, region, accountId, taken, namespaces, findings, serviceAccounts, unseen } = audit;
  const found = Map.groupBy(findings, ({ subject }) => `${subject.kind} ${subject.name}`);
  const where = [...new Set(serviceAccounts.map(({ namespace }) => namespace))].sort();
  return document({
    title: `${cluster} · audit`,
    style,
    body: `<h1>Audit of <code>${value(cluster)}</code></h1>
<p>Account <code>${text(accountId)}</code> in <span class="part">${text(region)}</span>${
      namespaces ? `, namespaces <code>${value(namespaces.join(", "))}</code>` : ""
    }, looked at ${moment(taken)}.</p>
<p class="conclusion ${outcomeOf(audit, failOn)}">${text(conclusion(audit, failOn))}</p>
<form class="filter" role="search" aria-label="Findings and ServiceAccounts">
<label>Search <input type="search" id="search" autocomplete="off" spellcheck="false"></label>
<label>Severity <select id="severity"><option value="">any</option>${severities
      .toReversed()
      .map((one) => `<option>${one}</option>`)
      .join("")}</select></label>
<label>Namespace <select id="namespace"><option value="">any</option>${where.map((one) => `<option>${text(one)}</option>`).join("")}</select></label>
<p role="status" id="shown"></p>
</form>
<section aria-labelledby="findings">
<h2 id="findings">Findings</h2>
${
  findings.length === 0
    ? "<p>None.</p>"
    : `<ul role="list" class="findings">
${findings.map(item).join("\n")}
</ul>`
}
</section>
${unseen.length === 0 ? "" : unseenSection(audit)}<section aria-labelledby="accounts">
<h2 id="accounts">ServiceAccounts with a role</h2>
${serviceAccounts.length === 0 ? "<p>None.</p>" : table(serviceAccounts, found)}
</section>
<dialog id="reach" aria-labelledby="reach-title">
<form method="dialog"><h2 id="reach-title"></h2><button>Close</button></form>
<div id="reach-body"></div>
</dialog>`,
    script: `${copyScript}${script}`,
  });
}

/** What search and filters look at, in lower case. */
const searched = (...parts: readonly string[]): string => text(parts.join(" ").toLowerCase());

function item({ id, severity, subject, what, evidence, mend, advice }: Finding): string {
  const namespace =
    subject.name.includes("/") && !subject.name.startsWith("arn:") ? (subject.name.split("/")[0] ?? "") : "";
  return `<li class="${severity}" data-severity="${severity}" data-namespace="${text(namespace)}" data-text="${searched(id, severity, subject.kind, subject.name, what, ...evidence)}"><details>
<summary><span class="severity">${severity}</span> <strong>${text(kinds[id].title)}</strong> <span class="subject">${text(subject.kind)} <code>${value(subject.name)}</code></span></summary>
<p>${text(what)} <span class="danger">${text(consequenceOf(id))}</span></p>
<ul role="list">${evidence.map((one) => `<li><code>${value(one)}</code></li>`).join("")}</ul>
${mend.length + advice.length > 0 ? "<h3>To mend it</h3>\n" : ""}${commands(mend)}${advice.map((one) => `<p>${text(one)}</p>`).join("")}
<p class="id">${id}</p>
</details></li>`;
}

const unseenSection = ({ unseen }: Audit): string => `<section aria-labelledby="unseen">
<h2 id="unseen">Could not be looked at</h2>
<ul role="list">${unseen
  .map(
    ({ what, why, takes }) =>
      `<li><strong>${text(what)}</strong>: ${text(why)} It would take: ${text(takes)}</li>`,
  )
  .join("")}</ul>
</section>
`;

/** Cells carry their column's name, which a narrow page shows beside them; the roles keep a table one where it is drawn as a list. */
function table(
  accounts: readonly AuditedServiceAccount[],
  found: ReadonlyMap<string, readonly Finding[]>,
): string {
  const columns = ["ServiceAccount", "Role", "May use", "Also admits", "Pods", "Findings"];
  return `<table role="table">
<thead role="rowgroup"><tr role="row">${columns.map((one) => `<th role="columnheader" scope="col">${one}</th>`).join("")}</tr></thead>
<tbody role="rowgroup">
${accounts.map((account, at) => row(account, at, found)).join("\n")}
</tbody>
</table>
${accounts.map((account, at) => `<template id="reach-${at}">${detail(account)}</template>`).join("\n")}`;
}

function row(
  account: AuditedServiceAccount,
  at: number,
  found: ReadonlyMap<string, readonly Finding[]>,
): string {
  const { namespace, name, roles, pods, workloads } = account;
  const key = `${namespace}/${name}`;
  const findings = [
    ...(found.get(`ServiceAccount ${key}`) ?? []),
    ...roles.flatMap(({ arn, association }) => [
      ...(found.get(`Role ${arn}`) ?? []),
      ...(found.get(`Association ${association}`) ?? []),
    ]),
    ...workloads.flatMap((one) => found.get(`Workload ${namespace}/${one}`) ?? []),
    ...pods.flatMap((one) => found.get(`Pod ${namespace}/${one}`) ?? []),
  ];
  const worst = severities.toReversed().filter((one) => findings.some(({ severity }) => severity === one));
  const cell = (column: string, content: string): string =>
    `<td role="cell" data-column="${column}">${content || "–"}</td>`;
  const lines = (each: (role: AuditedRole) => string): string =>
    roles.map((role) => `<div>${each(role)}</div>`).join("");
  const others = roles.flatMap((role) => role.others ?? []);
  return `<tr role="row" data-severity="${worst.join(" ")}" data-namespace="${text(namespace)}" data-text="${searched(key, ...roles.flatMap((role) => [role.arn, reachInWords(role), ...(role.others ?? [])]), ...pods, ...findings.map(({ id }) => id))}">
<th role="rowheader" scope="row"><button type="button" class="reach" data-reach="${at}" aria-label="${text(key)}" aria-haspopup="dialog">${text(namespace)}/<wbr>${text(name)}</button></th>
${cell(
  "Role",
  lines(
    ({ arn, way }) =>
      `<code>${value(arn.replace(/^.*:role\//, ""))}</code>, <span class="way">${ways[way]}</span>`,
  ),
)}
${cell(
  "May use",
  lines((role) => text(reachInWords(role))),
)}
${cell("Also admits", others.length > 3 ? `${others.slice(0, 3).map(value).join(", ")} and ${others.length - 3} more` : others.map(value).join(", "))}
${cell("Pods", String(pods.length))}
${cell("Findings", findings.length === 0 ? "none" : `${findings.length} <span class="severity ${worst[0]}">${worst[0]}</span>`)}
</tr>`;
}

/** The picture, and the same in words. */
function detail(account: AuditedServiceAccount): string {
  const { roles, pods } = account;
  const list = (title: string, values: readonly string[]): string =>
    values.length === 0
      ? ""
      : `<h4>${title}</h4><ul role="list">${values.map((one) => `<li><code>${value(one)}</code></li>`).join("")}</ul>`;
  const words = roles
    .map((role) => {
      const { arn, services = [], sensitive = [], others = [], boundary, lastUsed } = role;
      const granted = services.map(
        ({ service, actions, resources, conditional }) =>
          `${service}: ${actions.join(", ")} on ${resources.join(", ")}${conditional ? ", on conditions" : ""}`,
      );
      const dangerous = sensitive.map(
        ({ action, danger, kind, on }) =>
          `${action} ${danger}: ${kind}${on.length > 0 ? `, ${on.join("; ")}` : ""}`,
      );
      return `<h3><code>${value(arn)}</code> <span class="way">${ways[role.way]}</span></h3>${
        role.services === undefined ? "<p>Not seen from here.</p>" : ""
      }${lastUsed ? `<p>Last used ${moment(lastUsed)}.</p>` : ""}${list("Sensitive actions", dangerous)}${list("Services", granted)}${list("Also admits", others)}${list("Boundary", boundary ? [boundary] : [])}`;
    })
    .join("");
  return `<div class="drawn">${picture(account)}</div>${words}${list("Pods", pods)}`;
}

const script = `
const by = (id) => document.getElementById(id);
const rows = [...document.querySelectorAll("[data-text]")];
const total = { LI: 0, TR: 0 };
for (const row of rows) total[row.tagName]++;
function filter() {
  const words = by("search").value.toLowerCase().split(/\\s+/).filter(Boolean);
  const { value: severity } = by("severity");
  const { value: namespace } = by("namespace");
  const shown = { LI: 0, TR: 0 };
  for (const row of rows) {
    const { text, severity: own, namespace: where } = row.dataset;
    const fits = words.every((word) => text.includes(word)) && (!severity || own.split(" ").includes(severity)) && (!namespace || where === namespace);
    row.hidden = !fits;
    if (fits) shown[row.tagName]++;
  }
  by("shown").textContent = shown.LI + " of " + total.LI + " findings, " + shown.TR + " of " + total.TR + " ServiceAccounts";
}
let waiting;
by("search").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(filter, 100);
});
for (const id of ["severity", "namespace"]) by(id).addEventListener("change", filter);
document.querySelector(".filter").addEventListener("submit", (event) => {
  event.preventDefault();
  filter();
});
filter();
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.reach");
  if (!button) return;
  by("reach-title").replaceChildren("Reach of ", ...button.cloneNode(true).childNodes);
  by("reach-body").replaceChildren(by("reach-" + button.dataset.reach).content.cloneNode(true));
  by("reach").showModal();
});
`;

const style = `
main { max-width: 75rem; }
section { margin: 1.5rem 0; }
h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
h4 { font-size: .85rem; margin: .5rem 0 .1rem; color: var(--dim); }
ul { list-style: none; margin: .1rem 0; padding: 0; }
[hidden] { display: none !important; }
.conclusion { margin: 1rem 0; border-inline-start: .3rem solid var(--dim); padding: .5rem .7rem; background: var(--soft); font-weight: 600; }
.conclusion.clean { border-color: var(--good); background: var(--good-soft); color: var(--good); }
.conclusion.findings { border-color: var(--bad); background: var(--bad-soft); color: var(--bad); }
.conclusion.unseen { border-color: var(--unsure); background: var(--unsure-soft); color: var(--unsure); }
.filter { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; position: sticky; top: 0; z-index: 1; background: var(--back); padding: .5rem 0; border-block-end: 1px solid var(--line); }
.filter label { display: grid; font-size: .85rem; color: var(--dim); }
.filter label:first-child { flex: 1 1 14rem; }
.filter p { flex-basis: 100%; font-size: .85rem; color: var(--dim); margin: 0; }
input, select, button { font: inherit; font-size: .95rem; min-height: 2.25rem; padding: .25rem .5rem; color: var(--fore); background: var(--back); border: 1px solid var(--dim); border-radius: .3rem; max-width: 100%; }
button { cursor: pointer; }
dialog form button { flex: none; overflow-wrap: normal; }
:focus-visible { outline: .15rem solid var(--fore); outline-offset: .1rem; }
.findings > li { border-inline-start: .3rem solid var(--dim); margin: .4rem 0; background: var(--soft); content-visibility: auto; contain-intrinsic-size: auto 3rem; }
.findings > li.critical, .findings > li.high { border-color: var(--bad); }
.findings > li.medium { border-color: var(--unsure); }
summary { padding: .5rem .7rem; cursor: pointer; }
details[open] { padding-block-end: .5rem; }
details > :not(summary) { margin-inline: .7rem; }
details .command pre { background: var(--back); }
.severity { display: inline-block; white-space: nowrap; overflow-wrap: normal; font-size: .8rem; font-weight: 700; padding: 0 .35rem; border: 1px solid currentColor; border-radius: .25rem; color: var(--dim); }
.critical .severity, .high .severity, .severity.critical, .severity.high { color: var(--bad); }
.medium .severity, .severity.medium { color: var(--unsure); }
.subject, .danger, .way, .id { color: var(--dim); }
.way, .id { font-size: .85rem; }
/* Fixed: the widths of a thousand rows need no measuring when some of them go. */
table { border-collapse: collapse; inline-size: 100%; font-size: .9rem; table-layout: fixed; }
thead th:nth-child(1) { inline-size: 18%; }
thead th:nth-child(2) { inline-size: 17%; }
thead th:nth-child(4) { inline-size: 23%; }
thead th:nth-child(5) { inline-size: 3.5rem; }
thead th:nth-child(6) { inline-size: 7rem; }
th, td { text-align: start; vertical-align: top; padding: .4rem .5rem; border-block-end: 1px solid var(--line); font-weight: 400; }
thead th { font-weight: 600; font-size: .85rem; color: var(--dim); overflow-wrap: normal; }
.reach { text-align: start; }
dialog { inline-size: min(44rem, 100vw - 2rem); max-block-size: calc(100vh - 2rem); overflow: auto; color: var(--fore); background: var(--back); border: 1px solid var(--dim); border-radius: .4rem; padding: 1rem; box-sizing: border-box; }
dialog::backdrop { background: rgb(0 0 0 / 50%); }
dialog form { display: flex; justify-content: space-between; gap: 1rem; align-items: start; }
.drawn svg { display: block; inline-size: 100%; max-inline-size: 30rem; margin: .75rem auto; }
svg text { font: 12px ui-monospace, monospace; fill: var(--fore); }
svg rect { fill: var(--back); stroke: var(--dim); }
svg .account rect, svg .role rect { fill: var(--soft); stroke: var(--fore); }
svg .others rect { stroke-dasharray: 4 3; }
svg .sensitive rect { fill: var(--bad-soft); stroke: var(--bad); }
svg .sensitive text { fill: var(--bad); }
svg .arrow path { stroke: var(--dim); fill: none; }
svg .arrow .head { fill: var(--dim); }
svg .arrow.dashed path { stroke-dasharray: 3 3; }
svg .arrow text { fill: var(--dim); font-size: 11px; }
@media (max-width: 52rem) {
  .filter { position: static; }
  table, tbody, tr, th, td { display: block; }
  thead { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { border-block-end: 2px solid var(--line); padding: .4rem 0; }
  th, td { border: 0; padding: .15rem 0; }
  td::before { content: attr(data-column) ": "; color: var(--dim); font-size: .85rem; }
  td > div { display: inline; }
  td > div + div::before { content: "; "; }
}
`;
