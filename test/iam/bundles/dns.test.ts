import { expect } from "chai";
import { allowed, changeRecords, examples, recordTypes, refuse, zone } from "./harness.ts";

describe("bundles of DNS", () => {
  for (const name of ["external-dns", "cert-manager"] as const) {
    it(`${name} changes records in its zones only`, async () => {
      expect(await allowed(examples[name], changeRecords, zone("ZALLOWED"), recordTypes("TXT"))).to.equal(
        true,
      );
      expect(await allowed(examples[name], changeRecords, zone("ZOTHER"), recordTypes("TXT"))).to.equal(
        false,
      );
      expect(await allowed(examples[name], "route53:DeleteHostedZone", zone("ZALLOWED"))).to.equal(false);
    });
  }

  it("cert-manager changes TXT records only, external-dns others too", async () => {
    for (const records of [["A"], ["TXT", "A"]]) {
      expect(
        await allowed(examples["cert-manager"], changeRecords, zone("ZALLOWED"), recordTypes(...records)),
      ).to.equal(false);
      expect(
        await allowed(examples["external-dns"], changeRecords, zone("ZALLOWED"), recordTypes(...records)),
      ).to.equal(true);
    }
  });

  it("external-dns reads the records of zones that it may not changeRecords, since it reads all and ends at the first that it may not read", async () => {
    const read = (zoneId: string) =>
      allowed(examples["external-dns"], "route53:ListResourceRecordSets", zone(zoneId));
    expect(await read("ZALLOWED")).to.equal(true);
    expect(await read("ZOTHER")).to.equal(true);
  });

  refuse([
    ["no zones", { bundle: "external-dns" }, ".hostedZones is not set; it must be a list of Route 53"],
    [
      "all zones",
      { bundle: "external-dns", hostedZones: ["*"] },
      '.hostedZones holds ["*"]; it must be a list',
    ],
    [
      "one zone that is not in a list",
      { bundle: "cert-manager", hostedZones: "ZALLOWED" },
      '.hostedZones holds "ZALLOWED"; it must be a list',
    ],
  ]);
});
