import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreatePolicyCommand,
  CreateRoleCommand,
  GetAccountAuthorizationDetailsCommand,
  IAMClient,
  ListRolesCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import getPort from "get-port";
import { Account } from "../../../local/aws/account.ts";
import { defaultAccountId, miniStack, rootCredentials } from "../../../local/aws/ministack.ts";
import { assumeRoleForPodIdentity } from "../../../local/eks/eks-auth-client.ts";
import { venv } from "../../../local/machine/paths.ts";

describe("miniStack", () => {
  it("answers where it is told to, for the account and region that it is told", () => {
    const { url, command, env } = miniStack({
      venv: "/v",
      port: 4567,
      folder: "/f",
      region: "eu-west-1",
      accountId: "1".repeat(12),
    });
    expect([url, command]).to.deep.equal(["http://127.0.0.1:4567", "/v/bin/python"]);
    expect(env).to.include({
      GATEWAY_PORT: "4567",
      MINISTACK_REGION: "eu-west-1",
      MINISTACK_ACCOUNT_ID: "111111111111",
      STATE_DIR: "/f/state",
      S3_DATA_DIR: "/f/s3",
    });
  });

  it("takes nothing from the caller's environment", () => {
    const names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SERVICES", "DOCKER_HOST"];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = "the caller's";
    try {
      const { env } = miniStack({ venv: "/v", port: 1, folder: "/f", region: "eu-west-1" });
      expect(Object.values(env)).not.to.include("the caller's");
    } finally {
      names.forEach((name, index) => {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      });
    }
  });

  describe("where it is installed", () => {
    let folder: string;
    let process_: ChildProcess;
    let port: number;
    let url: string;
    before(async function () {
      // What it does with its settings, only it can tell; `npm run local -- install` brings it.
      if (!existsSync(join(venv, "bin", "python"))) this.skip();
      folder = mkdtempSync(join(tmpdir(), "ministack-"));
      port = await getPort({ host: "127.0.0.1" });
      const { command, args, env, ready, ...stack } = miniStack({ venv, port, folder, region: "eu-west-1" });
      url = stack.url;
      process_ = spawn(command, args, { env, stdio: "ignore" });
      while (!(await ready().catch(() => false))) {
        if (process_.exitCode !== null) throw new Error(`MiniStack ended with ${process_.exitCode}`);
        await sleep(50);
      }
    });
    after(async () => {
      if (process_ === undefined) return;
      process_.kill("SIGKILL");
      await once(process_, "exit");
      rmSync(folder, { recursive: true });
    });

    it("listens on loopback, and on no port but its own", () => {
      const own = readdirSync(`/proc/${process_.pid}/fd`).flatMap((descriptor) => {
        const link = readlinkSync(`/proc/${process_.pid}/fd/${descriptor}`);
        return /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [];
      });
      const addresses = ["tcp", "tcp6"]
        .flatMap((table) => readFileSync(`/proc/${process_.pid}/net/${table}`, "utf8").split("\n").slice(1))
        .map((row) => row.trim().split(/\s+/))
        .filter(([, , , state, , , , , , inode]) => state === "0A" && own.includes(String(inode)))
        .map(([, address]) => address);
      expect(addresses).to.deep.equal([`0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`]);
    });

    it("refuses a key that it did not give out", async () => {
      const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "s" };
      const client = new IAMClient({ endpoint: url, region: "eu-west-1", credentials, maxAttempts: 1 });
      const told = await client.send(new ListRolesCommand({})).then(
        () => "answered",
        (error: Error) => error.name,
      );
      client.destroy();
      expect(told).to.match(/InvalidClientTokenId|SignatureDoesNotMatch|AccessDenied/);
    });

    it("tells a role's permissions boundary among the account's details", async () => {
      const client = new IAMClient({ endpoint: url, region: "eu-west-1", credentials: rootCredentials });
      const statement = { Effect: "Allow", Action: "s3:*", Resource: "*" };
      const document = (more: object) => JSON.stringify({ Version: "2012-10-17", Statement: [more] });
      const { Policy } = await client.send(
        new CreatePolicyCommand({ PolicyName: "boundary", PolicyDocument: document(statement) }),
      );
      const trust = document({
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Principal: { Service: "ec2.amazonaws.com" },
      });
      for (const [RoleName, PermissionsBoundary] of [
        ["bound", Policy?.Arn],
        ["free", undefined],
      ]) {
        await client.send(
          new CreateRoleCommand({ RoleName, PermissionsBoundary, AssumeRolePolicyDocument: trust }),
        );
      }
      const { RoleDetailList = [] } = await client.send(
        new GetAccountAuthorizationDetailsCommand({ Filter: ["Role"] }),
      );
      client.destroy();
      const boundaries = RoleDetailList.map(({ RoleName, PermissionsBoundary }) => [
        RoleName,
        PermissionsBoundary?.PermissionsBoundaryArn,
      ]);
      expect(boundaries).to.deep.include.members([
        ["bound", Policy?.Arn],
        ["free", undefined],
      ]);
    });

    it("checks a signature before it says that it has no EKS Auth, by which the front door knows the caller", async () => {
      const admin = await new Account({ endpoint: url, region: "eu-west-1" }).administrator();
      const ask = (secretAccessKey: string) =>
        assumeRoleForPodIdentity("irsa", "a.b.c", {
          endpoint: url,
          region: "eu-west-1",
          credentials: { ...admin, secretAccessKey },
        }).catch((error: { status: number }) => error.status);
      expect(await ask(admin.secretAccessKey)).to.equal(400);
      expect(await ask("another")).to.equal(403);
      const response = await fetch(`${url}/clusters/irsa/assume-role-for-pod-identity`, {
        method: "POST",
        headers: {
          authorization: "AWS4-HMAC-SHA256 Credential=test/20270115/eu-west-1/eks-auth/aws4_request",
        },
      });
      expect(await response.text()).to.match(/unsupported service/i);
    });

    it("assumes a role for a pod, and by it a target role of another account", async () => {
      const account = new Account({ endpoint: url, region: "eu-west-1" });
      const clientOf = (credentials: {
        accessKeyId: string;
        secretAccessKey: string;
        sessionToken?: string;
      }) => ({
        endpoint: url,
        region: "eu-west-1",
        credentials,
        maxAttempts: 1,
      });
      const iam = new IAMClient(clientOf(rootCredentials));
      const other = "222222222222";
      const otherIam = new IAMClient(clientOf({ accessKeyId: other, secretAccessKey: "s" }));
      const document = (statement: object) =>
        JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
      const both = ["sts:AssumeRole", "sts:TagSession"];
      const tags = { "kubernetes-namespace": "team-a" };
      await iam.send(
        new CreateRoleCommand({
          RoleName: "app",
          Path: "/team/",
          // The front door has judged it: MiniStack knows neither the service nor its condition keys.
          AssumeRolePolicyDocument: document({
            Principal: { Service: "pods.eks.amazonaws.com" },
            Action: both,
            Condition: { StringEquals: { "aws:SourceAccount": defaultAccountId } },
          }),
        }),
      );
      const allow = (Action: string) =>
        iam.send(
          new PutRolePolicyCommand({
            RoleName: "app",
            PolicyName: Action.replace(/\W/g, ""),
            PolicyDocument: document({ Action, Resource: "*" }),
          }),
        );
      const roleArn = `arn:aws:iam::${defaultAccountId}:role/team/app`;
      const hop = { roleArn, roleSessionName: "eks-irsa-pod", durationSeconds: 21_600, tags };
      const listed = async (session: Awaited<ReturnType<Account["assumeRole"]>>) =>
        new S3Client({ ...clientOf(session), forcePathStyle: true }).send(new ListBucketsCommand({})).then(
          () => "allowed",
          (error: Error) => error.name,
        );
      const session = await account.assumeRole(hop);
      expect(session.arn).to.equal(`arn:aws:sts::${defaultAccountId}:assumed-role/app/eks-irsa-pod`);
      expect(session.expiration.getTime() - Date.now()).to.be.within(21_500_000, 21_700_000);
      expect(await listed(session)).to.equal("AccessDenied");
      await allow("s3:ListAllMyBuckets");
      expect(await listed(session)).to.equal("allowed");
      const policy = document({ Action: "sqs:*", Resource: "*" });
      expect(await listed(await account.assumeRole({ ...hop, policy })), "its session policy").to.equal(
        "AccessDenied",
      );

      const trust = (Condition: object) =>
        document({ Principal: { AWS: `arn:aws:iam::${defaultAccountId}:root` }, Action: both, Condition });
      const byRole = { ArnEquals: { "aws:PrincipalArn": roleArn } };
      await otherIam.send(
        new CreateRoleCommand({ RoleName: "target", AssumeRolePolicyDocument: trust(byRole) }),
      );
      const target = { ...hop, roleArn: `arn:aws:iam::${other}:role/target`, durationSeconds: 3600 };
      const assumed = (more: object = {}) =>
        account.assumeRole({ ...target, ...more }, session).then(
          ({ arn }) => arn,
          (error: Error) => error.name,
        );
      expect(await assumed(), "not allowed by its own policies").to.equal("AccessDenied");
      await allow("sts:AssumeRole");
      expect(await assumed()).to.equal(`arn:aws:sts::${other}:assumed-role/target/eks-irsa-pod`);
      for (const [condition, more, answer] of [
        [{ ArnEquals: { "aws:PrincipalArn": `${roleArn}x` } }, {}, "AccessDenied"],
        [{ StringEquals: { "aws:RequestTag/kubernetes-namespace": "team-b" } }, {}, "AccessDenied"],
        [{ StringEquals: { "sts:ExternalId": "a/b" } }, { tags: {} }, "AccessDenied"],
        [{ StringEquals: { "sts:ExternalId": "a/b" } }, { tags: {}, externalId: "a/b" }, /:assumed-role/],
      ] as const) {
        await otherIam.send(
          new UpdateAssumeRolePolicyCommand({ RoleName: "target", PolicyDocument: trust(condition) }),
        );
        expect(await assumed(more), JSON.stringify(condition)).to.match(new RegExp(answer));
      }
      for (const client of [iam, otherIam]) client.destroy();
    });
  });
});
