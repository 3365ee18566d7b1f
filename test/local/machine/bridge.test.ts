import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { bridgeOwner, createBridge } from "../../../local/machine/bridge.ts";
import { failureOf } from "../../failure.ts";

describe("whose bridge is there", () => {
  let devices: string;
  beforeEach(() => {
    devices = mkdtempSync(join(tmpdir(), "eks-irsa-devices-"));
  });
  afterEach(() => rmSync(devices, { recursive: true }));

  /** What the kernel shows of a device that has an alias. */
  const bridge = (alias: string): void => {
    mkdirSync(join(devices, "eksirsa0"));
    writeFileSync(join(devices, "eksirsa0", "ifalias"), alias === "" ? "" : `${alias}\n`);
  };

  it("is nobody's where there is none", () => {
    expect(bridgeOwner(devices)).to.equal(undefined);
  });

  it("is the run's that it names, also of a folder with a space", () => {
    bridge("eks-irsa local: /home/a b/.cache/eks-irsa/run");
    expect(bridgeOwner(devices)).to.equal("/home/a b/.cache/eks-irsa/run");
  });

  for (const alias of ["", "uplink"]) {
    it(`is a stranger's with the alias "${alias}": none is made in its place, and the error says what to do`, async () => {
      bridge(alias);
      expect(bridgeOwner(devices)).to.equal(undefined);
      expect((await failureOf(createBridge("/run", devices))).message).to.equal(
        "A network device eksirsa0 is there that bears no mark of local, which needs the name for its own. " +
          "If nothing of yours uses it, remove it: `ip link delete eksirsa0`.",
      );
    });
  }
});
