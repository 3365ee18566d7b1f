import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreatePodIdentityAssociationCommand, EKSClient } from "@aws-sdk/client-eks";
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeletePolicyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  IAMClient,
  ListOpenIDConnectProvidersCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { expect } from "chai";
import { dump, load } from "js-yaml";
import PQueue from "p-queue";
import type { RoleFacts } from "../../adopt/estate.ts";
import { openStack } from "../../automation/stack.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, region } from "../../local/run.ts";
import { running } from "../../local/state.ts";
import { accountOf, type Laid, layoutsFor } from "../adopt/layouts.ts";
import { command, localUp, works } from "./tools.ts";

// An estate of two hundred ServiceAccounts and roles, laid out as four tools do it, taken over by `npm run adopt` and
// `pulumi import` on the live parts.

const stackName = "adopted";
const ofEachTool = 50;

/** Namespaces of the estate, by what laid it out. */
const namespaces = {
  eksctl: "adopt-eksctl",
  terraform: "adopt-terraform",
  cdk: "adopt-cdk",
  pulumi: "adopt-pulumi",
  other: "adopt-other",
} as const;

describe("adopting an estate", function () {
  this.timeout("10m");
  this.bail(true);

  let shell: NodeJS.ProcessEnv;
  let folder: string;
  let iam: IAMClient;
  let laid: Laid[] = [];
  let stack: Awaited<ReturnType<typeof openStack>>;

  const run = async (name: string, ...args: string[]) =>
    (await works(command(name, args, { env: shell }))).stdout;
  const settingsFile = () => join(folder, `Pulumi.${stackName}.yaml`);
  const open = async () => {
    const state = running();
    return openStack({
      stack: stackName,
      workDir: folder,
      // Else the engine writes the whole state after each of seven hundred resources.
      env: { ...awsEnvironment(state), ...engineEnvironment(state), PULUMI_SKIP_CHECKPOINTS: "true" },
    });
  };
  /** Each of many, some at a time. */
  const each = async <T>(many: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> => {
    await new PQueue({ concurrency: 8 }).addAll(many.map((one) => () => act(one)));
  };

  const customerPolicies = (roles: readonly RoleFacts[]): string[] => [
    ...new Set(
      roles
        .flatMap(({ attachedPolicies, permissionsBoundary = [] }) =>
          [attachedPolicies, permissionsBoundary].flat(),
        )
        .filter((arn) => !arn.includes("::aws:")),
    ),
  ];

  async function makePolicy(arn: string): Promise<void> {
    const [, Path = "/", PolicyName] = /policy(\/.*)?\/([^/]+)$/.exec(arn) ?? [];
    await iam.send(
      new CreatePolicyCommand({
        PolicyName,
        Path: Path === "/" ? Path : `${Path}/`,
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
        }),
      }),
    );
  }

  async function makeRole(role: RoleFacts): Promise<void> {
    const RoleName = role.name;
    await iam.send(
      new CreateRoleCommand({
        RoleName,
        Path: role.path,
        Description: role.description || undefined,
        MaxSessionDuration: role.maxSessionDuration,
        PermissionsBoundary: role.permissionsBoundary,
        AssumeRolePolicyDocument: role.trustPolicy,
        Tags: Object.entries(role.tags)
          .filter(([Key]) => !Key.startsWith("aws:"))
          .map(([Key, Value]) => ({ Key, Value })),
      }),
    );
    for (const PolicyArn of role.attachedPolicies)
      await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    for (const { name: PolicyName, document: PolicyDocument } of role.inlinePolicies)
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
  }

  async function removeRole({ name: RoleName, attachedPolicies, inlinePolicies }: RoleFacts): Promise<void> {
    for (const PolicyArn of attachedPolicies)
      await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn })).catch(() => undefined);
    for (const { name: PolicyName } of inlinePolicies)
      await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })).catch(() => undefined);
    await iam.send(new DeleteRoleCommand({ RoleName })).catch(() => undefined);
  }

  /** ServiceAccounts by `kubectl create`, or by `kubectl apply`, which leaves an annotation. */
  async function makeAccounts(how: "create" | "apply", some: readonly Laid[]): Promise<void> {
    const items = some.flatMap(({ account }) =>
      account === undefined
        ? []
        : {
            apiVersion: "v1",
            kind: "ServiceAccount",
            metadata: {
              namespace: account.namespace,
              name: account.name,
              labels: account.labels,
              annotations: Object.fromEntries(
                Object.entries(account.annotations).filter(([key]) => !key.startsWith("kubectl.")),
              ),
            },
            ...(account.automountToken !== undefined && {
              automountServiceAccountToken: account.automountToken,
            }),
          },
    );
    const file = join(folder, `${how}.json`);
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await run("kubectl", how, "-f", file);
  }

  /** The bindings as the files have them. */
  const settings = () =>
    load(readFileSync(settingsFile(), "utf8")) as {
      config: { "eks-irsa:bindings": Record<string, unknown>[] };
    };
  const bindingOf = (
    { config }: ReturnType<typeof settings>,
    namespace: string,
    serviceAccount: string,
  ): Record<string, unknown> => {
    const found = config["eks-irsa:bindings"].find(
      (one) => one.namespace === namespace && one.serviceAccount === serviceAccount,
    );
    if (found === undefined) throw new Error(`no binding of ${namespace}/${serviceAccount}`);
    return found;
  };

  before(async () => {
    shell = await localUp();
    process.env.PATH = shell.PATH; // the Automation API looks for the engine there
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-adopt-"));
    const credentials = {
      accessKeyId: shell.AWS_ACCESS_KEY_ID ?? "",
      secretAccessKey: shell.AWS_SECRET_ACCESS_KEY ?? "",
    };
    const client = { region, endpoint: shell.AWS_ENDPOINT_URL, credentials };
    iam = new IAMClient(client);
    const { OpenIDConnectProviderList: [provider] = [] } = await iam.send(
      new ListOpenIDConnectProvidersCommand({}),
    );
    const { eksctl, terraform, terraformLike, cdk, pulumiAwsIam, podIdentity, roleLike } = layoutsFor(
      provider?.Arn ?? "",
    );
    const many = (lay: (name: string, index: number) => Laid): Laid[] =>
      Array.from({ length: ofEachTool }, (_, index) => lay(`app-${index}`, index));
    const byCdk = many((name) => cdk(namespaces.cdk, name));
    // A role of its own for each: names of roles are the account's.
    const byTerraform = many((name, index) =>
      (index % 5 === 0 ? terraformLike : terraform)(namespaces.terraform, `tf-${name}`),
    );
    const byChart = eksctl(namespaces.other, "chart");
    const pod = podIdentity(namespaces.other, "pod");
    const lost = accountOf(namespaces.other, "lost", byChart.role.arn.replace(/[^/]+$/, "not-there"));
    const created = [
      ...many((name) => eksctl(namespaces.eksctl, name)),
      ...byTerraform,
      ...many((name) => pulumiAwsIam(namespaces.pulumi, `pu-${name}`)),
      {
        ...byChart,
        account: accountOf(namespaces.other, "chart", byChart.role.arn, {
          labels: { "app.kubernetes.io/managed-by": "Helm" },
        }),
      },
      pod,
    ];
    laid = [...byCdk, ...created];
    const roles = laid.map(({ role }) => role);
    expect(new Set(roles.map(({ name }) => name)).size).to.equal(roles.length);
    for (const namespace of Object.values(namespaces)) await run("kubectl", "create", "namespace", namespace);
    await each(customerPolicies(roles), makePolicy);
    await each(roles, makeRole);
    await makeAccounts("create", [...created, { role: roleLike("none"), account: lost }]);
    await makeAccounts("apply", byCdk);
    await new EKSClient(client).send(
      new CreatePodIdentityAssociationCommand({
        clusterName: "eks-irsa",
        namespace: namespaces.other,
        serviceAccount: "pod",
        roleArn: pod.role.arn,
        tags: { team: "a" },
      }),
    );
  });
  after(async () => {
    // What it adopted is as many single deletions by the engine; the estate goes faster as it came.
    await stack?.stack.workspace.removeStack(stackName, { force: true });
    await run("kubectl", "delete", "namespace", ...Object.values(namespaces), "--wait=false");
    const list = JSON.parse(
      await run(
        "aws",
        ...["eks", "list-pod-identity-associations", "--cluster-name", "eks-irsa"],
        ...["--namespace", namespaces.other, "--output", "json"],
      ),
    ) as { associations: { associationId: string }[] };
    for (const { associationId } of list.associations) {
      await run(
        "aws",
        ...["eks", "delete-pod-identity-association", "--cluster-name", "eks-irsa"],
        ...["--association-id", associationId],
      );
    }
    const roles = laid.map(({ role }) => role);
    await each(roles, removeRole);
    await each(customerPolicies(roles), (PolicyArn) =>
      iam.send(new DeletePolicyCommand({ PolicyArn })).catch(() => undefined),
    );
    rmSync(folder, { recursive: true, force: true });
  });

  it("finds them all, and says of each that it does not take over whole why", async () => {
    const { stdout } = await works(
      command(
        "npm",
        [
          ...["run", "--silent", "adopt", "--", "--cluster", "eks-irsa", "--json", "--out", folder],
          ...Object.values(namespaces).flatMap((namespace) => ["--namespace", namespace]),
        ],
        { env: shell },
      ),
    );
    const { described, undescribed } = JSON.parse(stdout) as {
      described: {
        binding: { namespace: string; serviceAccount: string };
        reference?: string;
        left?: string;
      }[];
      undescribed: { what: string; why: string }[];
    };
    expect(described).to.have.length(4 * ofEachTool + 2);
    const whole = described.filter(({ reference, left }) => reference === undefined && left === undefined);
    const numbers = Object.values(namespaces).map(
      (namespace) => whole.filter(({ binding }) => binding.namespace === namespace).length,
    );
    expect(numbers).to.deep.equal([ofEachTool, (ofEachTool * 4) / 5, ofEachTool, 0, 0]);
    const why = (namespace: string, key: "reference" | "left") =>
      new Set(
        described
          .filter(({ binding }) => binding.namespace === namespace)
          .flatMap((one) => one[key]?.replace(/arn:\S+/, "…") ?? []),
      );
    expect([...why(namespaces.terraform, "reference")].join()).to.contain("compares aud by StringLike");
    expect([...why(namespaces.pulumi, "reference")].join()).to.contain("so that nobody can assume it");
    expect([...why(namespaces.other, "left")].join()).to.contain("belongs to a Helm chart");
    expect([...why(namespaces.other, "reference")].join()).to.contain("every Pod Identity association");
    // Roles of other suites may trust the issuer too.
    expect(
      undescribed.find(({ what }) => what === `${namespaces.other}/lost`)?.why,
      JSON.stringify(undescribed),
    ).to.contain("there is no role");
  });

  it("imports them, after which a preview shows no change", async () => {
    writeFileSync(settingsFile(), readFileSync(join(folder, "stack.yaml")));
    stack = await open();
    for (const file of ["import-cluster.json", "import.json"]) {
      await works(
        command(
          "pulumi",
          [
            ...["import", "--file", join(folder, file), "--stack", `organization/eks-irsa/${stackName}`],
            ...["--yes", "--skip-preview", "--protect=false", "--generate-code=false"],
            ...["--config-file", settingsFile()],
          ],
          { env: { ...shell, PULUMI_SKIP_CHECKPOINTS: "true" } },
        ),
      );
    }
    const { changes, output } = await stack.preview({ diff: true });
    expect(Object.keys(changes), output).to.deep.equal(["same"]);
    // A role, its policies and a ServiceAccount for most: none was left out.
    expect(changes.same).to.be.greaterThan(3 * 3 * ofEachTool);
  });

  it("changes one of them in its place, and no other", async () => {
    const changed = settings();
    const binding = bindingOf(changed, namespaces.eksctl, "app-7");
    const { name } = binding.role as { name: string };
    const before = (await iam.send(new GetRoleCommand({ RoleName: name }))).Role;
    binding.description = "Adopted";
    writeFileSync(settingsFile(), dump(changed));
    stack = await open();
    const { changes } = await stack.up();
    expect(changes).to.include({ update: 1 }).and.to.have.all.keys("same", "update");
    const after = (await iam.send(new GetRoleCommand({ RoleName: name }))).Role;
    expect(after).to.include({ Description: "Adopted", RoleId: before?.RoleId });
    expect((await stack.preview()).changes).to.have.all.keys("same");
  });
});
