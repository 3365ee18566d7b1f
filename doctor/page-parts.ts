// What the pages of the doctor and of the audit have in common: one file that needs nothing else, in light and dark.

/** A whole page. `body` is what is in its main part, and `script` runs once that is there. */
export function document({
  title,
  style,
  body,
  script,
}: {
  readonly title: string;
  readonly style: string;
  readonly body: string;
  readonly script: string;
}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}</title>
<style>${baseStyle}${style}</style>
</head>
<body>
<main>
${body}
</main>
<script>${script}</script>
</body>
</html>
`;
}

/** A moment, as people read it. */
export const moment = (when: Date): string =>
  `<time datetime="${when.toISOString()}">${text(when.toISOString().replace("T", " ").slice(0, 19))} UTC</time>`;

/** Commands, each in a box to paste from. The button is made by the script: without it, it would do nothing. */
export const commands = (list: readonly string[]): string =>
  list
    .map((one) => `<div class="command"><pre tabindex="0"><code>${text(one)}</code></pre></div>\n`)
    .join("");

/** Text as the content of an element or of a quoted attribute. */
export const text = (value: string): string =>
  value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A value that is too long for a phone's line breaks between the parts of an ARN or path, not at its hyphens. */
export const value = (whole: string): string =>
  whole
    .split(/(?<=[:/,=])(?! )|(?<= )/)
    .map((part) => `<span class="part">${text(part)}</span>`)
    .join("");

/** A sentence, in which an ARN or a URL breaks between its parts as well. */
export const prose = (sentence: string): string =>
  sentence
    .split(" ")
    .map((word) => (word.length > 24 ? value(word) : text(word)))
    .join(" ");

/** A button beside each command that copies it, and says so to a screen reader too. */
export const copyScript = `
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
const baseStyle = `
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
`;
