import { type Benchmark, type Context, type Figure, type Goal, inTurns, type Series } from "../benchmark.ts";
import { type Resource, type SubjectName, subjects, Workspace } from "./workspace.ts";

/** The time that the program adds to what the engine, the runner and the SDK take anyway. */
export const overhead: Benchmark = {
  name: "engine",
  title: "Engine overhead: the whole program against a bare one, and against the usual template",
  async run({ short, say }) {
    const workspace = await Workspace.open();
    try {
      // The template's packages are a gigabyte to lay out: no part of a short run.
      const names: readonly SubjectName[] = short ? ["ours", "raw"] : ["ours", "raw", "template"];
      await workspace.begin("whole", names);
      const cost = async (name: SubjectName) => {
        const subject = workspace.subjects[name];
        subject.empty();
        const preview = (await subject.preview()).seconds;
        const up = (await subject.up()).seconds;
        const again = (await subject.up()).seconds;
        return { preview, up, again };
      };
      // What differs by a twentieth shows in many rounds only; of what differs several times over a few are enough.
      const against = await inTurns(
        short ? 1 : 15,
        { [subjects.ours]: () => cost("ours"), [subjects.raw]: () => cost("raw") },
        { say },
      );
      const figures = figuresOf(against, [{ subject: subjects.ours, against: subjects.raw, atMost: 1.05 }]);
      if (!short) {
        const usual = await inTurns(
          3,
          {
            [subjects.ours]: () => cost("ours"),
            [subjects.template]: () => withoutCompilerCache(() => cost("template")),
            [cached]: () => cost("template"),
          },
          { say },
        );
        figures.push(
          ...figuresOf(usual, [
            { subject: subjects.ours, against: subjects.template, atMost: 0.6 },
            { subject: subjects.ours, against: cached },
          ]),
        );
      }
      await checkSubjects(workspace, names);
      return [...figures, ...(await phases(workspace, { short, say }))];
    } finally {
      await workspace.close();
    }
  },
};

/**
 * What a preview spends on what: by programs that each go a step further than the one before. The engine alone is what it
 * takes to open the stack, with its secrets.
 */
async function phases(workspace: Workspace, { short, say }: Context): Promise<Figure[]> {
  const { parts } = workspace;
  for (const part of Object.values(parts)) await part.begin({ "aws:region": "eu-central-1" });
  for (const name of ["ours", "raw"] as const) workspace.subjects[name].empty();
  const runs = {
    engine: () => parts.nothing.engineAlone(),
    nothing: () => parts.nothing.preview(),
    oursImported: () => parts.oursImported.preview(),
    ours: () => workspace.subjects.ours.preview(),
    rawImported: () => parts.rawImported.preview(),
    raw: () => workspace.subjects.raw.preview(),
  };
  const { seconds } = await inTurns(
    short ? 1 : 9,
    Object.fromEntries(
      Object.entries(runs).map(([name, run]) => [name, async () => ({ seconds: (await run()).seconds })]),
    ),
    { say: (line) => say(`phases, ${line}`) },
  );
  const samples = (subject: keyof typeof runs) =>
    seconds.find((one) => one.subject === subject)?.samples ?? [];
  const more = (subject: keyof typeof runs, than: keyof typeof runs) =>
    samples(subject).map((value, round) => value - (samples(than)[round] ?? 0));
  const phase = (name: string, of: (which: "ours" | "raw") => readonly number[]): Figure => ({
    name,
    unit: "s",
    series: (["ours", "raw"] as const).map((which) => ({ subject: subjects[which], samples: of(which) })),
    goals: [{ subject: subjects.ours, against: subjects.raw }],
  });
  return [
    phase("engine: opening the stack", () => samples("engine")),
    phase("engine, Node.js and the SDK's runner", () => more("nothing", "engine")),
    phase("loading the program and its packages", (which) => more(`${which}Imported`, "nothing")),
    phase("registering the resources", (which) => more(which, `${which}Imported`)),
  ];
}

/** The template where nothing but its packages changed since its last start on this machine. */
const cached = `${subjects.template}, compiled before`;

/** As on a machine of CI, and after an edit: Pulumi's runner compiles with ts-node, which keeps what it compiled. */
async function withoutCompilerCache<T>(act: () => Promise<T>): Promise<T> {
  process.env.TS_NODE_CACHE = "false";
  try {
    return await act();
  } finally {
    delete process.env.TS_NODE_CACHE;
  }
}

const figuresOf = (
  measured: Readonly<Record<"preview" | "up" | "again", readonly Series[]>>,
  goals: readonly Goal[],
  beside = "",
): Figure[] => [
  { name: `preview of a new stack${beside}`, unit: "s", series: measured.preview, goals },
  { name: `up of a new stack${beside}`, unit: "s", series: measured.up, goals },
  { name: `up that changes nothing${beside}`, unit: "s", series: measured.again, goals },
];

/** Compares what the last `up` of each has made. */
export async function checkSubjects(workspace: Workspace, names: readonly SubjectName[]): Promise<void> {
  const ours = await workspace.subjects.ours.resources();
  for (const name of names) {
    if (name !== "ours") checkSame(ours, await workspace.subjects[name].resources());
  }
}

/**
 * A floor that makes less would be no floor: both stacks must hold the same resources, with the same inputs.
 *
 * @throws Error that names the first difference.
 */
function checkSame(ours: readonly Resource[], others: readonly Resource[]): void {
  const comparable = (resources: readonly Resource[]): string[] =>
    resources
      .filter(({ type }) => !type.startsWith("pulumi:providers:") && type !== "pulumi:pulumi:Stack")
      .map(({ urn, inputs }) => `${urn} ${JSON.stringify(sorted(inputs ?? {}))}`)
      .sort();
  const [left, right] = [comparable(ours), comparable(others)];
  const missing = left.find((one) => !right.includes(one)) ?? right.find((one) => !left.includes(one));
  if (missing === undefined) return;
  const urn = missing.split(" ")[0] ?? "";
  const near = [...left, ...right].filter((one) => one.startsWith(`${urn} `));
  throw new Error(`The two programs do not make the same resources:\n${near.join("\n")}`);
}

/** With its keys in order, all the way down; what is encrypted is another text each time, and what our digest is of, a bare program has no use for. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !["ciphertext", "eks-irsa/digest"].includes(key));
  return Object.fromEntries(
    entries.sort(([a], [b]) => a.localeCompare(b)).map(([key, inner]) => [key, sorted(inner)]),
  );
}
