import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import type { V1Container, V1PodSpec } from "@kubernetes/client-node";
import { expect } from "chai";
import { awsWorld } from "../../doctor/aws.ts";
import { type Cause, causes } from "../../doctor/causes.ts";
import type { Broken, Patient } from "../../doctor/chain.ts";
import { type Diagnosis, diagnose } from "../../doctor/diagnosis.ts";
import { imageWorld } from "../../doctor/images.ts";
import { kubernetesWorld } from "../../doctor/kubernetes.ts";
import { annotate, roleAnnotation } from "../../doctor/links/mend.ts";
import { listBuckets } from "../../iam/policies.ts";
import type { PolicyDocument, TrustPolicy } from "../../iam/policy-document.ts";
import { trustPolicy } from "../../iam/trust-policy.ts";
import { region } from "../../local/run.ts";
import { brokenOf } from "../doctor/broken-of.ts";
import { command, localUp, until, works } from "./tools.ts";

// Whom the doctor's end-to-end suites break, have looked at, and mend: a workload on local whose chain is whole.
// test/doctor/living.ts is the same on plain data.

/** The workload, as the doctor is told of it. */
export const workload = {
  cluster: "eks-irsa",
  region,
  namespace: "doctor",
  serviceAccount: "patient",
  actions: ["s3:ListAllMyBuckets"],
} as const satisfies Patient;
const { namespace } = workload;

/** The workload's role, whose path is a part of its ARN that people forget. */
export const role = { path: "/team/", name: "patient" };

/** A pod's specification, or what a test has differently in it. */
type PodSpec = Partial<V1PodSpec>;

/** Local, as it was found. */
interface Found {
  /** The environment of a shell in which `kubectl`, `aws` and this project's commands reach local. */
  readonly shell: NodeJS.ProcessEnv;
  /** Local's kubeconfig. */
  readonly kubeconfig: string;
  /** The lister's, by digest. */
  readonly image: string;
  readonly providerArn: string;
}

/** Asked once a process, whatever number of suites run in it. */
let found: Promise<Found> | undefined;
async function findLocal(): Promise<Found> {
  const shell = await localUp();
  const ask = async (line: string) =>
    (await works(command("sh", ["-c", line], { env: shell }))).stdout.trim();
  const image = "{.spec.template.spec.containers[0].image}";
  return {
    shell,
    kubeconfig: readFileSync(shell.KUBECONFIG as string, "utf8"),
    image: await ask(`kubectl get deployment -n s3-irsa s3-lister -o jsonpath='${image}'`),
    providerArn: await ask(
      "aws iam list-open-id-connect-providers --query 'OpenIDConnectProviderList[0].Arn' --output text",
    ),
  };
}

/** What was done in this process: the causes whose commands were run, and the files of which no test was left out. */
const done = { causes: new Set<Cause>(), files: new Set<string>() };

export class LivePatient implements Found {
  readonly shell: NodeJS.ProcessEnv;
  readonly kubeconfig: string;
  readonly image: string;
  readonly providerArn: string;
  /** The cluster's issuer, without its scheme. */
  readonly issuer: string;
  /** Whom a trust policy names that trusts the whole account. */
  readonly accountRoot: string;
  readonly roleArn: string;
  readonly trustPolicy: TrustPolicy;
  readonly iam: IAMClient;
  /** For files of a test's own. */
  readonly folder = mkdtempSync(join(tmpdir(), "eks-irsa-doctor-"));
  readonly #environment = { ...process.env };

  private constructor({ shell, kubeconfig, image, providerArn }: Found) {
    this.shell = shell;
    this.kubeconfig = kubeconfig;
    this.image = image;
    this.providerArn = providerArn;
    const [account, issuer] = providerArn.split(":oidc-provider/") as [string, string];
    this.issuer = issuer;
    this.accountRoot = `${account}:root`;
    this.roleArn = `${account}:role${role.path}${role.name}`;
    this.trustPolicy = trustPolicy({ oidcProviderArn: providerArn, ...workload });
    // The doctor, too, looks at AWS as its environment says.
    for (const [name, value] of Object.entries(shell)) if (name.startsWith("AWS_")) process.env[name] = value;
    this.iam = new IAMClient({ region });
  }

  /** A workload that is healthy; local is brought up for it where it is not. */
  static async admitted(): Promise<LivePatient> {
    found ??= findLocal();
    const patient = new LivePatient(await found);
    try {
      await patient.createRole(role.name, patient.trustPolicy, role.path);
      await patient.putPolicy(listBuckets.name, listBuckets.document);
      await patient.apply(
        { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
        patient.serviceAccount({ [roleAnnotation]: patient.roleArn }),
        patient.pod(),
      );
      await patient.run(
        `kubectl wait -n ${namespace} pod/patient --for=jsonpath={.status.phase}=Running --timeout=60s`,
      );
    } catch (error) {
      // Not all of it need be there.
      await patient.discharged().catch(() => {});
      throw error;
    }
    return patient;
  }

  /** Leaves nothing of it behind. */
  async discharged(): Promise<void> {
    try {
      await this.run(`kubectl delete namespace ${namespace} --ignore-not-found`);
      await this.deleteRole(role.name);
    } finally {
      rmSync(this.folder, { recursive: true });
      for (const name of Object.keys(process.env)) {
        if (!(name in this.#environment)) delete process.env[name];
      }
      Object.assign(process.env, this.#environment);
    }
  }

  // How it is looked at.

  /** @param kubeconfig Default: local's. */
  look(more: Partial<Patient> = {}, kubeconfig = this.kubeconfig): Promise<Diagnosis> {
    const world = { ...awsWorld(region), kubernetes: kubernetesWorld(kubeconfig), images: imageWorld() };
    return diagnose(world, { ...workload, ...more });
  }

  /** What the doctor finds broken, of which this must be the cause. */
  async finds(cause: Cause, more?: Partial<Patient>, kubeconfig?: string): Promise<Broken> {
    const finding = brokenOf(await this.look(more, kubeconfig));
    expect(finding).to.include({ cause });
    return finding;
  }

  /** The doctor finds nothing wrong. */
  async healthy(more?: Partial<Patient>, kubeconfig?: string): Promise<Diagnosis> {
    const diagnosis = await this.look(more, kubeconfig);
    expect(diagnosis.state, JSON.stringify(diagnosis.links, undefined, 1)).to.equal("healthy");
    return diagnosis;
  }

  // How it is mended.

  /** Runs a line of a shell's, and gives what it says. */
  async run(line: string, env: NodeJS.ProcessEnv = this.shell): Promise<string> {
    return (await works(command("sh", ["-c", line], { env }))).stdout;
  }

  /**
   * Runs the commands that the doctor gave, as they stand but for the words that are to be filled in.
   *
   * @param env Default: the patient's own shell.
   */
  async runMend(
    { cause, mend }: Broken,
    { fill = {}, env }: { fill?: Readonly<Record<string, string>>; env?: NodeJS.ProcessEnv } = {},
  ): Promise<void> {
    expect(mend, cause).not.to.have.length(0);
    for (const line of mend) {
      await this.run(
        Object.entries(fill).reduce((filled, [word, value]) => filled.replaceAll(word, value), line),
        env,
      );
    }
    done.causes.add(cause);
  }

  /** Runs them, and nothing is wrong any more. */
  async mended(finding: Broken, more?: Partial<Patient>): Promise<void> {
    await this.runMend(finding);
    await this.healthy(more);
  }

  // Its part in AWS.

  /** @returns the role's ARN. */
  async createRole(name: string, trust: TrustPolicy, path?: string): Promise<string> {
    const AssumeRolePolicyDocument = JSON.stringify(trust);
    const { Role } = await this.iam.send(
      new CreateRoleCommand({ RoleName: name, Path: path, AssumeRolePolicyDocument }),
    );
    return Role?.Arn as string;
  }

  /** Deletes a role, whatever inline policies it has. */
  async deleteRole(name: string): Promise<void> {
    const { PolicyNames = [] } = await this.iam.send(new ListRolePoliciesCommand({ RoleName: name }));
    for (const policy of PolicyNames) await this.deletePolicy(policy, name);
    await this.iam.send(new DeleteRoleCommand({ RoleName: name }));
  }

  /** @param document or its text, which need not be right. */
  async trust(document: TrustPolicy | string): Promise<void> {
    const PolicyDocument = typeof document === "string" ? document : JSON.stringify(document);
    await this.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: role.name, PolicyDocument }));
  }

  async putPolicy(name: string, document: PolicyDocument, roleName = role.name): Promise<void> {
    const PolicyDocument = JSON.stringify(document);
    await this.iam.send(new PutRolePolicyCommand({ RoleName: roleName, PolicyName: name, PolicyDocument }));
  }

  async deletePolicy(name: string, roleName = role.name): Promise<void> {
    await this.iam.send(new DeleteRolePolicyCommand({ RoleName: roleName, PolicyName: name }));
  }

  // Its part in Kubernetes.

  async apply(...items: object[]): Promise<void> {
    await this.run(`kubectl apply -f ${this.#list(items)}`);
  }

  /** Makes objects what these say, whoever wrote them, and has the API server keep when. */
  async applyServerSide(...items: object[]): Promise<void> {
    await this.run(`kubectl apply --server-side --force-conflicts -f ${this.#list(items)}`);
  }

  #list(items: readonly object[]): string {
    const file = join(this.folder, "objects.json");
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    return file;
  }

  serviceAccount(annotations: Readonly<Record<string, string>>): object {
    const metadata = { name: workload.serviceAccount, namespace, annotations };
    return { apiVersion: "v1", kind: "ServiceAccount", metadata };
  }

  /** Says on the ServiceAccount which role it has. */
  async annotate(roleArn: string): Promise<void> {
    await this.run(annotate(workload, roleArn));
  }

  /** The lister, which looks at the buckets, or what a test has differently. */
  container(more: Partial<V1Container> = {}): V1Container {
    return { name: "app", image: this.image, args: ["--interval=5s"], ...more };
  }

  pod(spec: PodSpec = {}, metadata: object = {}) {
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "patient", namespace, ...metadata },
      spec: {
        serviceAccountName: workload.serviceAccount,
        // So that the API server lets go of it at once.
        terminationGracePeriodSeconds: 0,
        securityContext: { runAsUser: 65532, fsGroup: 65532 },
        containers: [this.container()],
        ...spec,
      },
    };
  }

  async deletePods(): Promise<void> {
    await this.run(`kubectl delete pod -n ${namespace} --all`);
  }

  /** This pod, in the place of all that there were. */
  async remakePod(spec?: PodSpec, metadata?: object): Promise<void> {
    await this.deletePods();
    await this.apply(this.pod(spec, metadata));
  }

  /** A Deployment of one such pod, which is there; the one of before is gone. */
  async deploy(spec?: PodSpec): Promise<void> {
    await this.undeploy();
    await this.deletePods();
    const labels = { app: "patient" };
    await this.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "patient", namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: this.pod(spec).spec },
      },
    });
    await until("the Deployment's pod is there", 60, async () =>
      (await this.run(`kubectl get pod -n ${namespace} -l app=patient -o name`)) === "" ? undefined : true,
    );
  }

  async undeploy(): Promise<void> {
    await this.run(
      `kubectl delete -n ${namespace} deployment/patient --ignore-not-found --cascade=foreground`,
    );
  }

  async rolledOut(): Promise<void> {
    await this.run(`kubectl rollout status -n ${namespace} deployment/patient --timeout=120s`);
  }
}

/**
 * Has a suite, which is all of its file, begin with a healthy workload and end without it; and notes at the end whether each
 * of its tests ran.
 */
export function withPatient(file: string, suite: Mocha.Suite, take: (patient: LivePatient) => void): void {
  let patient: LivePatient | undefined;
  suite.beforeAll(async () => {
    patient = await LivePatient.admitted();
    take(patient);
  });
  suite.afterAll(async () => {
    const ends: (string | undefined)[] = [];
    suite.eachTest(({ state }) => ends.push(state));
    // A test that was left out by the name that was asked for has come to no end.
    if (ends.every((end) => end === "passed" || end === "failed")) done.files.add(basename(file));
    await patient?.discharged();
  });
}

/** The doctor's files of tests that did not run in this process, or not as a whole. */
export const filesNotRun = (): string[] =>
  globSync("doctor-*.e2e.ts", { cwd: import.meta.dirname }).filter((file) => !done.files.has(file));

/** The causes that a command mends, and whose commands were not run in this process. */
export const mendsNotRun = (): string[] =>
  Object.entries(causes).flatMap(([cause, way]) =>
    way === "advice" || done.causes.has(cause as Cause) ? [] : [cause],
  );
