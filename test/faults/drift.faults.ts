import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { expect } from "chai";
import * as ec2 from "./drift/ec2.ts";
import * as ecr from "./drift/ecr.ts";
import * as eks from "./drift/eks.ts";
import * as iam from "./drift/iam.ts";
import * as kubernetes from "./drift/kubernetes.ts";
import * as logs from "./drift/logs.ts";
import * as podIdentity from "./drift/pod-identity.ts";
import { type Drift, Target } from "./drift/target.ts";
import { Live, nameOf, type Step, stepsOf } from "./live.ts";
import { Tally } from "./tally.ts";

// Every attribute that matters, changed or deleted behind the engine's back: a refresh finds each, an `up` mends each.
// Changes that do not get in each other's way share a refresh and an `up`; each is looked at by itself.

const clusterAndNodes = [...logs.attributes, ...eks.attributes, ...ec2.attributes, ...podIdentity.attributes];

describe("drift", function () {
  this.timeout("15m");

  const tally = new Tally("drift");
  let live: Live;
  let target: Target;

  before(async () => {
    live = await Live.up();
    target = await Target.up(live);
  });
  after(async () => {
    tally.print();
    await live.restore();
  });

  /** Makes the changes, refreshes, ups, and looks at each. */
  async function cycle(drifts: readonly Drift[]): Promise<void> {
    const read = () => Promise.all(drifts.map((one) => one.read(target)));
    const before = await read();
    for (const { change } of drifts) await change(target);
    const changed = await read();
    const events: EngineEvent[] = [];
    await target.stack.stack.refresh({ onEvent: (event) => events.push(event) });
    const steps = stepsOf(events);
    await target.up();
    const mended = await read();
    const wrong: string[] = [];
    for (const [index, one] of drifts.entries()) {
      const faults = [
        ...(equal(before[index], changed[index]) ? ["the change had no effect"] : []),
        ...(isFound(one, steps) ? [] : [`refresh did not find it: ${whatRefreshDid(one, steps)}`]),
        ...(equal(before[index], mended[index])
          ? []
          : [`up left it at ${JSON.stringify(mended[index])} and not ${JSON.stringify(before[index])}`]),
      ];
      tally.note(one.what, faults.length === 0);
      wrong.push(...faults.map((fault) => `${one.what}: ${fault}`));
    }
    expect(wrong).to.deep.equal([]);
    expect((await target.stack.preview()).changes).to.have.all.keys("same");
  }

  if (process.env.FAULTS === "short") {
    it("is found and mended: a handful", () =>
      cycle(
        [iam.roles, iam.oidcProvider, kubernetes.serviceAccounts, ecr.attributes, clusterAndNodes].flatMap(
          (all) => all.slice(0, 2),
        ),
      ));
    return;
  }
  it("of roles and policies is found and mended", () => cycle([...iam.roles, ...iam.oidcProvider]));
  it("of ServiceAccounts and the Deployment is found and mended", () =>
    cycle([...kubernetes.serviceAccounts, ...kubernetes.deployments]));
  it("of registry, cluster and nodes is found and mended", () =>
    cycle([...ecr.attributes, ...clusterAndNodes]));
  it("by deletion is found and mended", () =>
    cycle([iam, kubernetes, ecr, logs, ec2, podIdentity].flatMap(({ deletions }) => deletions)));
  it("by deletion of what holds other things is found and mended", () =>
    cycle([kubernetes, ecr, eks].flatMap(({ deletionsWithContent }) => deletionsWithContent)));
});

const equal = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right);

const stepOf = ({ resource }: Drift, steps: readonly Step[]) =>
  steps.find(({ urn }) => nameOf(urn) === resource);

function isFound(drift: Drift, steps: readonly Step[]): boolean {
  const step = stepOf(drift, steps);
  if (drift.property === undefined) return step?.op === "delete";
  const property = drift.property;
  // A map of one entry goes, or comes, as a whole.
  return Object.keys(step?.detailedDiff ?? {}).some(
    (path) => path === property || path.startsWith(`${property}[`) || property.startsWith(`${path}[`),
  );
}

function whatRefreshDid(drift: Drift, steps: readonly Step[]): string {
  const step = stepOf(drift, steps);
  return step ? `${step.op} ${Object.keys(step.detailedDiff ?? {}).join(", ")}` : "nothing at all";
}
