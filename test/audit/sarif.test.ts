import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { kinds } from "../../audit/kinds.ts";
import { sarif } from "../../audit/sarif.ts";
import { cleanWorld } from "./clean.ts";
import { faults } from "./faults.ts";

/** As much of SARIF 2.1.0 as is written. */
interface Log {
  version: string;
  $schema: string;
  runs: {
    tool: {
      driver: {
        name: string;
        version: string;
        rules: { id: string; shortDescription: { text: string }; defaultConfiguration: { level: string } }[];
      };
    };
    automationDetails: { id: string };
    invocations: {
      executionSuccessful: boolean;
      endTimeUtc: string;
      toolExecutionNotifications: { level: string; message: { text: string } }[];
    }[];
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      message: { text: string };
      locations: {
        physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } };
        logicalLocations: { name: string; fullyQualifiedName: string }[];
      }[];
      partialFingerprints: Record<string, string>;
    }[];
  }[];
}

describe("the audit as SARIF", () => {
  const world = cleanWorld();
  for (const { plant } of faults.filter(({ kind }) =>
    ["whole-service", "node-hop-limit", "key-in-secret"].includes(kind),
  )) {
    plant(world);
  }
  world.unseen.push({ what: "Workloads", why: "They are forbidden.", takes: "Rights to list them." });
  const log = JSON.parse(JSON.stringify(sarif(audit(world), "1.2.3"))) as Log;
  const [run] = log.runs;

  it("has a rule for every kind, and a result for every finding under its rule", () => {
    expect(log.version).to.equal("2.1.0");
    expect(run?.tool.driver.rules.map(({ id }) => id)).to.deep.equal(Object.keys(kinds));
    for (const { ruleId, ruleIndex, level, message } of run?.results ?? []) {
      const rule = run?.tool.driver.rules[ruleIndex];
      expect(rule?.id).to.equal(ruleId);
      expect(rule?.defaultConfiguration.level).to.equal(level);
      expect(["error", "warning", "note"]).to.include(level);
      expect(message.text).not.to.equal("");
    }
    expect(run?.results.map(({ ruleId }) => ruleId)).to.have.members([
      "whole-service",
      "node-hop-limit",
      "key-in-secret",
    ]);
  });

  it("tells findings apart over runs, and where each is", () => {
    const prints = run?.results.map(({ partialFingerprints }) => partialFingerprints["subject/v1"]) ?? [];
    expect(new Set(prints).size).to.equal(prints.length);
    expect(
      run?.results.map(({ locations }) => locations[0]?.physicalLocation.artifactLocation.uri),
    ).to.include("111122223333/eu-central-1/dev/Secret/team-a/aws");
    expect(run?.results[0]?.locations[0]?.logicalLocations[0]?.fullyQualifiedName).to.match(
      /^111122223333\/eu-central-1\/dev\//,
    );
  });

  it("says what could not be looked at", () => {
    expect(run?.invocations[0]).to.deep.equal({
      executionSuccessful: false,
      endTimeUtc: "2026-11-24T12:00:00.000Z",
      toolExecutionNotifications: [
        {
          level: "warning",
          message: { text: "Workloads: They are forbidden. It would take: Rights to list them." },
        },
      ],
    });
  });
});
