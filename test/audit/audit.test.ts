import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { kinds } from "../../audit/kinds.ts";
import { trustPolicy } from "../../iam/trust-policy.ts";
import { annotation, arnOf, cleanWorld, oidcProviderArn, role } from "./clean.ts";
import { faults } from "./faults.ts";

describe("the audit", () => {
  const found = (world: ReturnType<typeof cleanWorld>) =>
    audit(world).findings.map(({ id, subject }) => `${id} ${subject.name}`);

  it("finds nothing in a cluster in which all is well", () => {
    expect(found(cleanWorld())).to.deep.equal([]);
  });

  describe("finds what is planted, and nothing else:", () => {
    for (const { kind, what, subject, plant } of faults) {
      it(`${kind}: ${what}`, () => {
        const world = cleanWorld();
        plant(world);
        const { findings } = audit(world);
        expect(findings.map(({ id, subject }) => `${id} ${subject.name}`)).to.deep.equal([
          `${kind} ${subject}`,
        ]);
        const [one] = findings;
        expect(one?.evidence, "evidence").not.to.be.empty;
        expect([...(one?.mend ?? []), ...(one?.advice ?? [])], "a mend or advice").not.to.be.empty;
        expect(one?.what).to.match(/\.$/);
      });
    }
  });

  it("tells folders of the node that open other pods from those that do not", () => {
    const finds = (path: string): boolean => {
      const world = cleanWorld();
      for (const one of world.workloads) if (one.name === "reader") one.hostPaths = [path];
      return found(world).length > 0;
    };
    const opening = [
      "/",
      "/var",
      "/var/lib/kubelet/",
      "/var/lib/kubelet/pods/0123",
      "/run",
      "/var/run/docker.sock",
      "/proc",
    ];
    const harmless = [
      "/var/log",
      "/var/lib/kubelet/plugins",
      "/var/run/aws-node",
      "/etc/ssl/certs",
      "/process",
    ];
    expect([...opening, ...harmless].filter(finds)).to.deep.equal(opening);
  });

  it("says that a role of another account was not seen, unless that was asked for", () => {
    const world = cleanWorld();
    const arn = "arn:aws:iam::444455556666:role/reader";
    for (const account of world.serviceAccounts)
      if (account.name === "reader") account.annotations[annotation] = arn;
    world.pods = world.pods.filter(({ serviceAccount }) => serviceAccount !== "reader");
    world.roles = world.roles.filter(({ name }) => name !== "reader");
    const { findings, unseen } = audit(world);
    expect({ findings, unseen: unseen.map(({ what }) => what) }).to.deep.equal({
      findings: [],
      unseen: [`The role ${arn}`],
    });
    expect(audit({ ...world, skipped: ["other-accounts"] }).unseen).to.deep.equal([]);
  });

  it("is of the namespaces that were looked at: what is elsewhere is not known to be gone", () => {
    const world = cleanWorld();
    const trusting = trustPolicy({ oidcProviderArn, namespace: "team-c", serviceAccount: "nobody" });
    world.roles.push(role("elsewhere", { trustPolicy: JSON.stringify(trusting) }));
    expect(found({ ...world, namespaces: ["team-a"] })).to.deep.equal([]);
    expect(found(world)).to.deep.equal([`role-unused ${arnOf("elsewhere")}`]);
  });

  it("has a mend that mends: what trusts too many trusts its ServiceAccount alone", () => {
    const mended = faults
      .filter(({ kind }) => /^trust-/.test(kind))
      .flatMap(({ kind, what, plant }) => {
        const world = cleanWorld();
        plant(world);
        const [command] = audit(world).findings[0]?.mend ?? [];
        const [, name, policy] =
          /^aws iam update-assume-role-policy --role-name (\S+) --policy-document '(.*)'$/s.exec(
            command ?? "",
          ) ?? [];
        if (name === undefined || policy === undefined) return [];
        for (const one of world.roles) if (one.name === name) one.trustPolicy = policy;
        return [{ fault: `${kind}: ${what}`, left: audit(world).findings.map(({ id }) => id) }];
      });
    expect(mended.length).to.be.at.least(25);
    // Where what is lacking is added, the statement that was meant to be it stays, which the advice says.
    const stays = { "trust-operator": "trust-pattern-literal", "trust-subject": "role-not-asked-for" };
    const beside = mended.filter(({ left }) => left.length > 0);
    expect(beside.map(({ fault, left }) => [fault.split(":")[0], ...left])).to.deep.equal(
      Object.entries(stays),
    );
  });

  it("has each of its kinds planted", () => {
    const planted = new Set(faults.map(({ kind }) => kind));
    expect(Object.keys(kinds).filter((kind) => !planted.has(kind as keyof typeof kinds))).to.deep.equal([]);
    expect(planted.size).to.be.at.least(40);
  });
});
