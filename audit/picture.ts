import { text } from "../doctor/page-parts.ts";
import type { AuditedRole, AuditedServiceAccount } from "./audit.ts";
import { reachInWords, ways } from "./summary.ts";

// One ServiceAccount's reach as a picture, from its pods down to the services of AWS, narrow enough for a phone.

const width = 360;
const gap = 26;
const lineHeight = 16;
const padding = 8;
/** Characters of a line at 12 px of a monospaced font, 7.25 px each. */
const charactersOf = (pixels: number): number => Math.floor((pixels - 2 * padding) / 7.25);

/** A text that is too long loses what matters least, an ARN its beginning; whole it stands in the words beside the picture. */
const shortened = (line: string, pixels: number): string => {
  const most = charactersOf(pixels);
  if (line.length <= most) return line;
  return line.startsWith("arn:") ? `…${line.slice(1 - most)}` : `${line.slice(0, most - 1)}…`;
};

interface Box {
  readonly kind: "pods" | "account" | "role" | "others" | "service" | "sensitive";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly lines: readonly string[];
}

const heightOf = ({ lines }: Pick<Box, "lines">): number => lines.length * lineHeight + 2 * padding - 2;

function draw(box: Box): string {
  const lines = box.lines
    .map(
      (line, at) =>
        `<text x="${box.x + padding}" y="${box.y + padding + lineHeight * (at + 1) - 5}">${text(shortened(line, box.width))}</text>`,
    )
    .join("");
  return `<g class="${box.kind}"><rect x="${box.x}" y="${box.y}" width="${box.width}" height="${heightOf(box)}" rx="4"/>${lines}</g>`;
}

const arrow = (x: number, from: number, to: number, label: string): string =>
  `<g class="arrow"><path d="M${x} ${from}V${to - 5}"/><path class="head" d="M${x - 4} ${to - 6}L${x} ${to}L${x + 4} ${to - 6}z"/><text x="${x + 8}" y="${(from + to) / 2 + 4}">${text(label)}</text></g>`;

/** From who else may assume a role, beside it, to the role. */
const sideways = (from: number, to: number, y: number): string =>
  `<g class="arrow dashed"><path d="M${from} ${y}H${to + 5}"/><path class="head" d="M${to + 6} ${y - 4}L${to} ${y}L${to + 6} ${y + 4}z"/></g>`;

/** The first of a list, and how many more there are. */
function some(all: readonly string[], most: number): string[] {
  return all.length <= most ? [...all] : [...all.slice(0, most - 1), `and ${all.length - most + 1} more`];
}

/** Boxes side by side, as many as fit, row below row. */
function grid(boxes: readonly Pick<Box, "kind" | "lines">[], top: number): { drawn: string; bottom: number } {
  const columns = 3;
  const own = (width - (columns - 1) * 6) / columns;
  let y = top;
  let drawn = "";
  for (let at = 0; at < boxes.length; at += columns) {
    const row = boxes.slice(at, at + columns);
    drawn += row.map((box, column) => draw({ ...box, x: column * (own + 6), y, width: own })).join("");
    y += Math.max(...row.map(heightOf)) + 6;
  }
  return { drawn, bottom: y };
}

/** What a role opens, as boxes: its services, those with sensitive actions marked and named. */
function servicesOf({
  services = [],
  sensitive = [],
  administrator,
}: AuditedRole): Pick<Box, "kind" | "lines">[] {
  if (administrator) return [{ kind: "sensitive", lines: ["! everything"] }];
  const bad = Map.groupBy(sensitive, ({ action }) => action.split(":")[0] ?? "");
  const boxes = services.map(({ service, whole }) => {
    const actions = bad.get(service)?.map(({ action }) => action.replace(/^.*:/, "")) ?? [];
    const name = whole ? `all of ${service}` : service;
    return actions.length === 0
      ? { kind: "service" as const, lines: [name] }
      : { kind: "sensitive" as const, lines: [`! ${name}`, ...some(actions, 4)] };
  });
  const shown = boxes.slice(0, 24);
  return boxes.length > shown.length
    ? [...shown, { kind: "service", lines: [`and ${boxes.length - shown.length} more`] }]
    : shown;
}

/** The picture as SVG, with its meaning in words for those who do not see it. */
export function picture(account: AuditedServiceAccount): string {
  const { namespace, name, roles, pods } = account;
  const key = `${namespace}/${name}`;
  let y = 1;
  let drawn = "";
  const put = (kind: Box["kind"], lines: readonly string[], x = 0.5, own = width - 1): void => {
    const box = { kind, x, y, width: own, lines };
    drawn += draw(box);
    y += heightOf(box);
  };
  put(
    "pods",
    pods.length === 0
      ? ["no pod"]
      : [`${pods.length} ${pods.length === 1 ? "pod" : "pods"}`, ...some(pods, 3)],
  );
  drawn += arrow(width / 2, y, y + gap, "run under");
  y += gap;
  put("account", ["ServiceAccount", key]);
  for (const role of roles) {
    drawn += arrow((role.others ?? []).length > 0 ? 95 : width / 2, y, y + gap, ways[role.way]);
    y += gap;
    const name = role.arn.replace(/^.*:role\//, "");
    const others = role.others ?? [];
    if (others.length === 0) put("role", ["Role", name]);
    else {
      const beside = {
        kind: "others" as const,
        x: 220,
        y,
        width: width - 220.5,
        lines: ["also admits", ...some(others, 3)],
      };
      drawn += draw(beside) + sideways(220, 190.5, y + 21);
      put("role", ["Role", name], 0.5, 190);
      y = Math.max(y, beside.y + heightOf(beside));
    }
    const services = servicesOf(role);
    if (services.length > 0) {
      drawn += arrow(others.length > 0 ? 95 : width / 2, y, y + gap, "may use");
      y += gap;
      const { drawn: boxes, bottom } = grid(services, y);
      drawn += boxes;
      y = bottom;
    }
  }
  const words = roles.map((role) => `${role.arn} (${ways[role.way]}): ${reachInWords(role)}`).join(". ");
  return `<svg viewBox="0 0 ${width} ${Math.ceil(y) + 2}" role="img" aria-label="${text(`Reach of ${key}. ${words}`)}">${drawn}</svg>`;
}
