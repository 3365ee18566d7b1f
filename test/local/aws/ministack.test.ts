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
} from "@aws-sdk/client-iam";
import { expect } from "chai";
import getPort from "get-port";
import { miniStack, rootCredentials } from "../../../local/aws/ministack.ts";
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
  });
});
