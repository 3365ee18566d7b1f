import { expect } from "chai";
import { causes, type MendedCause } from "../../doctor/causes.ts";
import type { Broken, Patient } from "../../doctor/chain.ts";
import { type Diagnosis, diagnose } from "../../doctor/diagnosis.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { issuer, oidcProviderArn } from "../mocks.ts";
import { authority, brokenOf, patient, roleArn } from "./captured.ts";
import { Living, type Template } from "./living.ts";

// What the doctor prints is run as it stands, for every cause that has a command: it makes the chain hold, and gives nobody
// else anything.

interface Case {
  readonly fault: (living: Living) => void;
  readonly look?: Partial<Patient>;
  /** What a person does of what no command can: fills in a word, or changes a manifest. */
  readonly fill?: Readonly<Record<string, string>>;
  readonly byHand?: (living: Living) => void;
}
type Cases = Readonly<Record<string, Case>>;

const right = trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" });
const [statement] = right.Statement;
const trusting = (change: (text: string) => string): Case => ({
  fault: (living) => void living.setRole("reader", change(JSON.stringify(right)), { allows: listing }),
});
const listing = "s3:ListAllMyBuckets";
const changed = (from: string, to: string): Case => trusting((text) => text.replaceAll(from, to));
const keyed = (key: string): Case => changed(`"${issuer}:`, `"${key}:`);
const associated = (trust: object, more: { sessionTags?: boolean } = {}): Case => ({
  fault(living) {
    living.associate(more);
    living.setRole("reader", trust, { allows: listing });
  },
});
const podTrust = podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "reader" }]);

const target = "arn:aws:iam::222233334444:role/invoices";
const ways = { profiles: { role: "roles", target: "next" } };
const chained = (trust: object, change: (living: Living) => void = () => {}): Case => ({
  look: { assumeRole: target, ...ways },
  fault(living) {
    living.setRole("reader", right, { allows: "sts:AssumeRole", on: target });
    living.setRole("invoices", trust, { profile: "next", allows: listing });
    change(living);
  },
});
const assume = (Principal: object, more: object = {}) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal, ...more }],
});

const withTemplate = (change: (template: Template, living: Living) => void): Case => ({
  fault(living) {
    change(living.template(), living);
    living.makePods();
  },
});
const env = (variables: Readonly<Record<string, string>>) => ({
  env: Object.entries(variables).map(([name, value]) => ({ name, value })),
});
/** The same fault of what is made by hand: its manifest is changed by hand, too. */
const byHand = ({ fault }: Case): Case => ({
  fault(living) {
    living.templates.set("reader", { ...living.template(), kind: "manifest" });
    fault(living);
  },
  byHand: (living) => void Object.assign(living.template().containers[0] as object, { env: [] }),
});
const ownRole = withTemplate(({ containers: [one] }) =>
  Object.assign(one as object, env({ AWS_ROLE_ARN: roleArn })),
);
const otherRole = withTemplate(({ containers: [one] }) =>
  Object.assign(
    one as object,
    env({
      AWS_ROLE_ARN: `${roleArn}-2`,
      AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    }),
  ),
);
const older: Case = {
  fault(living) {
    living.annotate(undefined);
    living.makePods();
    living.annotate(roleArn);
  },
};
const before: Case = {
  fault(living) {
    living.annotate(`${roleArn}-before`);
    living.makePods();
    living.annotate(roleArn);
  },
};
const notInjected: Case = {
  fault(living) {
    living.webhook = false;
    living.makePods();
    living.webhook = true;
  },
};

/** With which a stack makes again what it made. */
const byStack = (fault: Case["fault"]): Case => ({
  look: { stack: "dev" },
  fault(living) {
    fault(living);
    living.stack = () => {
      living.namespaces.add("team-a");
      living.annotate(roleArn);
    };
  },
});
const arn = { "arn:aws:iam::ACCOUNT:role/ROLE": roleArn };
const noAccount: Case["fault"] = (living) => void living.serviceAccounts.delete("team-a/reader");
const noNamespace: Case["fault"] = (living) => {
  living.namespaces.delete("team-a");
  noAccount(living);
};
/** The role is where the ARN does not say. */
const moved = (path: string): Case => ({
  fault: (living) => void living.setRole("reader", right, { path, allows: listing }),
});

/** A type that asks for every cause with a mend: one that is forgotten does not compile. */
const cases: Readonly<Record<MendedCause, Cases>> = {
  "kubeconfig-of-another-cluster": {
    "EKS's address of another": {
      fault(living) {
        living.server = "https://DEF.gr7.eu-central-1.eks.amazonaws.com";
        living.certificateAuthority = authority("other");
      },
    },
  },
  "namespace-missing": { "by hand": { fault: noNamespace, fill: arn }, "by the stack": byStack(noNamespace) },
  "service-account-missing": {
    "by hand": { fault: noAccount, fill: arn },
    "by the stack": byStack(noAccount),
  },
  "annotation-missing": {
    "by hand": { fault: (living) => living.annotate(undefined), fill: arn },
    "by the stack": byStack((living) => living.annotate(undefined)),
  },
  "annotation-malformed": {
    "by hand": { fault: (living) => living.annotate("reader"), fill: arn },
    "by the stack": byStack((living) => living.annotate("reader")),
  },
  "role-missing": {
    "of the annotation": { fault: (living) => living.annotate(`${roleArn}-gone`), fill: { ARN: roleArn } },
    "by the stack": byStack((living) => living.annotate(`${roleArn}-gone`)),
    "of the association": {
      fault: (living) => living.associate({ roleArn: `${roleArn}-gone` }),
      fill: { ARN: roleArn },
    },
  },
  "role-path": {
    "of the annotation": moved("/team/"),
    "of the association": {
      fault(living) {
        living.associate();
        living.setRole("reader", podTrust, { path: "/team/", allows: listing });
      },
    },
  },
  "role-partition": {
    "of the annotation": { fault: (living) => living.annotate(roleArn.replace("arn:aws:", "arn:aws-cn:")) },
  },
  "provider-missing": {
    none: { fault: (living) => void living.account().providers.splice(0), look: ways },
    "with an audience of its own": {
      fault(living) {
        const more = { "eks.amazonaws.com/audience": "other" };
        living.account().providers.splice(0);
        living.annotate(roleArn, more);
        const own = trustPolicy({
          oidcProviderArn,
          namespace: "team-a",
          serviceAccount: "reader",
          audience: "other",
        });
        living.setRole("reader", own, { allows: listing });
        living.makePods();
      },
    },
  },
  "provider-audience": {
    another: {
      fault: (living) =>
        void living
          .account()
          .providers.splice(0, 1, { arn: oidcProviderArn, url: issuer, audiences: ["other"] }),
      look: ways,
    },
  },
  "trust-no-statement": {
    none: trusting(() => JSON.stringify({ Version: "2012-10-17", Statement: [] })),
    "no JSON": trusting(() => "{"),
  },
  "trust-action": { another: changed("sts:AssumeRoleWithWebIdentity", "sts:AssumeRole") },
  "trust-principal": {
    "another account's": changed("iam::111122223333:oidc", "iam::444455556666:oidc"),
    "a service": trusting((text) =>
      text.replace(/"Principal":\{[^}]*\}/, '"Principal":{"Service":"ec2.amazonaws.com"}'),
    ),
    "of Pod Identity another service": associated(
      JSON.parse(JSON.stringify(podTrust).replace("pods.eks", "ec2")) as object,
    ),
    "of the next role another": chained(assume({ AWS: "arn:aws:iam::111122223333:role/other" })),
  },
  "trust-key-scheme": { "https://": keyed(`https://${issuer}`) },
  "trust-key-slash": { slash: keyed(`${issuer}/`) },
  "trust-key-arn": { ARN: keyed(oidcProviderArn) },
  "trust-key-issuer": { "another's": keyed(`${issuer}X`) },
  "trust-operator": {
    "a star that is none": changed(":reader", ":*"),
    StringNotEquals: changed("StringEquals", "StringNotEquals"),
  },
  "trust-subject": { another: changed(":reader", ":writer") },
  "trust-audience": { another: changed('"sts.amazonaws.com"', '"sts.amazonaws.com.cn"') },
  "trust-condition": {
    "another ServiceAccount of Pod Identity": associated(
      podIdentityTrustPolicy([{ namespace: "team-b", serviceAccount: "reader" }]),
    ),
    "tags that the session has not": associated(podTrust, { sessionTags: false }),
    "tags that the session has not, and of another": associated(
      podIdentityTrustPolicy([{ namespace: "team-b", serviceAccount: "reader" }]),
      { sessionTags: false },
    ),
    "an external id": chained(
      assume({ AWS: "111122223333" }, { Condition: { StringEquals: { "sts:ExternalId": "x1" } } }),
    ),
  },
  "trust-tag-session": {
    "not allowed": associated({
      ...podTrust,
      Statement: [{ ...podTrust.Statement[0], Action: "sts:AssumeRole" }],
    }),
  },
  "trust-deny": {
    "of just this one": trusting(() =>
      JSON.stringify({ ...right, Statement: [statement, { ...statement, Effect: "Deny" }] }),
    ),
    "of a whole namespace": trusting(() =>
      JSON.stringify({
        ...right,
        Statement: [
          {
            ...statement,
            Sid: "all",
            Condition: { StringLike: { [`${issuer}:sub`]: "system:serviceaccount:*" } },
          },
          {
            ...statement,
            Sid: "none",
            Effect: "Deny",
            Condition: { StringLike: { [`${issuer}:sub`]: "system:serviceaccount:team-a:*" } },
          },
        ],
      }),
    ),
    "two of them, and of everybody": trusting(() =>
      JSON.stringify({
        ...right,
        Statement: [
          { ...statement, Condition: { StringLike: { [`${issuer}:sub`]: "system:serviceaccount:*" } } },
          { Effect: "Deny", Action: "sts:*", Principal: "*" },
          { ...statement, Effect: "Deny" },
        ],
      }),
    ),
    "of Pod Identity": associated({
      ...podTrust,
      Statement: [
        { ...podTrust.Statement[0], Condition: undefined },
        {
          ...podTrust.Statement[0],
          Effect: "Deny",
          Condition: { StringLike: { "aws:RequestTag/kubernetes-namespace": "team-*" } },
        },
      ],
    }),
    "of the next role": chained({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: "111122223333" } },
        { Effect: "Deny", Action: "sts:AssumeRole", Principal: { AWS: "*" } },
      ],
    }),
  },
  "session-duration": { longer: { fault: () => {}, look: { sessionSeconds: 7200, ...ways } } },
  "pod-service-account": {
    "one workload": withTemplate((template) => {
      template.serviceAccount = "default";
    }),
  },
  "agent-missing": {
    none: {
      fault(living) {
        living.associate();
        living.agent = false;
      },
    },
  },
  "own-variables": {
    "the role alone": ownRole,
    "in a manifest": byHand(ownRole),
    "of the agent": {
      fault(living) {
        const own = env({ AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials" });
        Object.assign(living.template().containers[0] as object, own);
        living.associate();
      },
    },
  },
  "not-injected": { "by a workload": notInjected, "by hand": byHand(notInjected) },
  "pod-older": {
    "by a workload": older,
    "by hand": byHand(older),
    "than the association": {
      fault(living) {
        living.annotate(undefined);
        living.makePods();
        const { pods } = living;
        living.associate();
        living.pods = pods;
      },
    },
  },
  "pod-other-role": {
    "of before": before,
    "of before, by a StatefulSet": {
      fault(living) {
        living.templates.set("reader", { ...living.template(), kind: "statefulset" });
        before.fault(living);
      },
    },
    "of the template": otherRole,
    "of a manifest": byHand(otherRole),
  },
  "web-identity-first": {
    "of the template": {
      fault(living) {
        living.associate();
        otherRole.fault(living);
      },
    },
  },
  "token-unreadable": {
    "by the second of two users": withTemplate((template) => {
      delete template.fsGroup;
      template.tokenMode = 0o400;
      template.containers = ["app", "other"].map((name, at) => ({
        name,
        image: "example.com/app:1",
        securityContext: { runAsUser: at + 1, runAsGroup: at + 1 },
      }));
    }),
  },
  "may-not-assume": {
    "across accounts": chained(assume({ AWS: roleArn }), (living) => void living.setRole("reader", right)),
  },
  "not-allowed": {
    "of the pod's role": {
      fault: (living) => void living.setRole("reader", right),
      look: { actions: ["s3:GetObject=arn:aws:s3:::invoices/*"], ...ways },
    },
    "of the next role": chained(
      assume({ AWS: roleArn }),
      (living) => void living.setRole("invoices", assume({ AWS: roleArn }), { profile: "next" }),
    ),
  },
};

/** What others get, as the commands must leave it: an answer of STS's, or of a service's. */
async function bystanders(living: Living): Promise<string[]> {
  const got: string[] = [];
  const see = async (what: string, ask: Promise<boolean>): Promise<void> => {
    if (await ask) got.push(what);
  };
  for (const { roles } of new Set(living.accounts.values())) {
    for (const role of roles.values()) {
      for (const account of ["team-a:other", "team-b:reader", "team-a:reader2"]) {
        const [namespace = "", serviceAccount = ""] = account.split(":");
        const pod = living.admitsPod(role, { namespace, serviceAccount });
        await see(`${account} ${role.arn}`, living.admits(role.arn, `system:serviceaccount:${account}`));
        await see(`${account} by Pod Identity ${role.arn}`, pod);
      }
      await see(`a cluster ${role.arn}`, living.admitsPod(role, { cluster: "other" }));
      await see(`without tags ${role.arn}`, living.admitsPod(role, { tagged: false }));
      const elsewhere = { issuer: `${issuer}X` };
      await see(`an issuer ${role.arn}`, living.admits(role.arn, undefined, elsewhere));
      await see(`an audience ${role.arn}`, living.admits(role.arn, undefined, { aud: "third" }));
      await see(`a role ${role.arn}`, living.assumes("arn:aws:iam::111122223333:role/third", role.arn));
      for (const [action = "", resource = ""] of [
        ["s3:GetObject", "arn:aws:s3:::other/1"],
        ["s3:DeleteObject", "arn:aws:s3:::invoices/1"],
        ["iam:CreateUser", "arn:aws:iam::111122223333:user/x"],
        ["sts:AssumeRole", "arn:aws:iam::222233334444:role/other"],
      ]) {
        await see(`${role.arn} ${action} ${resource}`, living.may(role.arn, action, resource, role.policies));
      }
    }
  }
  return got;
}

const look = (living: Living, more: Partial<Patient> = {}): Promise<Diagnosis> =>
  diagnose(living.world(), { ...patient, ...more });

/** Runs what the doctor gives for it, word by word but for those that are to be filled in. */
function mend(living: Living, { mend, what }: Broken, { fill = {} }: Case): void {
  expect(mend, what).not.to.have.length(0);
  for (const command of mend) {
    const filled = Object.entries(fill).reduce(
      (line, [word, value]) => line.replaceAll(word, value),
      command,
    );
    living.run(filled);
  }
}

describe("the doctor's mends, run as they are printed", () => {
  it("begin in a world in which all is well, by either mechanism", async () => {
    const living = new Living();
    expect((await look(living)).state).to.equal("healthy");
    living.associate();
    expect(await look(living)).to.include({ state: "healthy", chain: "pod-identity" });
  });

  it("are run for every cause that has one", () => {
    const mended = Object.entries(causes).flatMap(([cause, way]) => (way === "advice" ? [] : [cause]));
    expect(Object.keys(cases).sort()).to.deep.equal(mended.sort());
    for (const [cause, all] of Object.entries(cases)) expect(Object.keys(all), cause).not.to.have.length(0);
  });

  for (const [cause, all] of Object.entries(cases)) {
    for (const [what, one] of Object.entries(all)) {
      it(`make the chain hold, and nothing more: ${cause}, ${what}`, async () => {
        const living = new Living();
        one.fault(living);
        const others = await bystanders(living);
        const seen: string[] = [];
        for (;;) {
          const diagnosis = await look(living, one.look);
          if (diagnosis.state !== "broken") {
            expect(diagnosis.state, JSON.stringify(diagnosis.links)).to.equal("healthy");
            break;
          }
          const broken = brokenOf(diagnosis);
          // What comes after it is a fault of its own; itself it must not be again.
          expect(seen, broken.what).not.to.include(broken.cause);
          seen.push(broken.cause);
          one.byHand?.(living);
          mend(living, broken, one);
        }
        expect(seen[0]).to.equal(cause);
        expect(await bystanders(living)).to.deep.equal(others);
      });
    }
  }
});
