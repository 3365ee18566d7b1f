import {
  type Benchmark,
  type Context,
  type Figure,
  type Goal,
  inTurns,
  type Series,
  wholeRun,
} from "../benchmark.ts";
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
      const measured = await inTurns(
        short ? 1 : 5,
        {
          [subjects.ours]: () => cost("ours"),
          [subjects.raw]: () => cost("raw"),
          ...(short
            ? {}
            : {
                [subjects.template]: () => withoutCompilerCache(() => cost("template")),
                [cached]: () => cost("template"),
              }),
        },
        { say },
      );
      await checkSubjects(workspace, names);
      return [
        figure("preview of a new stack", measured.preview, short),
        figure("up of a new stack", measured.up, short),
        figure("up that changes nothing", measured.again, short),
        await phases(workspace, { short, say }),
      ];
    } finally {
      await workspace.close();
    }
  },
};

/**
 * What a preview spends on what: by programs that each go a step further than the one before. The engine alone is what it
 * takes to open the stack, with its secrets.
 */
async function phases(workspace: Workspace, { short, say }: Context): Promise<Figure> {
  const { nothing, imported } = workspace.parts;
  await Promise.all([nothing, imported].map((part) => part.begin({ "aws:region": "eu-central-1" })));
  const { ours } = workspace.subjects;
  ours.empty();
  const { seconds } = await inTurns(
    short ? 1 : 5,
    {
      engine: async () => ({ seconds: (await nothing.engineAlone()).seconds }),
      nothing: async () => ({ seconds: (await nothing.preview()).seconds }),
      imported: async () => ({ seconds: (await imported.preview()).seconds }),
      whole: async () => ({ seconds: (await ours.preview()).seconds }),
    },
    { say: (line) => say(`phases, ${line}`) },
  );
  const samples = (subject: string) => seconds.find((one) => one.subject === subject)?.samples ?? [];
  const more = (subject: string, than: string) =>
    samples(subject).map((value, round) => value - (samples(than)[round] ?? 0));
  const series = [
    { subject: "engine: opening the stack", samples: samples("engine") },
    { subject: "engine, Node.js and the SDK's runner", samples: more("nothing", "engine") },
    { subject: "loading the program and its packages", samples: more("imported", "nothing") },
    { subject: "registering the resources", samples: more("whole", "imported") },
  ];
  return {
    name: "what a preview spends",
    unit: "s",
    series: [...series, { subject: wholeRun, samples: samples("whole") }],
    goals: series.map(({ subject }) => ({ subject, against: wholeRun })),
  };
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

const goals: readonly Goal[] = [
  { subject: subjects.ours, against: subjects.raw, atMost: 1.05 },
  { subject: subjects.ours, against: subjects.template, atMost: 0.6 },
  { subject: subjects.ours, against: cached },
];

/** A short run has no template: what is judged against it is left out there, and only there. */
const figure = (name: string, series: readonly Series[], short: boolean): Figure => ({
  name,
  unit: "s",
  series,
  goals: short ? goals.filter(({ against }) => against === subjects.raw) : goals,
});

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
