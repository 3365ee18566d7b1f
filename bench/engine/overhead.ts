import { type Benchmark, type Figure, type Goal, inTurns, type Series } from "../benchmark";
import { type Resource, type SubjectName, subjects, Workspace } from "./workspace";

/** The time that the program adds to what the engine, the runner and the SDK take anyway. */
export const overhead: Benchmark = {
  name: "engine",
  title: "Engine overhead: the whole program against a bare one, and against the usual template",
  async run({ short, say }) {
    const workspace = await Workspace.open();
    try {
      const names = Object.keys(subjects) as SubjectName[];
      await workspace.begin("whole", names);
      const round = (name: SubjectName) => async () => {
        const subject = workspace.subjects[name];
        subject.empty();
        const preview = (await subject.preview()).seconds;
        const up = (await subject.up()).seconds;
        const again = (await subject.up()).seconds;
        return { preview, up, again };
      };
      const measured = await inTurns(
        short ? 2 : 9,
        Object.fromEntries(names.map((name) => [subjects[name], round(name)])),
        { say },
      );
      await checkSubjects(workspace, names);
      return [
        figure("preview of a new stack", measured.preview),
        figure("up of a new stack", measured.up),
        figure("up that changes nothing", measured.again),
      ];
    } finally {
      await workspace.close();
    }
  },
};

const goals: readonly Goal[] = [
  { subject: subjects.ours, against: subjects.raw, atMost: 1.1 },
  { subject: subjects.ours, against: subjects.template, atMost: 0.6 },
];

const figure = (name: string, series: readonly Series[]): Figure => ({ name, unit: "s", series, goals });

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

/** With its keys in order, all the way down; what is encrypted is another text each time. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "ciphertext");
  return Object.fromEntries(
    entries.sort(([a], [b]) => a.localeCompare(b)).map(([key, inner]) => [key, sorted(inner)]),
  );
}
