import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import {
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  DeleteOpenIDConnectProviderCommand,
  DeletePolicyCommand,
  DeleteRolePermissionsBoundaryCommand,
  PutRolePermissionsBoundaryCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { expect } from "chai";
import type { Cause } from "../../doctor/causes.ts";
import { listBuckets } from "../../iam/policies.ts";
import { stsAudience } from "../../iam/trust-policy.ts";
import { region } from "../../local/run.ts";
import { type LivePatient, role, withPatient, workload } from "./patient.ts";

// The chain of IRSA but for its pods: each cause is made on the live parts by breaking just that; the doctor has to name it,
// and what it says must mend it.

const { namespace, serviceAccount } = workload;

/** As much of a kubeconfig as the tests change. */
interface Config {
  clusters: [{ cluster: { server: string; "certificate-authority"?: string } }];
  users: [{ user: object }];
}

describe("the doctor, of the chain of IRSA", function () {
  this.timeout("5m");

  let patient: LivePatient;
  withPatient(import.meta.filename, this, (one) => {
    patient = one;
  });

  it("finds a whole chain healthy, link by link", async () => {
    const { links } = await patient.healthy();
    expect(links.map(({ id, finding }) => `${id} ${finding.state}`)).to.deep.equal([
      ...["cluster holds", "service-account holds", "issuer holds", "role holds", "oidc-provider holds"],
      ...["trust holds", "session holds", "pod holds", "injection holds", "readable holds", "token holds"],
      ...["sts holds", "permissions holds", "sdk holds"],
    ]);
  });

  describe("cluster, issuer and provider", () => {
    const configOf = (text: string): Config => JSON.parse(text);
    /** Local's kubeconfig, changed. */
    const kubeconfig = (change: (config: Config) => void): string => {
      const config = configOf(patient.kubeconfig);
      change(config);
      return JSON.stringify(config);
    };

    it("a cluster that is not there, or another one's kubeconfig", async () => {
      const missing = await patient.finds("cluster-missing", { cluster: "not-there" });
      expect(missing.disagreement?.found.value).to.contain(workload.cluster);
      const otherServer = `https://0123456789ABCDEF.gr7.${region}.eks.amazonaws.com`;
      const ofAnother = kubeconfig(({ clusters: [one] }) => {
        one.cluster.server = otherServer;
        delete one.cluster["certificate-authority"];
      });
      const other = await patient.finds("kubeconfig-of-another-cluster", {}, ofAnother);
      expect(other.disagreement?.found.value).to.equal(otherServer);
      const file = join(patient.folder, "kubeconfig");
      await patient.runMend(other, { env: { ...patient.shell, KUBECONFIG: file } });
      const { PATH, LD_LIBRARY_PATH = "" } = process.env;
      // What the new one has for a user is a command.
      for (const name of ["PATH", "LD_LIBRARY_PATH"]) process.env[name] = patient.shell[name] ?? "";
      try {
        await patient.healthy({}, readFileSync(file, "utf8"));
      } finally {
        Object.assign(process.env, { PATH, LD_LIBRARY_PATH });
      }
    });

    it("the cluster behind a tunnel is known by its CA", async () => {
      const { hostname, port } = new URL(configOf(patient.kubeconfig).clusters[0].cluster.server);
      const tunnel = createServer((near) => {
        const far = connect(Number(port), hostname);
        near.pipe(far).pipe(near);
        for (const [one, other] of [
          [near, far],
          [far, near],
        ] as const) {
          one.on("error", () => other.destroy());
        }
      });
      await new Promise<void>((resolve) => tunnel.listen(0, hostname, resolve));
      try {
        const server = `https://${hostname}:${(tunnel.address() as AddressInfo).port}`;
        const { links } = await patient.healthy(
          {},
          kubeconfig(({ clusters: [one] }) => {
            one.cluster.server = server;
          }),
        );
        expect(JSON.stringify(links[0])).to.contain(`${server}, known by its CA`);
      } finally {
        tunnel.close();
      }
    });

    it("an API server that does not let one look is not broken, and not healthy", async () => {
      const stranger = kubeconfig(({ users: [one] }) => {
        one.user = { token: "none" };
      });
      expect((await patient.look({}, stranger)).state).to.equal("unseen");
    });

    const deleteProvider = (arn?: string) =>
      patient.iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }));

    it("no OIDC provider for exactly that issuer, with the one that comes nearest", async () => {
      const nearest = patient.issuer.replace(region, "eu-west-1");
      await deleteProvider(patient.providerArn);
      const { OpenIDConnectProviderArn } = await patient.iam.send(
        new CreateOpenIDConnectProviderCommand({
          Url: `https://${nearest}`,
          ClientIDList: [stsAudience],
        }),
      );
      const finding = await patient.finds("provider-missing");
      expect(finding.disagreement).to.deep.equal({
        wanted: { name: "the cluster's issuer", value: `https://${patient.issuer}` },
        found: { name: "the provider that comes nearest", value: nearest },
      });
      await deleteProvider(OpenIDConnectProviderArn);
      await patient.mended(finding);
    });

    it("a provider without the audience", async () => {
      await patient.iam.send(
        new RemoveClientIDFromOpenIDConnectProviderCommand({
          OpenIDConnectProviderArn: patient.providerArn,
          ClientID: stsAudience,
        }),
      );
      await patient.mended(await patient.finds("provider-audience"));
    });
  });

  describe("ServiceAccount and role", () => {
    it("no ServiceAccount, no annotation, one that is no role's ARN", async () => {
      await patient.run(`kubectl delete serviceaccount -n ${namespace} ${serviceAccount}`);
      await patient.runMend(await patient.finds("service-account-missing"));
      const fill = { "arn:aws:iam::ACCOUNT:role/ROLE": patient.roleArn };
      await patient.runMend(await patient.finds("annotation-missing"), { fill });
      await patient.healthy();
      await patient.annotate("arn:aws:sts::000000000000:assumed-role/patient/session");
      await patient.runMend(await patient.finds("annotation-malformed"), { fill });
      await patient.healthy();
    });

    it("no namespace: that is made first, and the ServiceAccount in it", async () => {
      const nowhere = { namespace: "doctor-nowhere" };
      const missing = await patient.finds("namespace-missing", nowhere);
      try {
        await patient.runMend(missing);
        await patient.finds("annotation-missing", nowhere);
      } finally {
        await patient.run(`kubectl delete namespace ${nowhere.namespace} --ignore-not-found --wait=false`);
      }
    });

    it("a role that is not there, one without its path, one of another partition", async () => {
      await patient.annotate(patient.roleArn.replace(role.name, "nobody"));
      await patient.runMend(await patient.finds("role-missing"), { fill: { ARN: patient.roleArn } });
      await patient.healthy();
      await patient.annotate(patient.roleArn.replace(role.path, "/"));
      await patient.mended(await patient.finds("role-path"));
      await patient.annotate(patient.roleArn.replace("arn:aws:", "arn:aws-cn:"));
      await patient.mended(await patient.finds("role-partition"));
    });

    it("sessions that are longer than the role allows", async () => {
      const longer = { sessionSeconds: 7200 };
      await patient.mended(await patient.finds("session-duration", longer), longer);
      await patient.iam.send(new UpdateRoleCommand({ RoleName: role.name, MaxSessionDuration: 3600 }));
    });
  });

  describe("trust policy", () => {
    const keyed = (key: () => string) => (text: string) =>
      text.replaceAll(`"${patient.issuer}:`, `"${key()}:`);
    const changed = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);
    /** Beside what allows, the same denied, or what these conditions say of it. */
    const denied = (condition?: () => object) => (text: string) => {
      const { Version, Statement } = JSON.parse(text);
      const deny = { ...Statement[0], Effect: "Deny", ...(condition && { Condition: condition() }) };
      return JSON.stringify({ Version, Statement: [...Statement, deny] });
    };
    const cases: [cause: Cause, what: string, change: (text: string) => string][] = [
      ["trust-action", "another action", changed("sts:AssumeRoleWithWebIdentity", "sts:AssumeRole")],
      ["trust-principal", "a provider of another account", changed("iam::000000000000", "iam::111122223333")],
      [
        "trust-principal",
        "a provider of another region",
        changed(`oidc-provider/oidc.eks.${region}`, "oidc-provider/oidc.eks.us-east-1"),
      ],
      ["trust-principal", "a provider of another partition", changed('"arn:aws:iam', '"arn:aws-cn:iam')],
      [
        "trust-principal",
        "a provider with a slash",
        (text) => text.replace(`${patient.providerArn}"`, `${patient.providerArn}/"`),
      ],
      [
        "trust-principal",
        "a service",
        changed(/"Principal":\{[^}]*\}/, '"Principal":{"Service":"ec2.amazonaws.com"}'),
      ],
      ["trust-key-scheme", "the URL with its scheme", keyed(() => `https://${patient.issuer}`)],
      ["trust-key-slash", "a slash after the URL", keyed(() => `${patient.issuer}/`)],
      ["trust-key-arn", "the provider's ARN as the key", keyed(() => patient.providerArn)],
      [
        "trust-key-issuer",
        "another region's issuer",
        keyed(() => patient.issuer.replace(region, "us-east-1")),
      ],
      ["trust-operator", "a pattern under StringEquals", changed(`:${serviceAccount}`, ":*")],
      ["trust-operator", "StringNotEquals", changed("StringEquals", "StringNotEquals")],
      ["trust-subject", "another namespace", changed(`:${namespace}:`, ":docter:")],
      ["trust-subject", "another ServiceAccount", changed(`:${serviceAccount}`, ":doctor")],
      ["trust-audience", "another audience", changed('"sts.amazonaws.com"', '"sts.amazonaws.com.cn"')],
      [
        "trust-no-statement",
        "nothing that allows",
        () =>
          JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              { Effect: "Deny", Action: "sts:AssumeRole", Principal: { Service: "ec2.amazonaws.com" } },
            ],
          }),
      ],
      [
        "trust-deny",
        "a Deny of all that is in the namespace, which stays for the others",
        denied(() => ({
          StringLike: { [`${patient.issuer}:sub`]: `system:serviceaccount:${namespace}:*` },
        })),
      ],
      ["trust-deny", "a Deny", denied()],
    ];
    for (const [cause, what, change] of cases) {
      it(`${what} (${cause})`, async () => {
        await patient.trust(change(JSON.stringify(patient.trustPolicy)));
        const finding = await patient.finds(cause);
        if (finding.disagreement) {
          expect(finding.disagreement.wanted.value).not.to.equal(finding.disagreement.found.value);
        }
        await patient.mended(finding);
      });
    }

    it("a condition that only STS can judge (sts-refused)", async () => {
      await patient.trust({
        ...patient.trustPolicy,
        Statement: patient.trustPolicy.Statement.map((statement) => ({
          ...statement,
          Condition: { ...statement.Condition, IpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
        })),
      });
      expect((await patient.finds("sts-refused")).what).to.contain("AccessDenied");
      await patient.trust(patient.trustPolicy);
      await patient.healthy();
    });
  });

  describe("permissions", () => {
    it("no policy that allows it", async () => {
      await patient.deletePolicy(listBuckets.name);
      await patient.mended(await patient.finds("not-allowed"));
      await patient.deletePolicy("s3-ListAllMyBuckets");
      await patient.putPolicy(listBuckets.name, listBuckets.document);
    });

    it("one that denies it", async () => {
      await patient.putPolicy("deny", {
        Version: "2012-10-17",
        Statement: [{ Effect: "Deny", Action: "s3:List*", Resource: "*" }],
      });
      await patient.finds("denied");
      await patient.deletePolicy("deny");
      await patient.healthy();
    });

    it("a boundary that leaves it out", async () => {
      const Statement = [{ Effect: "Allow", Action: "sqs:*", Resource: "*" }];
      const { Policy } = await patient.iam.send(
        new CreatePolicyCommand({
          PolicyName: "boundary",
          PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
        }),
      );
      const ofRole = { RoleName: role.name };
      await patient.iam.send(
        new PutRolePermissionsBoundaryCommand({ ...ofRole, PermissionsBoundary: Policy?.Arn }),
      );
      const finding = await patient.finds("boundary");
      expect(finding.disagreement?.found.value).to.equal(Policy?.Arn);
      await patient.iam.send(new DeleteRolePermissionsBoundaryCommand(ofRole));
      await patient.iam.send(new DeletePolicyCommand({ PolicyArn: Policy?.Arn }));
      await patient.healthy();
    });
  });
});
