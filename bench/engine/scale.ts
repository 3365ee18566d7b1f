import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Benchmark, type Figure, growthOf, inTurns, type Series } from "../benchmark.ts";
import { type Measured, measure } from "../measure.ts";
import { checkSubjects } from "./overhead.ts";
import { subjects, Workspace } from "./workspace.ts";

const sizes = [1, 10, 100, 1000] as const;
const largestSize = 1000;

/** The AWS CDK, which gives out templates and has no engine: its synthesis stands beside a preview. */
const cdk = { name: "aws-cdk-lib", folder: join(import.meta.dirname, "..", "peers", "cdk") } as const;

/** The resources that CloudFormation takes in a stack, where the CDK stops. Source: "AWS CloudFormation quotas". */
const cloudFormationResources = 500;

/** What many bindings in one stack cost. */
export const scale: Benchmark = {
  name: "scale",
  title: "Scale: bindings in one stack",
  async run({ short, say }) {
    const rounds = short ? 1 : 2;
    if (!short) await installCdk(say);
    // As `npm run stack` previews: else the engine makes the whole state anew at each step, and throws it away.
    const workspace = await Workspace.open({}, { PULUMI_SKIP_CHECKPOINTS: "true" });
    try {
      const figures: Figure[] = [];
      const seconds = new Map<number, readonly number[]>();
      for (const size of short ? sizes.slice(0, 2) : sizes) {
        say(`${size} bindings`);
        const names = ["raw", "ours"] as const;
        await workspace.begin(size, names);
        if (size === 10) {
          for (const name of names) await workspace.subjects[name].up();
          await checkSubjects(workspace, names);
          for (const name of names) workspace.subjects[name].empty();
        }
        const preview = (name: (typeof names)[number]) => async () =>
          costOf(await workspace.subjects[name].preview());
        const measured = await inTurns(
          rounds,
          {
            [subjects.ours]: preview("ours"),
            [subjects.raw]: preview("raw"),
            ...(short ? {} : { [cdk.name]: () => synthesis(size) }),
          },
          { say: (line) => say(`${size} bindings, ${line}`), warmUp: !short && size <= 10 },
        );
        const ours = (series: readonly Series[] = []) =>
          series.find(({ subject }) => subject === subjects.ours)?.samples ?? [];
        seconds.set(size, ours(measured.seconds));
        const goals = [
          { subject: subjects.ours, against: subjects.raw, atMost: size === largestSize ? 1.1 : undefined },
        ];
        figures.push(
          {
            name: `preview of ${size}`,
            unit: "s",
            series: finite(measured.seconds),
            goals,
            note: noteOf(measured.seconds),
          },
          { name: `peak memory at ${size}`, unit: "MB", series: finite(measured.megabytes), goals },
        );
      }
      if (!short) figures.push(growthOf("preview, each binding more", seconds, [10, 100, 1000]));
      return figures;
    } finally {
      await workspace.close();
    }
  },
};

/** Memory is that of the largest process. */
type Cost = Readonly<Record<"seconds" | "megabytes", number>>;

const costOf = ({ seconds, peakMegabytes }: Measured): Cost => ({
  seconds,
  megabytes: Math.max(...Object.values(peakMegabytes)),
});

/** Where a peer could not do it there is no number. */
const finite = (series: readonly Series[]): Series[] =>
  series.filter(({ samples }) => samples.every(Number.isFinite));

const noteOf = (series: readonly Series[]): string | undefined =>
  finite(series).length < series.length
    ? `${cdk.name} refuses: more than ${cloudFormationResources} resources in a stack.`
    : undefined;

async function synthesis(size: number): Promise<Cost> {
  const outdir = mkdtempSync(join(tmpdir(), "eks-irsa-cdk-"));
  try {
    return costOf(await measure(process.execPath, ["app.js", String(size), outdir], { cwd: cdk.folder }));
  } catch (error) {
    if (!/number of resources|maximum.*500/i.test((error as Error).message)) throw error;
    return { seconds: Number.NaN, megabytes: Number.NaN };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** 160 MB that nothing else needs: it comes when this benchmark is asked for, into a folder of its own. */
async function installCdk(say: (line: string) => void): Promise<void> {
  if (existsSync(join(cdk.folder, "node_modules", "aws-cdk-lib"))) return;
  say(`installing ${cdk.name} in ${cdk.folder} (160 MB)`);
  await measure("npm", ["ci", "--no-audit", "--no-fund"], { cwd: cdk.folder });
}
