import { networkInterfaces } from "node:os";
import type { V1Pod } from "@kubernetes/client-node";
import { expect } from "chai";
import { targetTrustPolicy } from "../../iam/role-chaining.ts";
import type { Report } from "../../local/cli/up-report.ts";
import { agentAddress } from "../../local/machine/bridge.ts";
import { openLocalStack } from "../../local/pulumi/engine.ts";
import { awsEnvironment } from "../../local/run.ts";
import { running } from "../../local/state.ts";
import { failureOf } from "../failure.ts";
import { command, local, shellOf, until, works } from "./tools.ts";

// The lister by EKS Pod Identity, as docs/local.md has it: the agent, EKS Auth, and what an association can say.

describe("npm run local by EKS Pod Identity", function () {
  this.timeout("20m");
  this.bail(true);

  const podIdentity = ["--config", "identity=pod-identity"];
  /** An account beside local's own: MiniStack tells them by the access key. */
  const otherAccount = "222222222222";
  let report: Report;
  let shell: NodeJS.ProcessEnv;
  const run = async (env: NodeJS.ProcessEnv, ...[name, ...args]: [string, ...string[]]) =>
    (await works(command(name, args, { env }))).stdout;
  const json = async (...words: [string, ...string[]]) => JSON.parse(await run(shell, ...words));
  const eks = (...words: string[]) =>
    json("aws", "eks", ...words, "--cluster-name", "eks-irsa", "--output", "json");
  const subject = () => ({
    namespace: String(report.outputs.namespace),
    serviceAccount: String(report.outputs.serviceAccount),
  });
  const listerPods = async (): Promise<V1Pod[]> => {
    const label = `app.kubernetes.io/instance=${report.outputs.deployment}`;
    const { namespace } = subject();
    return (await json("kubectl", "get", "pods", "-n", namespace, "-l", label, "-o", "json")).items;
  };
  /** A command in the other account, as its root. */
  const inOther = (...words: [string, ...string[]]) => {
    const state = running();
    const env = {
      ...shell,
      ...awsEnvironment(state),
      AWS_ENDPOINT_URL: `http://127.0.0.1:${state.ports.miniStack}`,
      AWS_ACCESS_KEY_ID: otherAccount,
      AWS_SECRET_ACCESS_KEY: "none",
    };
    return run(env, ...words);
  };
  /** An `up` without the proofs, which are of the pods' own role. */
  const up = async (...overrides: string[]) => (await openLocalStack(running(), overrides)).up();
  /** What the last pod of the lister said, its current one or the one that does not come up. */
  const lastLog = async (): Promise<string> => {
    const pods = await listerPods();
    const age = ({ metadata }: V1Pod) => String(metadata?.creationTimestamp);
    const { metadata } = pods.sort((a, b) => (age(a) < age(b) ? -1 : 1)).at(-1) ?? {};
    return run(shell, "kubectl", "logs", "-n", subject().namespace, String(metadata?.name));
  };
  const expectProved = ({ proofs, outputs, log, buckets }: Report) => {
    expect(proofs.filter((proof) => !proof.ok)).to.deep.equal([]);
    expect(proofs.map(({ name }) => name)).to.include.members([
      "a pod's token, to the agent",
      "a token that is bound to no pod",
    ]);
    expect(proofs).to.have.length(14);
    expect(buckets).to.have.length.greaterThan(0);
    const role = String(outputs.roleArn).split("/").at(-1);
    // The session's name is EKS Auth's.
    expect(log.findLast((line) => line.includes('"identity"'))).to.contain(
      `assumed-role/${role}/eks-eks-irsa-`,
    );
  };

  before(async () => {
    report = JSON.parse((await works(local("up", "--json"))).stdout) as Report;
    shell = await shellOf((await works(local("env"))).stdout);
    process.env.PATH = shell.PATH; // the Automation API looks for the engine there
    process.env.LD_LIBRARY_PATH = shell.LD_LIBRARY_PATH;
  });
  after(async () => {
    await works(local("up", "--json"));
  });

  it("comes up: the pod's own log lists the buckets, and every proof holds", async () => {
    const { stdout, seconds } = await works(local("up", ...podIdentity, "--json"));
    report = JSON.parse(stdout) as Report;
    console.log(`      up took ${seconds.toFixed(0)} s: ${JSON.stringify(report.seconds)}`);
    expectProved(report);
    const env = (await listerPods()).flatMap(({ spec }) => spec?.containers[0]?.env ?? []);
    expect(env).to.deep.include({
      name: "AWS_CONTAINER_CREDENTIALS_FULL_URI",
      value: `http://${agentAddress}/v1/credentials`,
    });
    expect(env.map(({ name }) => name)).not.to.include.any.members([
      "AWS_ROLE_ARN",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
    ]);
  });

  it("does nothing the second time", async () => {
    expect((await works(local("up", ...podIdentity))).stdout).to.contain("nothing to do");
  });

  it("has its agent on the pods' bridge, and on no other interface", () => {
    const owners = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
      addresses?.some(({ address }) => address === agentAddress) ? [name] : [],
    );
    expect(owners).to.deep.equal(["eksirsa0"]);
  });

  describe("takes from the association", () => {
    const pods: string[] = [];
    let associationId: string;
    const update = (...words: string[]) =>
      eks("update-pod-identity-association", "--association-id", associationId, ...words);
    /** Who a new pod of the lister's ServiceAccount is to AWS, or what the agent says. It waits for a gate, and never runs. */
    const newPod = async (): Promise<{ status: number; env: NodeJS.ProcessEnv; text: string }> => {
      const { namespace, serviceAccount } = subject();
      const name = `by-hand-${pods.length}`;
      pods.push(name);
      const overrides = {
        spec: { serviceAccountName: serviceAccount, schedulingGates: [{ name: "eks-irsa/by-hand" }] },
      };
      await run(
        shell,
        ...(["kubectl", "run", name, "-n", namespace, "--image=none"] as const),
        ...["--overrides", JSON.stringify(overrides)],
      );
      const token = await run(
        shell,
        ...(["kubectl", "create", "token", "-n", namespace, serviceAccount] as const),
        ...[
          "--audience",
          "pods.eks.amazonaws.com",
          "--bound-object-kind",
          "Pod",
          "--bound-object-name",
          name,
        ],
      );
      const response = await fetch(`http://${agentAddress}/v1/credentials`, {
        headers: { authorization: token.trim() },
      });
      const text = await response.text();
      const given = response.ok ? (JSON.parse(text) as Record<string, string>) : {};
      const env = {
        ...shell,
        AWS_ACCESS_KEY_ID: given.AccessKeyId,
        AWS_SECRET_ACCESS_KEY: given.SecretAccessKey,
        AWS_SESSION_TOKEN: given.Token,
      };
      return { status: response.status, env, text };
    };
    const roleName = () => String(report.outputs.roleArn).replace(/^.*\//, "");
    const trustOf = (document: object) =>
      run(
        shell,
        ...(["aws", "iam", "update-assume-role-policy", "--role-name", roleName()] as const),
        ...["--policy-document", JSON.stringify(document)],
      );
    let ownTrust: object;

    before(async () => {
      const told = await run(shell, "aws", "iam", "get-role", "--role-name", roleName(), "--output", "json");
      ownTrust = JSON.parse(told).Role.AssumeRolePolicyDocument;
      const { namespace, serviceAccount } = subject();
      const which = ["--namespace", namespace, "--service-account", serviceAccount];
      ({ associationId } = (await eks("list-pod-identity-associations", ...which)).associations[0]);
      await run(
        shell,
        ...([
          "aws",
          "iam",
          "put-role-policy",
          "--role-name",
          roleName(),
          "--policy-name",
          "onwards",
        ] as const),
        ...[
          "--policy-document",
          JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: ["sts:AssumeRole", "sts:TagSession"], Resource: "*" }],
          }),
        ],
      );
    });
    after(async () => {
      const { namespace } = subject();
      for (const name of pods)
        await command("kubectl", ["delete", "pod", "-n", namespace, name], { env: shell });
      await command(
        "aws",
        ["iam", "delete-role-policy", "--role-name", roleName(), "--policy-name", "onwards"],
        {
          env: shell,
        },
      );
      await inOther("aws", "iam", "delete-role", "--role-name", "target");
      await trustOf(ownTrust);
      // What it no longer says, the engine does not know of: it is as the program has it again.
      await update("--no-disable-session-tags", "--target-role-arn", "", "--policy", "");
    });

    it("a target role of another account, which knows the pod by the session's tags", async () => {
      const { namespace } = subject();
      const trust = {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { AWS: "arn:aws:iam::000000000000:root" },
            Action: ["sts:AssumeRole", "sts:TagSession"],
            Condition: {
              StringEquals: { "aws:RequestTag/kubernetes-namespace": namespace },
              ArnEquals: { "aws:PrincipalArn": report.outputs.roleArn },
            },
          },
        ],
      };
      const { Role } = JSON.parse(
        await inOther(
          ...(["aws", "iam", "create-role", "--role-name", "target", "--output", "json"] as const),
          ...["--assume-role-policy-document", JSON.stringify(trust)],
        ),
      );
      const { association } = await update("--target-role-arn", Role.Arn);
      expect(association.externalId).to.equal(
        `eu-central-1/000000000000/eks-irsa/${namespace}/${subject().serviceAccount}`,
      );
      const { env, text } = await newPod();
      expect(await run(env, "aws", "sts", "get-caller-identity"), text).to.contain(
        `arn:aws:sts::${otherAccount}:assumed-role/target/`,
      );
    });

    it("sessions without tags, which that role's trust policy does not admit, but by the external id", async () => {
      // This program's trust policy asks for the cluster's name among the tags.
      await trustOf({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "pods.eks.amazonaws.com" },
            Action: ["sts:AssumeRole", "sts:TagSession"],
          },
        ],
      });
      await update("--disable-session-tags");
      const refused = await newPod();
      expect(refused.status).to.equal(400);
      expect(refused.text).to.match(/^\[[\w-]+\]: \(AccessDeniedException\): Unauthorized Exception!/);
      const { namespace, serviceAccount } = subject();
      const trust = {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { AWS: "arn:aws:iam::000000000000:root" },
            Action: "sts:AssumeRole",
            Condition: {
              StringEquals: {
                "sts:ExternalId": `eu-central-1/000000000000/eks-irsa/${namespace}/${serviceAccount}`,
              },
            },
          },
        ],
      };
      await inOther(
        ...(["aws", "iam", "update-assume-role-policy", "--role-name", "target"] as const),
        ...["--policy-document", JSON.stringify(trust)],
      );
      expect((await newPod()).status).to.equal(200);
    });

    it("a session policy, which leaves less than the role may", async () => {
      await update("--target-role-arn", "");
      expect(await run((await newPod()).env, "aws", "s3api", "list-buckets")).to.contain("Buckets");
      const policy = {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "sts:GetCallerIdentity", Resource: "*" }],
      };
      await update("--policy", JSON.stringify(policy));
      const { code, stderr } = await command("aws", ["s3api", "list-buckets"], { env: (await newPod()).env });
      expect(code).not.to.equal(0);
      expect(stderr).to.contain("(AccessDenied)");
    });
  });

  it("lets the pod that runs list on, for which the agent keeps its credentials", async () => {
    const listedAt = async () => {
      const [pod] = await listerPods();
      const response = await fetch(`http://${pod?.status?.podIP}:8080/buckets`);
      return ((await response.json()) as { listedAt: string }).listedAt;
    };
    const before = await listedAt();
    await until("another listing", 60, async () => ((await listedAt()) > before ? true : undefined));
  });

  it("comes up with the lister in Java, too", async () => {
    const { stdout } = await works(local("up", ...podIdentity, "--config", "app=java", "--yes", "--json"));
    report = JSON.parse(stdout) as Report;
    expectProved(report);
  });

  // Mocha runs a suite's own tests before those of the suites in it, and these are the last.
  describe("goes on to a second role, of another account", () => {
    const second = `arn:aws:iam::${otherAccount}:role/second`;
    const trust = (externalId: string) =>
      JSON.stringify(targetTrustPolicy({ roleArn: String(report.outputs.roleArn), externalId }));
    const document = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
    });
    const named = ["--role-name", "second"] as const;
    /** So short that an `up` whose pods are refused need not be waited for. */
    const deadline = "progressDeadlineSeconds=15";
    const expectRefused = async (overrides: string[], said: RegExp) => {
      const { message } = await failureOf(up(...overrides, deadline));
      expect(message).to.contain("lister");
      expect(await lastLog()).to.match(said);
    };
    const expectSecond = async (...overrides: string[]) => {
      await up(...overrides);
      const log = (await lastLog()).split("\n");
      expect(log.findLast((line) => line.includes('"identity"'))).to.contain(
        `arn:aws:sts::${otherAccount}:assumed-role/second/`,
      );
    };

    before(async () => {
      const { namespace, serviceAccount } = subject();
      const externalId = `eu-central-1/000000000000/eks-irsa/${namespace}/${serviceAccount}`;
      await inOther(
        ...(["aws", "iam", "create-role", ...named] as const),
        ...["--assume-role-policy-document", trust(externalId)],
      );
      await inOther(
        ...(["aws", "iam", "put-role-policy", ...named, "--policy-name", "list"] as const),
        ...["--policy-document", document],
      );
    });
    after(async () => {
      await inOther("aws", "iam", "delete-role-policy", ...named, "--policy-name", "list");
      await inOther("aws", "iam", "delete-role", ...named);
    });

    it("by targetRole: as the pod's own log says, and not without the external id that the role asks for", async () => {
      const asked = ["identity=pod-identity", `targetRole=${JSON.stringify({ arn: second })}`];
      // With session tags EKS says no external id.
      await expectRefused(asked, /AccessDenied/);
      await expectSecond(...asked, 'session={"disableTags":true}');
    });

    it("and back to IRSA by the steps between, each of which is proved", async () => {
      for (const mechanism of ["pod-identity", "irsa"]) {
        await works(local("up", "--config", `identity=${JSON.stringify({ mechanism, migrating: true })}`));
      }
      const back = JSON.parse((await works(local("up", "--json"))).stdout) as Report;
      expect(back.proofs.filter((proof) => !proof.ok)).to.deep.equal([]);
      expect(back.proofs).to.have.length(13);
    });

    it("by chain: as the pod's own log says, and not without the external id that the role asks for", async () => {
      await inOther(
        ...(["aws", "iam", "update-assume-role-policy", ...named] as const),
        ...["--policy-document", trust("reports")],
      );
      const chain = (externalId?: string) => `chain=${JSON.stringify({ role: second, externalId })}`;
      await expectRefused([chain()], /AccessDenied: .*STS AssumeRole[,)]/);
      await expectRefused([chain("others")], /AccessDenied: .*STS AssumeRole[,)]/);
      await expectSecond(chain("reports"));
    });

    it("by chain, with the SDK for Java too, which asks the environment before the profile", () =>
      expectSecond(`chain=${JSON.stringify({ role: second, externalId: "reports" })}`, "app=java"));
  });
});
