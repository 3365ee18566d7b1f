import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FakeAws } from "../../testing/fake-aws.ts";
import { environment, portOf, role, token, until } from "../../testing/lister-process.ts";
import { type Benchmark, type Context, type Figure, type Goal, inTurns, spread } from "../benchmark.ts";
import { goSubjects } from "./go-subjects.ts";
import { javaSubjects } from "./java-subjects.ts";
import { load } from "./load.ts";
import { type Running, startToFirstBucket } from "./running.ts";
import { lister as ours, type Subjects } from "./subjects.ts";

export const lister: Benchmark = {
  name: "lister",
  title: "The listers against a tutorial's, and against the least that could be",
  run: async (context) => {
    const scratch = mkdtempSync(join(tmpdir(), "eks-irsa-bench-"));
    const aws = new FakeAws();
    await aws.start();
    try {
      const file = join(scratch, "token");
      writeFileSync(file, token("system:serviceaccount:s3-irsa:s3-irsa"));
      const env = environment(aws, scratch, { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: file });
      context.say("building what is measured, in Go");
      const go = await goSubjects(join(scratch, "go"), env);
      context.say("building what is measured, in Java");
      const java = await javaSubjects(join(scratch, "java"), env);
      const figures: Figure[] = [];
      for (const subjects of [go, java]) {
        figures.push(
          ...sizes(subjects),
          ...(await starts(subjects, context)),
          ...(await requests(subjects, context)),
        );
      }
      return figures;
    } finally {
      await aws.stop();
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};

/** Against the original, with the most that is wanted; and against the floor, of which nothing is wanted. */
const goals = ({ original, floor }: Subjects, atMost: number | undefined): Goal[] => [
  { subject: ours, against: original, ...(atMost === undefined ? {} : { atMost }) },
  { subject: ours, against: floor },
];

function sizes(subjects: Subjects): Figure[] {
  const series = (key: "unpacked" | "compressed") =>
    Object.entries(subjects.sizes).map(([subject, size]) => ({ subject, samples: [size[key]] }));
  return (["unpacked", "compressed"] as const).map((key) => ({
    name: `${subjects.language}: image, ${key}`,
    unit: "MB",
    series: series(key),
    goals: goals(subjects, subjects.atMost.size),
    note: subjects.sizeNote,
  }));
}

/** From the start to the first listed bucket, and memory some seconds later. */
async function starts(subjects: Subjects, { short, say }: Context): Promise<Figure[]> {
  const { language, started, atMost } = subjects;
  /** How long a program rests before its memory is looked at, in seconds. */
  const rest = short ? 1 : 3;
  // A start of 10 ms is as long as the machine's own hiccups: the middle of several stands for a round.
  const startsARound = short || language === "Java" ? 1 : 9;
  const measureOne = async (name: string) => {
    const command = started[name];
    if (command === undefined) throw new Error(`There is no ${name}.`);
    const seconds: number[] = [];
    for (let count = 1; count < startsARound; count++) {
      const running = await startToFirstBucket(command);
      seconds.push(running.seconds);
      await running.stop();
    }
    const running = await startToFirstBucket(command);
    try {
      await sleep(rest * 1000);
      return { start: spread([...seconds, running.seconds]).median, memory: running.residentMegabytes() };
    } finally {
      await running.stop();
    }
  };
  const rounds = short ? 1 : language === "Go" ? 15 : 7;
  const { start, memory } = await inTurns<"start" | "memory">(
    rounds,
    Object.fromEntries(Object.keys(started).map((name) => [name, () => measureOne(name)])),
    { say: (line) => say(`${language}, start and memory, ${line}`) },
  );
  return [
    {
      name: `${language}: start to first bucket`,
      unit: "s",
      series: start,
      goals: goals(subjects, atMost.start),
      note: `With the token swapped at an STS and the buckets listed at an S3 on the same machine. The ${subjects.floor} only prints a line.${startsARound > 1 ? ` The middle of ${startsARound} starts a round.` : ""}`,
    },
    {
      name: `${language}: resident memory`,
      unit: "MB",
      series: memory,
      goals: goals(subjects, atMost.memory),
      note: `${rest} s after the first bucket.`,
    },
  ];
}

/** Requests a second on /buckets, beside a bare server that answers with as many bytes. */
async function requests(subjects: Subjects, { short, say }: Context): Promise<Figure[]> {
  const bare = "bare server";
  const running: Running[] = [];
  const start = async (command: Subjects["server"]): Promise<Running> => {
    const one = await startToFirstBucket(command);
    running.push(one);
    return one;
  };
  try {
    const server = await start(subjects.server);
    const url = `http://127.0.0.1:${await until(() => portOf(server.output.stderr))}/buckets`;
    // The bucket is printed a moment before there is anything to serve.
    const body = await until(async () => {
      const answer = await fetch(url);
      const bytes = await answer.arrayBuffer();
      return answer.ok ? bytes : undefined;
    });
    const floor = await start(subjects.bareServer(body.byteLength));
    const floorUrl = /^\* (\S+)$/m.exec(floor.output.stdout)?.[1] ?? "";
    const measureOne = (target: Running, at: string) => async () => {
      const before = target.cpuSeconds();
      const result = await load({ url: at, connections: 10, duration: short ? 1 : 5 });
      const failed = result.errors + result.timeouts + result.non2xx;
      if (failed > 0) throw new Error(`${failed} of the requests to ${at} failed.`);
      return {
        rate: result.requests.average,
        cpuRate: result.requests.total / (target.cpuSeconds() - before),
      };
    };
    const { rate, cpuRate } = await inTurns<"rate" | "cpuRate">(
      short ? 1 : 5,
      { [ours]: measureOne(server, url), [bare]: measureOne(floor, floorUrl) },
      { say: (line) => say(`${subjects.language}, requests, ${line}`) },
    );
    const against = [{ subject: ours, against: bare }];
    const note = `10 connections for 5 s; the answer has ${body.byteLength} bytes.`;
    return [
      {
        name: `${subjects.language}: requests on /buckets`,
        unit: "requests/s",
        series: rate,
        goals: against,
        note: `${note} The load generator shares the processors with the server, and is at its own limit with a fast one.`,
      },
      {
        name: `${subjects.language}: requests on /buckets for a second of the server's processor time`,
        unit: "requests/s",
        series: cpuRate,
        goals: against,
        note,
      },
    ];
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
}
