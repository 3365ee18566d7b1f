import { expect } from "chai";
import type { FastifyInstance } from "fastify";
import { type Environment, pullRequestService } from "../../examples/pull-requests/service.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, region } from "../../local/run.ts";
import { running } from "../../local/state.ts";
import { command, localUp, until, works } from "./tools.ts";

// The example service, ten pull requests at once, on the live parts.

describe("the example: an environment for every pull request", function () {
  this.timeout("15m");
  this.bail(true);

  const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
  /** Their namespaces are somebody else's: they fail with the role made already. */
  const taken = [3, 7];
  let shell: NodeJS.ProcessEnv;
  let service: FastifyInstance;

  const ask = async (method: "GET" | "PUT" | "DELETE", path: string, payload?: object) => {
    const response = await service.inject({ method, url: `/pull-requests${path}`, payload });
    return { code: response.statusCode, body: response.json() };
  };
  const settled = (what: string): Promise<Map<number, Environment>> =>
    until(what, 300, async () => {
      const all = (await ask("GET", "")).body as Environment[];
      return all.some(({ state }) => ["waiting", "working"].includes(state))
        ? undefined
        : new Map(all.map((one) => [one.number, one]));
    });
  const kubectl = async (...args: string[]) => (await works(command("kubectl", args, { env: shell }))).stdout;
  const namespaces = async () =>
    (await kubectl("get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}"))
      .split(" ")
      .filter((name) => /^pr-\d+$/.test(name));
  const roles = async () =>
    JSON.parse(
      (await works(command("aws", ["iam", "list-roles", "--output", "json"], { env: shell }))).stdout,
    )
      .Roles.map((role: { RoleName: string }) => role.RoleName)
      .filter((name: string) => name.startsWith("pr-"));

  before(async () => {
    shell = await localUp();
    process.env.PATH = shell.PATH;
    const state = running();
    service = pullRequestService({
      cluster: "eks-irsa",
      region,
      env: { ...awsEnvironment(state), ...engineEnvironment(state) },
    });
    for (const number of taken) await kubectl("create", "namespace", `pr-${number}`);
  });
  after(async () => {
    await service?.close();
    const names = taken.map((number) => `pr-${number}`);
    await command("kubectl", ["delete", "namespace", ...names, "--ignore-not-found", "--wait=false"], {
      env: shell,
    });
  });

  it("refuses bad policies at once, by their key", async () => {
    const { code, body } = await ask("PUT", "/1", { policies: ["no such thing"] });
    expect(code).to.equal(400);
    expect(body.message).to.contain('eks-irsa:bindings[0].policies[0] holds "no such thing"');
    expect((await ask("GET", "/1")).code).to.equal(404);
    expect((await ask("PUT", "/one")).code).to.equal(400);
  });

  it("makes ten at once; those that fail say where, and keep the others from nothing", async () => {
    for (const number of numbers) expect((await ask("PUT", `/${number}`)).code).to.equal(202);
    const all = await settled("ten environments");
    for (const number of numbers) {
      const environment = all.get(number);
      if (taken.includes(number)) {
        expect(environment).to.include({ state: "failed" });
        expect(environment?.error?.resource).to.match(new RegExp(`Namespace::namespace-pr-${number}$`));
      } else {
        expect(environment, environment?.error?.message).to.include({ state: "ready" });
        expect(environment?.roleArn).to.match(new RegExp(`role/pr-${number}\\.app-role-`));
      }
    }
  });

  it("changes them, two requests for one after each other; what failed goes on once it can", async () => {
    await kubectl("delete", "namespace", "pr-3");
    await ask("PUT", "/3", { policies: ["AmazonS3ReadOnlyAccess"] });
    await ask("PUT", "/1", { policies: ["AmazonS3ReadOnlyAccess", "AmazonSQSReadOnlyAccess"] });
    await ask("PUT", "/1", { policies: ["AmazonSQSReadOnlyAccess"] });
    let all = await settled("the changes");
    const { state, error } = all.get(3) ?? {};
    if (state === "failed") {
      // Seen once in seven runs, its message unknown then: it is printed. Another PUT has to go on from there.
      console.log(`      pull request 3 failed again: ${error?.message}`);
      await ask("PUT", "/3", { policies: ["AmazonS3ReadOnlyAccess"] });
      all = await settled("the second try");
    }
    expect(all.get(3), all.get(3)?.error?.message).to.include({ state: "ready" });
    expect(all.get(1), all.get(1)?.error?.message).to.include({ state: "ready" });
    const name = all.get(1)?.roleArn?.replace(/^.*\//, "") ?? "";
    const { stdout } = await works(
      command("aws", ["iam", "list-attached-role-policies", "--role-name", name, "--output", "json"], {
        env: shell,
      }),
    );
    expect(
      JSON.parse(stdout).AttachedPolicies.map((policy: { PolicyName: string }) => policy.PolicyName),
    ).to.deep.equal(["AmazonSQSReadOnlyAccess"]);
  });

  it("removes all ten and leaves nothing but what was somebody else's", async () => {
    for (const number of numbers) await ask("DELETE", `/${number}`);
    const all = await settled("the removal");
    expect([...all.values()].filter(({ state }) => state !== "removed")).to.deep.equal([]);
    expect(await roles()).to.deep.equal([]);
    expect(await namespaces()).to.deep.equal(["pr-7"]);
    const { stdout } = await works(command("pulumi", ["stack", "ls", "--all", "--json"], { env: shell }));
    expect(
      (JSON.parse(stdout) as { name: string }[]).filter(({ name }) => /\bpr-\d+$/.test(name)),
    ).to.deep.equal([]);
  });
});
