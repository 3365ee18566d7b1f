import type { KindId } from "../../audit/kinds.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import {
  allow,
  annotation,
  arnOf,
  association,
  document,
  issuer,
  oidcProviderArn,
  pod,
  role,
  type World,
  workload,
} from "./clean.ts";

// One planted fault each, and the finding that it must come to: that one, and no other.

export interface Fault {
  readonly kind: KindId;
  readonly what: string;
  /** What the finding is about, or a part of it. */
  readonly subject: string;
  plant(world: World): void;
}

/** The element that a test means; that it is there is the clean world's business. */
function one<T>(list: readonly T[], is: (item: T) => boolean): T {
  const found = list.find(is);
  if (found === undefined) throw new Error("The clean world has no such thing.");
  return found;
}
const named =
  (name: string) =>
  (item: { name: string }): boolean =>
    item.name === name;
const roleOf = (world: World, name = "reader") => one(world.roles, named(name));
const podOf = (world: World, name = "reader") =>
  one(world.pods, ({ serviceAccount }) => serviceAccount === name);
const accountOf = (world: World, name = "reader") => one(world.serviceAccounts, named(name));
const associationOf = (world: World) => one(world.associations, () => true);

const right = () => trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" });
/** The reader's role trusts what a text comes to. */
const trusting = (change: (text: string) => string) => (world: World) => {
  roleOf(world).trustPolicy = change(JSON.stringify(right()));
};
/** The reader's role has another statement in its trust policy, beside the right one. */
const also =
  (...statements: object[]) =>
  (world: World) => {
    roleOf(world).trustPolicy = document(...right().Statement, ...statements);
  };
const withCondition = (Condition: object) => trusting(() => document({ ...right().Statement[0], Condition }));
const aud = { [`${issuer}:aud`]: "sts.amazonaws.com" };
const sub = (subject: string) => ({ [`${issuer}:sub`]: subject });
const reader = "system:serviceaccount:team-a:reader";
const assumedBy = (Principal: object | string, more: object = {}) => ({
  Effect: "Allow",
  Principal,
  Action: "sts:AssumeRole",
  ...more,
});
/** The reader's role has just these statements as its policy. */
const may =
  (...statements: object[]) =>
  (world: World) => {
    roleOf(world).inline = [{ name: "more", document: document(...statements) }];
  };
/** A role that trusts a subject of this cluster, beside those that are there. */
const another = (world: World, name: string, subject: string, namespace = "team-a"): void => {
  world.roles.push(
    role(name, {
      trustPolicy: JSON.stringify(trustPolicy({ oidcProviderArn, namespace, serviceAccount: subject })),
    }),
  );
};
const keyed = (key: string) => trusting((text) => text.replaceAll(`"${issuer}:`, `"${key}:`));

const readerRole = arnOf("reader");
const trust = (kind: KindId, what: string, plant: Fault["plant"], subject = readerRole): Fault => ({
  kind,
  what,
  subject,
  plant,
});
const refused = (kind: KindId, what: string, plant: Fault["plant"]): Fault =>
  trust(kind, what, plant, "team-a/reader");
const permission = (kind: KindId, what: string, ...statements: object[]): Fault =>
  trust(kind, what, may(...statements));

const otherIssuer = issuer.replace("0123456789ABCDEF", "FEDCBA9876543210");
const otherProvider = oidcProviderArn.replace(issuer, otherIssuer);

export const faults: readonly Fault[] = [
  // Whom a role admits.
  trust("trust-anyone", "Principal *", also(assumedBy("*"))),
  trust("trust-anyone", "AWS: *", also(assumedBy({ AWS: "*" }))),
  trust("trust-no-subject", "no sub", withCondition({ StringEquals: aud })),
  trust("trust-no-audience", "no aud", withCondition({ StringEquals: sub(reader) })),
  trust(
    "trust-no-audience",
    "aud *",
    withCondition({ StringEquals: sub(reader), StringLike: { [`${issuer}:aud`]: "*" } }),
  ),
  trust("trust-any-subject", "sub *", withCondition({ StringEquals: aud, StringLike: sub("*") })),
  trust(
    "trust-any-subject",
    "any ServiceAccount of any namespace",
    withCondition({ StringEquals: aud, StringLike: sub("system:serviceaccount:*:*") }),
  ),
  trust(
    "trust-any-namespace",
    "one name in every namespace",
    withCondition({ StringEquals: aud, StringLike: sub("system:serviceaccount:*:reader") }),
  ),
  trust(
    "trust-pattern-others",
    "a whole namespace, in which others are",
    withCondition({ StringEquals: aud, StringLike: sub("system:serviceaccount:team-a:*") }),
  ),
  trust(
    "trust-pattern-open",
    "a pattern that today only the reader fits",
    withCondition({ StringEquals: aud, StringLike: sub("system:serviceaccount:team-a:read*") }),
  ),
  trust(
    "trust-pattern-literal",
    "a * under StringEquals, beside the right subject",
    withCondition({
      StringEquals: { ...aud, [`${issuer}:sub`]: [reader, "system:serviceaccount:team-b:*"] },
    }),
  ),
  trust(
    "trust-foreign-account",
    "another account",
    also(assumedBy({ AWS: "arn:aws:iam::444455556666:root" })),
  ),
  trust("trust-foreign-account", "another account's number", also(assumedBy({ AWS: "444455556666" }))),
  trust(
    "trust-whole-account",
    "the whole account",
    also(assumedBy({ AWS: "arn:aws:iam::111122223333:root" })),
  ),
  trust("trust-other-service", "EC2", also(assumedBy({ Service: "ec2.amazonaws.com" }))),
  trust(
    "trust-deleted-principal",
    "the id of a principal that was",
    also(assumedBy({ AWS: "AROAIOSFODNN7EXAMPLEX" })),
  ),
  trust(
    "trust-issuer-gone",
    "a second cluster that was",
    also({
      ...right().Statement[0],
      Principal: { Federated: otherProvider },
      Condition: {
        StringEquals: { [`${otherIssuer}:sub`]: reader, [`${otherIssuer}:aud`]: "sts.amazonaws.com" },
      },
    }),
  ),

  // Why a ServiceAccount does not get its role.
  refused(
    "trust-no-statement",
    "no Allow",
    trusting((text) => text.replace('"Allow"', '"Deny"').replace("team-a:reader", "team-a:nobody")),
  ),
  refused(
    "trust-action",
    "another action",
    trusting((text) => text.replace("sts:AssumeRoleWithWebIdentity", "sts:AssumeRole")),
  ),
  refused(
    "trust-principal",
    "a provider of another account",
    trusting((text) => text.replace("iam::111122223333", "iam::444455556666")),
  ),
  refused("trust-key-scheme", "https:// in the key", keyed(`https://${issuer}`)),
  refused("trust-key-slash", "a slash in the key", keyed(`${issuer}/`)),
  refused("trust-key-arn", "the provider's ARN as the key", keyed(oidcProviderArn)),
  refused("trust-key-issuer", "another issuer in the key", keyed(otherIssuer)),
  refused(
    "trust-operator",
    "a pattern under StringEquals",
    trusting((text) => text.replace(":reader", ":*")),
  ),
  refused(
    "trust-subject",
    "another ServiceAccount",
    trusting((text) => text.replace("team-a:reader", "team-b:default")),
  ),
  refused(
    "trust-audience",
    "another audience",
    trusting((text) => text.replace('"sts.amazonaws.com"', '"sts.amazonaws.com.cn"')),
  ),
  refused("trust-deny", "a Deny", also({ ...right().Statement[0], Effect: "Deny" })),
  trust(
    "trust-tag-session",
    "no sts:TagSession for Pod Identity",
    (world) => {
      const [statement] = podIdentityTrustPolicy([
        { namespace: "team-a", serviceAccount: "writer" },
      ]).Statement;
      roleOf(world, "writer").trustPolicy = document({ ...statement, Action: "sts:AssumeRole" });
    },
    "team-a/writer",
  ),
  trust(
    "trust-condition",
    "tags of another namespace for Pod Identity",
    (world) => {
      roleOf(world, "writer").trustPolicy = JSON.stringify(
        podIdentityTrustPolicy([{ namespace: "team-b", serviceAccount: "writer" }]),
      );
    },
    "team-a/writer",
  ),
  refused("annotation-malformed", "a session's ARN", (world) => {
    accountOf(world).annotations[annotation] = "arn:aws:sts::111122223333:assumed-role/reader/session";
    world.pods = world.pods.filter((one) => one !== podOf(world));
    world.roles = world.roles.filter((one) => one !== roleOf(world));
  }),
  trust(
    "annotation-misspelt",
    "role_arn",
    (world) => {
      accountOf(world, "idle").annotations["eks.amazonaws.com/role_arn"] = readerRole;
    },
    "team-a/idle",
  ),
  trust(
    "annotation-on-pod",
    "on a Deployment's pods",
    (world) => {
      one(world.workloads, named("reader")).roleAnnotation = readerRole;
    },
    "team-a/deployment/reader",
  ),
  refused("role-missing", "no role", (world) => {
    world.roles = world.roles.filter((one) => one !== roleOf(world));
  }),
  refused("role-path", "a role with a path", (world) => {
    roleOf(world).arn = arnOf("team/reader");
  }),
  refused("role-partition", "another partition", (world) => {
    const arn = readerRole.replace("arn:aws:", "arn:aws-cn:");
    accountOf(world).annotations[annotation] = arn;
    one(podOf(world).containers, () => true).roleArn = arn;
  }),
  trust(
    "provider-missing",
    "no OIDC provider",
    (world) => {
      world.providers = [];
    },
    "dev",
  ),
  trust(
    "provider-audience",
    "an audience that is not listed",
    (world) => {
      one(world.providers, () => true).audiences = ["sts.amazonaws.com.cn"];
    },
    oidcProviderArn,
  ),

  // What nothing uses, or several things do.
  trust(
    "provider-unused",
    "no role for it",
    (world) => {
      delete accountOf(world).annotations[annotation];
      world.pods = world.pods.filter((one) => one !== podOf(world));
      world.roles = world.roles.filter((one) => one !== roleOf(world));
    },
    oidcProviderArn,
  ),
  trust(
    "provider-cluster-gone",
    "a cluster that was",
    (world) => {
      world.providers.push({ arn: otherProvider, url: otherIssuer, audiences: ["sts.amazonaws.com"] });
    },
    otherProvider,
  ),
  trust(
    "role-unused",
    "a role for a ServiceAccount that is not there",
    (world) => another(world, "old", "nobody"),
    arnOf("old"),
  ),
  trust(
    "role-not-asked-for",
    "a role for one that does not name it",
    (world) => another(world, "spare", "idle"),
    arnOf("spare"),
  ),
  trust("trust-subject-gone", "a second subject, which is not there", (world) => {
    roleOf(world).trustPolicy = JSON.stringify(
      trustPolicy({
        oidcProviderArn,
        namespace: "team-a",
        serviceAccount: "reader",
        otherSubjects: [{ namespace: "team-a", serviceAccount: "nobody" }],
      }),
    );
  }),
  trust("role-stale", "not used for 100 days", (world) => {
    roleOf(world).lastUsed = new Date("2026-08-16T00:00:00Z");
  }),
  trust("role-stale", "never used", (world) => {
    delete roleOf(world).lastUsed;
  }),
  trust("role-shared", "two ServiceAccounts, and a role that reads a secret", (world) => {
    accountOf(world, "idle").annotations[annotation] = readerRole;
    world.workloads.push(workload("idle"));
    const admitted = {
      oidcProviderArn,
      namespace: "team-a",
      serviceAccount: "reader",
      otherSubjects: [{ namespace: "team-a", serviceAccount: "idle" }],
    };
    roleOf(world).trustPolicy = JSON.stringify(trustPolicy(admitted));
    may(allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:x"))(
      world,
    );
  }),
  trust("role-powerless", "no policy", (world) => {
    roleOf(world).inline = [];
  }),
  trust("role-powerless", "a boundary that leaves nothing", (world) => {
    const boundary = "arn:aws:iam::111122223333:policy/boundary";
    roleOf(world).boundaryArn = boundary;
    world.documents[boundary] = document(allow("sqs:*"));
  }),
  trust(
    "association-unused",
    "an association for nobody",
    (world) => {
      const trusting = JSON.stringify(
        podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "nobody" }]),
      );
      world.roles.push(role("nobody", { trustPolicy: trusting }));
      world.associations.push({
        ...association,
        id: "a-other",
        serviceAccount: "nobody",
        roleArn: arnOf("nobody"),
      });
    },
    "a-other",
  ),
  trust(
    "role-missing",
    "an association with no role",
    (world) => {
      associationOf(world).roleArn = arnOf("nobody");
    },
    "team-a/writer",
  ),
  trust(
    "association-target-missing",
    "a target that is not there",
    (world) => {
      associationOf(world).targetRoleArn = arnOf("nobody");
    },
    "team-a/writer",
  ),
  trust(
    "association-target-trust",
    "a target that does not trust the role",
    (world) => {
      world.roles.push(
        role("target", {
          trustPolicy: document(
            assumedBy({ AWS: arnOf("another") }, { Action: ["sts:AssumeRole", "sts:TagSession"] }),
          ),
        }),
      );
      associationOf(world).targetRoleArn = arnOf("target");
    },
    "team-a/writer",
  ),
  trust(
    "association-beside-annotation",
    "both",
    (world) => {
      const trusting = trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "writer" });
      accountOf(world, "writer").annotations[annotation] = arnOf("writer");
      roleOf(world, "writer").trustPolicy = document(
        ...podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "writer" }]).Statement,
        ...trusting.Statement,
      );
    },
    "team-a/writer",
  ),
  trust(
    "agent-missing",
    "no agent",
    (world) => {
      world.podIdentityAgent = false;
    },
    "dev",
  ),
  trust(
    "default-service-account",
    "a role for whoever names none",
    (world) => {
      accountOf(world, "default").annotations[annotation] = arnOf("lazy");
      another(world, "lazy", "default", "team-b");
    },
    "team-b/default",
  ),
  trust(
    "service-account-unused",
    "nothing runs under it",
    (world) => {
      world.pods = world.pods.filter((one) => one !== podOf(world));
      world.workloads = world.workloads.filter(({ name }) => name !== "reader");
    },
    "team-a/reader",
  ),

  // What runs.
  trust(
    "pod-older",
    "a pod from before the annotation",
    (world) => {
      podOf(world).created = new Date("2026-09-01T00:00:00Z");
      podOf(world).containers = [{ name: "app", tokens: [] }];
    },
    "team-a/deployment/reader",
  ),
  trust(
    "pod-other-role",
    "a pod with the role of before",
    (world) => {
      one(podOf(world).containers, () => true).roleArn = arnOf("before");
    },
    "team-a/deployment/reader",
  ),
  trust(
    "pod-not-injected",
    "a pod that the webhook missed",
    (world) => {
      podOf(world).containers = [{ name: "app", tokens: [] }];
    },
    "team-a/deployment/reader",
  ),
  trust(
    "pod-not-injected",
    "a pod that the association missed",
    (world) => {
      podOf(world, "writer").containers = [{ name: "app", tokens: [] }];
    },
    "team-a/deployment/writer",
  ),

  // The node's role, and what lies on the node.
  trust(
    "node-hop-limit",
    "two hops",
    (world) => {
      one(world.nodeGroups, () => true).hopLimit = 2;
    },
    "default",
  ),
  trust(
    "node-hop-limit",
    "no launch template",
    (world) => {
      world.nodeGroups = [{ name: "default", kind: "node group", roleArn: arnOf("node") }];
    },
    "default",
  ),
  trust(
    "node-imdsv1",
    "no session token",
    (world) => {
      one(world.nodeGroups, () => true).tokens = "optional";
    },
    "default",
  ),
  trust(
    "host-network",
    "a Deployment in the node's network",
    (world) => {
      one(world.workloads, named("reader")).hostNetwork = true;
      podOf(world).hostNetwork = true;
    },
    "team-a/deployment/reader",
  ),
  trust(
    "host-network",
    "a pod that somebody made in kube-system",
    (world) => {
      const shell = pod("shell", { namespace: "kube-system", hostNetwork: true, containers: [] });
      delete shell.owner;
      world.pods.push(shell);
    },
    "kube-system/shell-5d9c-x7x2p",
  ),
  trust(
    "host-pid",
    "a pod that sees the node's processes",
    (world) => {
      podOf(world).hostPid = true;
    },
    "team-a/deployment/reader",
  ),
  trust(
    "host-path",
    "the kubelet's folder",
    (world) => {
      podOf(world).hostPaths = ["/var/lib/kubelet"];
    },
    "team-a/deployment/reader",
  ),
  trust(
    "privileged",
    "a privileged container",
    (world) => {
      podOf(world).privileged = ["app"];
    },
    "team-a/deployment/reader",
  ),

  // Keys.
  trust(
    "key-in-secret",
    "in a Secret",
    (world) => {
      world.storedKeys.push({ kind: "Secret", namespace: "team-a", name: "aws", places: ["credentials"] });
    },
    "team-a/aws",
  ),
  trust(
    "key-in-config-map",
    "in a ConfigMap",
    (world) => {
      world.storedKeys.push({ kind: "ConfigMap", namespace: "team-a", name: "aws", places: ["credentials"] });
    },
    "team-a/aws",
  ),
  trust(
    "key-in-environment",
    "in a Deployment's environment",
    (world) => {
      world.storedKeys.push({
        kind: "deployment",
        namespace: "team-a",
        name: "reader",
        places: ["AWS_SECRET_ACCESS_KEY in app"],
      });
    },
    "team-a/deployment/reader",
  ),

  // What a role may do.
  permission("full-access", "everything", allow("*")),
  trust("full-access", "AdministratorAccess", (world) => {
    roleOf(world).attached = ["arn:aws:iam::aws:policy/AdministratorAccess"];
  }),
  trust(
    "full-access",
    "the node's role, which may do everything",
    (world) => {
      roleOf(world, "node").inline = [{ name: "all", document: document(allow("*")) }];
    },
    arnOf("node"),
  ),
  permission("all-but-actions", "all but IAM", { Effect: "Allow", NotAction: "iam:*", Resource: "*" }),
  permission("whole-service", "all of S3", allow("s3:*")),
  trust("whole-service", "AmazonS3FullAccess", (world) => {
    roleOf(world).attached = ["arn:aws:iam::aws:policy/AmazonS3FullAccess"];
  }),
  permission("escalation-grant", "iam:PutRolePolicy", allow(["iam:PutRolePolicy", "s3:GetObject"])),
  permission("escalation-grant", "iam:Create*", allow("iam:CreatePolicy*")),
  permission("escalation-pass-role", "any role to Lambda", allow(["iam:PassRole", "lambda:CreateFunction"])),
  permission(
    "escalation-pass-role",
    "any role, to EC2 only",
    allow("iam:PassRole", "*", {
      Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
    }),
    allow("ec2:RunInstances"),
  ),
  permission("escalation-assume-role", "sts:AssumeRole on all", allow("sts:AssumeRole")),
  permission("escalation-code", "ssm:SendCommand", allow("ssm:SendCommand")),
  permission("escalation-code", "lambda:UpdateFunctionCode", allow("lambda:UpdateFunctionCode")),
  permission(
    "escalation-cluster",
    "access entries",
    allow(["eks:CreateAccessEntry", "eks:AssociateAccessPolicy"]),
  ),
  permission("reads-all-secrets", "every secret", allow("secretsmanager:GetSecretValue")),
  permission(
    "reads-all-secrets",
    "every parameter, in a region",
    allow("ssm:GetParameter*", "*", {
      Condition: { StringEquals: { "aws:RequestedRegion": "eu-central-1" } },
    }),
  ),
];
