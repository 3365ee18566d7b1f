import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import { type EngineSample, engineModel, polynomial, together } from "../../bench/capacity/engine.ts";
import { shape as exampleShape } from "../../bench/capacity/example.ts";
import { filled } from "../../bench/capacity/markdown.ts";
import {
  accountsFor,
  exceeded,
  largest,
  mostBindingsPerCluster,
  mostClusters,
  mostClustersInTrust,
  mostServiceAccountsInTrust,
  type NameLengths,
  needs,
  type Shape,
  trustPolicyFits,
  trustPolicyLength,
} from "../../bench/capacity/model.ts";
import { defaults, type Limits, type QuotaKey, quotas, raised } from "../../bench/capacity/quotas.ts";
import { bindingsWithin, rolloutTime } from "../../bench/capacity/stacks.ts";
import { type Storm, simulateStorm } from "../../bench/capacity/storm.ts";
import { parts } from "../../bench/capacity/tables.ts";
import { kept, page } from "../../bench/capacity.ts";
import { trustPolicyCharacters } from "../../iam/quotas.ts";
import { trustPolicy } from "../../iam/trust-policy.ts";

const names: fc.Arbitrary<NameLengths> = fc.record({
  region: fc.constantFrom("eu-central-1", "us-east-1", "ap-southeast-1"),
  namespace: fc.integer({ min: 4, max: 63 }),
  serviceAccount: fc.integer({ min: 4, max: 63 }),
});

const shapes: fc.Arbitrary<Shape> = fc.record({
  bindingsPerCluster: fc.integer({ min: 0, max: 400 }),
  clustersPerRole: fc.integer({ min: 1, max: 4 }),
  managedPoliciesPerRole: fc.integer({ min: 0, max: 10 }),
  ownPoliciesPerRole: fc.integer({ min: 0, max: 3 }),
  rolesPerCluster: fc.integer({ min: 1, max: 4 }),
  otherRoles: fc.integer({ min: 0, max: 300 }),
  podsPerBinding: fc.integer({ min: 0, max: 20 }),
  identity: fc.constantFrom("irsa" as const, "pod-identity" as const),
  regions: fc.integer({ min: 1, max: 4 }),
  names,
});

const counted: QuotaKey[] = [
  "rolesPerAccount",
  "oidcProvidersPerAccount",
  "clustersPerRegion",
  "customerManagedPolicies",
  "trustPolicyCharacters",
  "podIdentityAssociations",
];

const check = <T extends unknown[]>(property: fc.IProperty<T>, numRuns = 100): void =>
  fc.assert(property, { numRuns });

describe("how much fits", () => {
  it("never less with more of a quota", () => {
    check(
      fc.property(
        shapes,
        fc.constantFrom(...counted),
        fc.integer({ min: 1, max: 3000 }),
        (shape, quota, more) => {
          const larger: Limits = { ...defaults, [quota]: defaults[quota] + more };
          expect(mostClusters(shape, larger).count).to.be.at.least(mostClusters(shape, defaults).count);
        },
      ),
    );
  });

  it("never more with more bindings a cluster", () => {
    check(
      fc.property(shapes, fc.integer({ min: 1, max: 100 }), (shape, more) => {
        const fuller = { ...shape, bindingsPerCluster: shape.bindingsPerCluster + more };
        expect(mostClusters(fuller, defaults).count).to.be.at.most(mostClusters(shape, defaults).count);
      }),
    );
  });

  it("is the most: that many fit, and one more exceeds just what is named", () => {
    check(
      fc.property(shapes, fc.constantFrom(defaults, raised), (shape, limits) => {
        const { count, stops } = mostClusters(shape, limits);
        if (count > 0) expect(exceeded(needs(shape, count, limits))).to.deep.equal([]);
        expect(stops).to.not.deep.equal([]);
        expect(exceeded(needs(shape, count + 1, limits))).to.deep.equal(stops);
        // Each quota that is named does end it, if it is the only one; and without those that are named more would fit.
        for (const { quota } of stops) {
          const only = Object.fromEntries(
            Object.keys(limits).map((key) => [key, key === quota ? limits[quota] : Number.POSITIVE_INFINITY]),
          ) as Limits;
          expect(mostClusters(shape, only).count).to.equal(count);
        }
      }),
    );
  });

  it("says the most bindings of a cluster, in the presence of others", () => {
    check(
      fc.property(shapes, fc.integer({ min: 1, max: 20 }), (shape, clusters) => {
        const { count } = mostBindingsPerCluster(shape, clusters, defaults);
        fc.pre(count > 0);
        expect(mostClusters({ ...shape, bindingsPerCluster: count }, defaults).count).to.be.at.least(
          clusters,
        );
        expect(mostClusters({ ...shape, bindingsPerCluster: count + 1 }, defaults).count).to.be.lessThan(
          clusters,
        );
      }),
    );
  });

  it("gives an organisation as few accounts as hold its clusters", () => {
    check(
      fc.property(
        shapes,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 300 }),
        fc.boolean(),
        (shape, environments, clustersPerEnvironment, accountPerEnvironment) => {
          fc.pre(mostClusters(shape, defaults).count > 0);
          const organisation = { environments, clustersPerEnvironment, accountPerEnvironment, shape };
          const { accounts, clustersPerAccount } = accountsFor(organisation, defaults);
          const groups = accountPerEnvironment ? environments : 1;
          const ofGroup = (environments * clustersPerEnvironment) / groups;
          expect(accounts % groups).to.equal(0);
          expect((accounts / groups) * clustersPerAccount).to.be.at.least(ofGroup);
          expect((accounts / groups - 1) * clustersPerAccount).to.be.lessThan(ofGroup);
        },
      ),
    );
  });

  it("says why a cluster that is too large for an account is", () => {
    const shape = { ...exampleShape, bindingsPerCluster: 2000 };
    const organisation = { environments: 1, clustersPerEnvironment: 1, accountPerEnvironment: true, shape };
    expect(() => accountsFor(organisation, defaults)).to.throw(
      "One cluster with 2000 bindings does not fit in an account: rolesPerAccount allows 1000, it needs 2052",
    );
  });

  it("finds the largest number that passes, and says when nothing ends it", () => {
    check(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (end) => {
        expect(largest((count) => count <= end)).to.equal(end);
      }),
    );
    expect(() => largest(() => true)).to.throw("nothing limits it");
  });
});

describe("how much a trust policy holds", () => {
  it("is the most that this project's own trust policy takes", () => {
    const characters = fc.constantFrom(trustPolicyCharacters.default, trustPolicyCharacters.most);
    check(
      fc.property(names, characters, fc.integer({ min: 1, max: 3 }), (lengths, limit, clusters) => {
        const most = mostServiceAccountsInTrust(lengths, limit, clusters);
        fc.pre(most > 0);
        expect(trustPolicyLength(lengths, clusters, most)).to.be.at.most(limit);
        expect(trustPolicyLength(lengths, clusters, most + 1)).to.be.greaterThan(limit);
        expect(trustPolicyFits(lengths, clusters, most + 1, limit)).to.equal(false);
        const inTrust = mostClustersInTrust(lengths, limit);
        expect(trustPolicyLength(lengths, inTrust, 1)).to.be.at.most(limit);
        expect(trustPolicyLength(lengths, inTrust + 1, 1)).to.be.greaterThan(limit);
      }),
      40,
    );
  });

  it("is measured on policies as long as a real one", () => {
    const lengths = { region: "eu-central-1", namespace: 6, serviceAccount: 6 };
    const real = trustPolicy({
      oidcProviderArn:
        "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
      namespace: "team-a",
      serviceAccount: "reader",
    });
    expect(trustPolicyLength(lengths, 1, 1)).to.equal(JSON.stringify(real).length);
  });

  it("has the quotas that the components have", () => {
    expect(defaults.trustPolicyCharacters).to.equal(trustPolicyCharacters.default);
    expect(raised.trustPolicyCharacters).to.equal(trustPolicyCharacters.most);
  });
});

describe("a storm on STS", () => {
  const storms: fc.Arbitrary<Storm> = fc.record({
    processes: fc.integer({ min: 1, max: 400 }),
    spreadSeconds: fc.integer({ min: 1, max: 60 }),
    ratePerSecond: fc.integer({ min: 2, max: 100 }),
    burst: fc.integer({ min: 1, max: 100 }),
    attempts: fc.integer({ min: 1, max: 5 }),
    longestBackoff: fc.constant(20),
    restartFirst: fc.constant(10),
    restartLongest: fc.constant(300),
    seed: fc.nat(),
  });

  it("serves everybody once, and no faster than the bucket", () => {
    check(
      fc.property(storms, (storm) => {
        const { half, most, all, calls, refused } = simulateStorm(storm);
        expect(calls - refused).to.equal(storm.processes);
        expect(half).to.be.at.most(most);
        expect(most).to.be.at.most(all);
        expect(storm.burst + all * storm.ratePerSecond).to.be.at.least(storm.processes - 1e-6);
      }),
    );
  });

  it("comes out the same for the same seed", () => {
    check(
      fc.property(storms, (storm) => {
        expect(simulateStorm(storm)).to.deep.equal(simulateStorm(storm));
      }),
      20,
    );
  });

  it("refuses nobody while there are tokens for all", () => {
    check(
      fc.property(storms, (storm) => {
        const { refused, restarts, all } = simulateStorm({ ...storm, burst: storm.processes });
        expect({ refused, restarts }).to.deep.equal({ refused: 0, restarts: 0 });
        expect(all).to.be.lessThan(storm.spreadSeconds);
      }),
    );
  });
});

describe("the engine's curves", () => {
  const coefficient = fc.double({ min: 0.01, max: 100, noNaN: true });

  it("find the curve that the points lie on", () => {
    check(
      fc.property(coefficient, coefficient, coefficient, (a, b, c) => {
        const real = (x: number): number => a + b * x + c * x ** 2;
        const found = polynomial(
          [1, 10, 30, 100].map((x) => [x, real(x)] as const),
          2,
        );
        for (const x of [1, 50, 1000]) expect(found(x) / real(x)).to.be.closeTo(1, 1e-3);
      }),
    );
  });

  it("never fall", () => {
    const points = fc.tuple(...[1, 10, 100, 1000].map((x) => coefficient.map((y) => [x, y] as const)));
    check(
      fc.property(points, fc.constantFrom(1 as const, 2 as const), (all, degree) => {
        const found = polynomial(all, degree);
        expect(found(1)).to.be.at.least(0);
        expect(found(100)).to.be.at.least(found(1));
        expect(found(2000)).to.be.at.least(found(100));
      }),
    );
  });

  it("need more points than they have coefficients", () => {
    expect(() =>
      polynomial(
        [
          [1, 1],
          [2, 4],
        ],
        2,
      ),
    ).to.throw("too few");
  });

  it("say the largest stack within a time, and what stacks side by side take", () => {
    const engine = engineModel(kept());
    for (const minutes of [1, 5, 15]) {
      const bindings = bindingsWithin(minutes * 60, engine.upSeconds);
      expect(engine.upSeconds(bindings)).to.be.at.most(minutes * 60);
      expect(engine.upSeconds(bindings + 1)).to.be.greaterThan(minutes * 60);
    }
    const rollout = {
      bindings: 1000,
      iamCallsPerBinding: 3,
      iamCallsPerSecond: 10,
      checkpoints: true,
    };
    check(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 50 }),
        (bindingsPerStack, parallel) => {
          const one = rolloutTime({ ...rollout, bindingsPerStack, parallel }, engine);
          const more = rolloutTime({ ...rollout, bindingsPerStack, parallel: parallel + 1 }, engine);
          expect(one.seconds).to.equal(Math.max(one.engineSeconds, one.iamSeconds));
          expect(one.iamSeconds).to.equal(300);
          expect(more.engineSeconds).to.be.at.most(one.engineSeconds);
          expect(one.engineSeconds * parallel).to.be.at.least(
            // No stack is brought up for nothing: together they hold all bindings.
            (rollout.bindings / bindingsPerStack) * engine.upSeconds(0),
          );
        },
      ),
    );
  });
});

describe("measurements of the engine", () => {
  const sample = (bindings: number, checkpoints: boolean, upSeconds: number): EngineSample => ({
    ...(kept().samples[0] as EngineSample),
    bindings,
    checkpoints,
    upSeconds,
  });
  const before = { ...kept(), samples: [sample(1, true, 1), sample(1000, true, 1000)] };
  const now = { ...kept(), samples: [sample(1, false, 3), sample(1, true, 2)] };
  const seconds = (samples: readonly EngineSample[]) =>
    samples.map((one) => [one.bindings, one.checkpoints, one.upSeconds]);

  it("replace those of the same size, and keep the others of the day", () => {
    expect(seconds(together(before, now).samples)).to.deep.equal([
      [1, true, 2],
      [1000, true, 1000],
      [1, false, 3],
    ]);
  });

  it("are not mixed with those of another machine, engine or day", () => {
    for (const other of [{ machine: "another" }, { engine: "v1" }, { date: "2020-01-01" }]) {
      expect(seconds(together({ ...before, ...other }, now).samples)).to.have.deep.members(
        seconds(now.samples),
      );
    }
  });
});

describe("docs/scale.md", () => {
  it("says what is computed", () => {
    const text = readFileSync(page, "utf8");
    expect(filled(text, parts(kept()))).to.equal(text);
  });

  it("has no figure of its own", () => {
    const prose = readFileSync(page, "utf8")
      .replace(/<!-- capacity:[\w-]+ -->[\s\S]*?<!-- \/capacity -->/g, "")
      .replace(/```[\s\S]*?```/g, "")
      .replace(/`[^`]*`|\]\([^)]*\)|#\d+/g, ""); // code, addresses, numbers of threads
    expect(prose.match(/\b\d[\d.,]*\b/g)).to.equal(null);
  });

  it("is refused with a place for what is not generated, and without one for what is", () => {
    expect(() => filled("<!-- capacity:old -->\n<!-- /capacity -->", {})).to.throw("for the page's old");
    expect(() => filled("", { answers: "" })).to.throw("The page has no place for answers");
  });

  it("names a source for every quota", () => {
    for (const { name, source } of Object.values(quotas)) expect(source.title, name).to.match(/\S{3}/);
  });
});
