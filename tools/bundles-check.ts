import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { type BundleReference, resolveBundle } from "../iam/bundles.ts";
import type { Statement } from "../iam/policy-document.ts";

// `node tools/bundles-check.ts --dir FOLDER`: what bundles allow, against the documents of their projects, action by
// action. FOLDER holds clones of the projects, or just the files, each below its repository's name.

/** A part of a project's file, from one text up to another. Default all of it. */
interface Part {
  readonly from: string;
  readonly to: string;
}

/** What a bundle was last compared with; docs/bundles.md has the same. */
export interface Upstream {
  readonly repository: string;
  readonly path: string;
  /** The last commit to the file, and its date. */
  readonly commit: string;
  readonly date: string;
  readonly parts?: readonly Part[];
  /** The bundle, with the values that the file has for examples. */
  readonly reference: BundleReference;
  /** The one of its policies that the file is about. Default all. */
  readonly policy?: string;
  /** Texts of the file that stand for those values. */
  readonly values?: Readonly<Record<string, string>>;
}

const account = "111122223333";
const kmsKey = `arn:aws:kms:us-east-1:${account}:key/example`;
const secret = `arn:aws:secretsmanager:us-west-2:${account}:secret:dev-*`;
const parameter = `arn:aws:ssm:us-east-2:${account}:parameter/dev-*`;
const loadBalancing = "aws-load-balancer-controller";

export const upstreams: readonly Upstream[] = [
  {
    repository: "aws-ebs-csi-driver",
    path: "docs/AmazonEBSCSIDriverEKSClusterScopedPolicy.json",
    commit: "ffbba586",
    date: "2026-04-20",
    reference: { bundle: "ebs-csi", scope: "cluster", cluster: "example" },
    values: { "${aws:PrincipalTag/eks-cluster-name}": "example" },
  },
  {
    repository: "aws-ebs-csi-driver",
    path: "docs/install.md",
    commit: "180b8827",
    date: "2026-08-18",
    parts: [{ from: "Encrypted EBS Volumes via KMS", to: "</details>" }],
    reference: { bundle: "ebs-csi", kmsKeys: [kmsKey] },
    values: { "arn:aws:kms:*:*:key/*": kmsKey },
  },
  {
    repository: "amazon-vpc-cni-k8s",
    path: "docs/iam-policy.md",
    commit: "00fe9f435",
    date: "2026-06-01",
    parts: [{ from: "### IPv6 mode", to: "## Scope-down" }],
    reference: { bundle: "vpc-cni", ipv6: true },
  },
  {
    repository: loadBalancing,
    path: "docs/install/iam_policy.json",
    commit: "2f6ce5cfc",
    date: "2025-03-27",
    reference: { bundle: "load-balancer-controller" },
  },
  {
    repository: loadBalancing,
    path: "docs/install/aga_controller_iam_policy.json",
    commit: "cb5d87ec9",
    date: "2025-12-12",
    reference: { bundle: "load-balancer-controller", globalAccelerator: true },
    policy: "load-balancer-controller-global-accelerator",
  },
  {
    repository: loadBalancing,
    path: "docs/install/iam_policy_acm_certs.json",
    commit: "a75167e9c",
    date: "2026-04-20",
    reference: {
      bundle: "load-balancer-controller",
      certificateZones: ["ZEXAMPLE"],
      certificateAuthorities: [`arn:aws:acm-pca:us-east-1:${account}:certificate-authority/example`],
    },
    policy: "load-balancer-controller-certificates",
  },
  {
    repository: loadBalancing,
    path: "docs/deploy/installation.md",
    commit: "11eb202c9",
    date: "2026-08-03",
    parts: [
      {
        from: "## Special IAM cases",
        to: "### You only want the LBC to add and remove IPs to already existing target groups, also",
      },
    ],
    reference: {
      bundle: "target-group-binding",
      targetGroups: [`arn:aws:elasticloadbalancing:us-east-1:${account}:targetgroup/example/*`],
    },
  },
  {
    repository: "aws-application-networking-k8s",
    path: "files/controller-installation/recommended-inline-policy.json",
    commit: "4e6f34d6",
    date: "2026-03-26",
    reference: { bundle: "gateway-api-controller" },
  },
  {
    repository: "external-dns",
    path: "docs/tutorials/aws.md",
    commit: "9d4616c13",
    date: "2026-08-20",
    parts: [{ from: "## IAM Policy", to: "### IAM Permissions with ABAC" }],
    reference: { bundle: "external-dns", hostedZones: ["ZEXAMPLE"] },
    values: { "hostedzone/*": "hostedzone/ZEXAMPLE" },
  },
  {
    repository: "autoscaler",
    path: "cluster-autoscaler/cloudprovider/aws/README.md",
    commit: "96b85541a2",
    date: "2025-12-11",
    parts: [{ from: "#### Full Cluster Autoscaler Features", to: "#### Minimal IAM" }],
    reference: { bundle: "cluster-autoscaler", cluster: "example" },
  },
  {
    repository: "karpenter-provider-aws",
    path: "website/content/en/preview/getting-started/getting-started-with-karpenter/cloudformation.yaml",
    commit: "a0407445b",
    date: "2026-04-30",
    reference: {
      bundle: "karpenter",
      cluster: "example",
      nodeRole: `arn:aws:iam::${account}:role/nodes`,
      interruptionQueue: `arn:aws:sqs:us-east-1:${account}:nodes`,
    },
    values: {
      "${AWS::Partition}": "aws",
      "${AWS::Region}": "us-east-1",
      "${AWS::AccountId}": account,
      "${ClusterName}": "example",
      "${KarpenterNodeRole.Arn}": `arn:aws:iam::${account}:role/nodes`,
      "${KarpenterInterruptionQueue.Arn}": `arn:aws:sqs:us-east-1:${account}:nodes`,
    },
  },
  {
    repository: "aws-node-termination-handler",
    path: "README.md",
    commit: "77ca841",
    date: "2026-04-02",
    parts: [{ from: "#### 5. Create an IAM Role for the Pods", to: "#### 1. Handle ASG Instance Launch" }],
    reference: { bundle: "node-termination-handler", queues: [`arn:aws:sqs:us-east-1:${account}:nodes`] },
  },
  {
    repository: "external-secrets",
    path: "docs/provider/aws-secrets-manager.md",
    commit: "34087e65d",
    date: "2026-07-16",
    parts: [
      { from: "### IAM Policy", to: "#### Permissions for PushSecret" },
      { from: "Here's a more restrictive version", to: "In this policy, the DeleteSecret" },
    ],
    reference: {
      bundle: "external-secrets",
      secrets: [secret],
      find: true,
      push: true,
      pushResourcePolicies: true,
      pushReplicas: true,
    },
  },
  {
    repository: "external-secrets",
    path: "docs/provider/aws-parameter-store.md",
    commit: "34087e65d",
    date: "2026-07-16",
    parts: [{ from: "### IAM Policy", to: "### JSON Secret Values" }],
    reference: { bundle: "external-secrets", parameters: [parameter], push: true },
    values: { "1234567889911": account },
  },
  {
    repository: "mountpoint-s3",
    path: "doc/CONFIGURATION.md",
    commit: "58817cab2",
    date: "2026-08-22",
    parts: [{ from: "### IAM permissions", to: "## S3 bucket configuration" }],
    reference: { bundle: "s3-csi", buckets: ["example", "example--use1-az1--x-s3"] },
    values: {
      "amzn-s3-demo-bucket--az_id--x-s3": "example--use1-az1--x-s3",
      "amzn-s3-demo-bucket": "example",
      "REGION:ACCOUNT-ID": "*:*",
    },
  },
  {
    repository: "aws-fsx-csi-driver",
    path: "docs/install.md",
    commit: "5b227125",
    date: "2026-04-21",
    reference: { bundle: "fsx-lustre-csi", buckets: ["example"] },
  },
  {
    repository: "aws-fsx-openzfs-csi-driver",
    path: "docs/example-iam-policy.json",
    commit: "8e0837a",
    date: "2023-06-08",
    reference: { bundle: "fsx-openzfs-csi" },
  },
  {
    repository: "velero-plugin-for-aws",
    path: "README.md",
    commit: "9854632",
    date: "2025-12-22",
    reference: { bundle: "velero", buckets: ["example"], volumeKmsKeys: [kmsKey] },
    values: {
      "${BUCKET}": "example",
      "arn:aws:kms:us-east-1:123456789012:key/*": kmsKey,
    },
  },
];

/** The statements of the policies that a text holds, alone or in a page; those of trust policies are none of a role's. */
export function statementsIn(text: string): Statement[] {
  const found: Statement[] = [];
  for (let at = text.indexOf("{"); at !== -1; at = text.indexOf("{", at + 1)) {
    const end = endOfObject(text, at);
    const value = end === undefined ? undefined : parsed(text.slice(at, end));
    if (value === undefined || end === undefined) continue;
    const statements = ("Statement" in value ? [value.Statement].flat() : [value]) as object[];
    if (!statements.every((one) => "Effect" in one)) continue;
    found.push(...statements.filter((one) => !("Principal" in one)).map((one) => one as Statement));
    at = end - 1;
  }
  return found;
}

/** Where the object that begins here ends; undefined when it does not. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  for (const token of text.slice(start).matchAll(/"(?:[^"\\\n]|\\.)*"|[{}]/g)) {
    if (token[0] === "{") depth++;
    else if (token[0] === "}" && --depth === 0) return start + token.index + 1;
  }
  return undefined;
}

/** An object of JSON; a comma too many is a page's, not a mistake. */
function parsed(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json.replaceAll(/,(?=\s*[\]}])/g, ""));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Action → where it is allowed, each as a text. */
export type Grants = ReadonlyMap<string, ReadonlySet<string>>;

export function grantsOf(statements: readonly Statement[]): Grants {
  const grants = new Map<string, Set<string>>();
  for (const { Action = [], Resource = [], Condition } of statements) {
    for (const action of [Action].flat()) {
      const places = grants.get(action) ?? new Set();
      grants.set(action, places);
      for (const resource of [Resource].flat()) {
        places.add(Condition === undefined ? resource : `${resource} if ${conditionText(Condition)}`);
      }
    }
  }
  return grants;
}

/** A condition in an order that does not depend on how it was written. */
const conditionText = (condition: NonNullable<Statement["Condition"]>): string =>
  Object.entries(condition)
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => `${key} ${operator} ${[values].flat().sort().join("|")}`),
    )
    .sort()
    .join(" and ");

export interface Difference {
  readonly action: string;
  /** Places that only the project's document has, and that only ours has. None at all where it lacks the action. */
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
}

export interface Comparison {
  readonly same: readonly string[];
  readonly missing: readonly Difference[];
  readonly added: readonly Difference[];
  readonly elsewhere: readonly Difference[];
}

/** What two sets of grants differ in. An action of one side may be a pattern, which stands for what the other spells out. */
export function compare(ours: Grants, theirs: Grants): Comparison {
  const spelled = spellOut(ours, theirs);
  const named = spellOut(theirs, ours);
  const result = {
    same: [] as string[],
    missing: [] as Difference[],
    added: [] as Difference[],
    elsewhere: [] as Difference[],
  };
  for (const action of [...new Set([...spelled.keys(), ...named.keys()])].sort()) {
    const [here, there] = [spelled.get(action), named.get(action)];
    const difference = {
      action,
      theirs: [...(there ?? [])].filter((place) => !here?.has(place)),
      ours: [...(here ?? [])].filter((place) => !there?.has(place)),
    };
    if (here === undefined) result.missing.push(difference);
    else if (there === undefined) result.added.push(difference);
    else if (difference.theirs.length + difference.ours.length > 0) result.elsewhere.push(difference);
    else result.same.push(action);
  }
  return result;
}

function spellOut(grants: Grants, others: Grants): Grants {
  const result = new Map<string, Set<string>>();
  for (const [action, places] of grants) {
    const pattern = new RegExp(`^${action.replaceAll("*", ".*")}$`);
    const matched =
      action.includes("*") && !others.has(action)
        ? [...others.keys()].filter((one) => pattern.test(one))
        : [];
    for (const one of matched.length > 0 ? matched : [action]) {
      result.set(one, new Set([...(result.get(one) ?? []), ...places]));
    }
  }
  return result;
}

/** What a file of the project's says, with the examples' values in it. @throws Error when it has no such part. */
export function upstreamGrants(text: string, { parts, values = {}, path }: Upstream): Grants {
  const chosen = (parts ?? [{ from: "", to: "" }]).map(({ from, to }) => {
    const start = text.indexOf(from);
    const end = to === "" ? text.length : text.indexOf(to, start + from.length);
    if (start === -1 || end === -1)
      throw new Error(`${path} has nothing between "${from}" and "${to}" any more`);
    return text.slice(start, end);
  });
  let filled = chosen.join("\n");
  for (const [key, value] of Object.entries(values)) filled = filled.replaceAll(key, value);
  const statements = statementsIn(filled);
  if (statements.length === 0) throw new Error(`${path} has no policy there any more`);
  return grantsOf(statements);
}

/** What the documents of a bundle, or the one that is named, allow. */
export const bundleGrants = ({ reference, policy }: Upstream): Grants =>
  grantsOf(
    resolveBundle(reference)
      .filter(({ name }) => policy === undefined || name === policy)
      .flatMap((one) => ("document" in one ? one.document("aws").Statement : [])),
  );

/** Lines for a person. */
export function report(title: string, { same, missing, added, elsewhere }: Comparison): string[] {
  const lines = (sign: string, differences: readonly Difference[]) =>
    differences.flatMap(({ action, theirs, ours }) => [
      `  ${sign} ${action}`,
      ...theirs.map((place) => `      upstream: ${place}`),
      ...ours.map((place) => `      here:     ${place}`),
    ]);
  return [
    title,
    `  ${same.length} actions as upstream, ${missing.length} only there (-), ${added.length} only here (+), ${elsewhere.length} elsewhere (~)`,
    ...lines("-", missing),
    ...lines("+", added),
    ...lines("~", elsewhere),
  ];
}

/** Compares what there is in a folder. Whether upstream has an action that a bundle lacks. */
export function checkFolder(folder: string, print: (line: string) => void): boolean {
  let lacking = false;
  for (const upstream of upstreams) {
    const { repository, path, commit, date, reference } = upstream;
    const file = join(folder, repository, path);
    const title = `${reference.bundle}: ${repository}/${path} (last compared at ${commit}, ${date})`;
    if (!existsSync(file)) {
      print(`${title}\n  not there`);
      continue;
    }
    const comparison = compare(bundleGrants(upstream), upstreamGrants(readFileSync(file, "utf8"), upstream));
    for (const line of report(title, comparison)) print(line);
    lacking ||= comparison.missing.length > 0;
  }
  return lacking;
}

if (import.meta.main) {
  new Command("npm run bundles:check --")
    .description("Prints what bundles allow against the documents of their projects, action by action.")
    .requiredOption(
      "--dir <folder>",
      "clones of the projects, or just the files, each below its repository's name",
    )
    .addHelpText(
      "after",
      "\nExit codes: 0 nothing is missing, 1 a project's document has an action that its bundle lacks.",
    )
    .action(({ dir }: { dir: string }) => {
      if (!existsSync(dir)) throw new Error(`There is no folder ${dir}.`);
      process.exitCode = checkFolder(dir, console.log) ? 1 : 0;
    })
    .parse();
}
