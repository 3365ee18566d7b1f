import type { TopLevelSpec } from "vega-lite";
import { type Figure, spread, verdicts } from "./benchmark.ts";

/**
 * The ratios of a benchmark as a picture: where each lies, how far it goes, and the most that it may be. SVG; undefined
 * where there is no ratio.
 */
export async function plotOf(figures: readonly Figure[]): Promise<string | undefined> {
  const rows = figures.flatMap((figure) =>
    verdicts(figure).map(({ subject, against, ratio, atMost }) => ({
      what: `${figure.name}: ${subject} / ${against}`,
      ...spread([ratio.median]),
      min: ratio.min,
      max: ratio.max,
      goal: atMost ?? null,
    })),
  );
  if (rows.length === 0) return undefined;
  const y = { field: "what", type: "nominal", sort: null, title: null, axis: { labelLimit: 600 } } as const;
  const x = (field: string) =>
    ({
      field,
      type: "quantitative",
      title: "ratio (log scale)",
      scale: { type: "log", nice: true },
    }) as const;
  return render({
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    width: 420,
    height: { step: 22 },
    data: { values: rows },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2, color: "#8ab" },
        encoding: { y, x: x("min"), x2: { field: "max" } },
      },
      { mark: { type: "point", filled: true, size: 70, color: "#145" }, encoding: { y, x: x("median") } },
      {
        transform: [{ filter: "datum.goal !== null" }],
        mark: { type: "tick", thickness: 3, size: 16, color: "#c33" },
        encoding: { y, x: x("goal") },
      },
      { mark: { type: "rule", strokeDash: [3, 3], color: "#999" }, encoding: { x: { datum: 1 } } },
    ],
  });
}

async function render(spec: TopLevelSpec): Promise<string> {
  // They come as ES modules only.
  const [{ compile }, { parse, View }] = await Promise.all([import("vega-lite"), import("vega")]);
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  return view.toSVG();
}
