import { createHash } from "node:crypto";
import type { V1Pod } from "@kubernetes/client-node";
import { expect } from "chai";
import { command, localUp, until, works } from "./tools.ts";

// What AWS refuses, asked of the live local; and what its webhook does with an association.

describe("local, as AWS", function () {
  this.timeout("10m");
  const namespace = "refusals";
  const repository = "refusals/app";
  const role = "refusals";
  let shell: NodeJS.ProcessEnv;
  /** Its id, while there is one. */
  let association: string | undefined;

  const run = async (...words: [string, ...string[]]) =>
    (await works(command(words[0], words.slice(1), { env: shell }))).stdout;
  /** AWS's own error of a call that must fail. */
  const refused = async (...words: string[]) => {
    const { code, stderr } = await command("aws", words, { env: shell });
    expect(code, stderr).not.to.equal(0);
    return stderr.trim();
  };
  const trust = (statement: object = {}) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "pods.eks.amazonaws.com" },
          Action: "sts:AssumeRole",
          ...statement,
        },
      ],
    });

  before(async () => {
    shell = await localUp();
  });
  const dissociate = async () => {
    if (association === undefined) return;
    const which = ["--cluster-name", "eks-irsa", "--association-id", association];
    await run("aws", "eks", "delete-pod-identity-association", ...which);
    association = undefined;
  };
  after(async () => {
    await dissociate();
    for (const words of [
      ["kubectl", "delete", "namespace", namespace, "--ignore-not-found", "--wait=false"],
      ["aws", "ecr", "delete-repository", "--repository-name", repository, "--force"],
      ["aws", "iam", "delete-role", "--role-name", role],
    ] as const)
      await command(words[0], words.slice(1), { env: shell });
  });

  it("refuses calls that break AWS's models, each service in its own words", async () => {
    const create = (name: string, policy: string) =>
      refused("iam", "create-role", "--role-name", name, "--assume-role-policy-document", policy);
    expect(await create("a b", trust())).to.contain(
      "(ValidationError) when calling the CreateRole operation: The specified value for roleName is invalid.",
    );
    expect(await create("x".repeat(65), trust())).to.contain(
      "Member must have length less than or equal to 64",
    );
    expect(await refused("ecr", "create-repository", "--repository-name", "Team")).to.contain(
      "(InvalidParameterException) when calling the CreateRepository operation: Invalid parameter at 'repositoryName'",
    );
    expect(await refused("logs", "create-log-group", "--log-group-name", "a b")).to.contain(
      "(InvalidParameterException) when calling the CreateLogGroup operation: 1 validation error detected",
    );
  });

  it("refuses an access entry for nobody", async () => {
    const nobody = ["--cluster-name", "eks-irsa", "--principal-arn", "arn:aws:iam::000000000000:role/nobody"];
    expect(await refused("eks", "create-access-entry", ...nobody)).to.contain(
      "(InvalidParameterException) when calling the CreateAccessEntry operation: The specified principalArn is invalid: invalid principal.",
    );
  });

  it("refuses policies that IAM's parser refuses", async () => {
    const create = (policy: string) =>
      refused("iam", "create-role", "--role-name", role, "--assume-role-policy-document", policy);
    expect(await create(trust({ Sid: "a-b" }))).to.contain(
      "(MalformedPolicyDocument) when calling the CreateRole operation: Statement IDs (SID) must be alpha-numeric.",
    );
    expect(await create(trust({ Condition: { StringEqual: { "aws:username": "a" } } }))).to.contain(
      "Syntax errors in policy.",
    );
    expect(await create(trust({ Sid: "x".repeat(2048) }))).to.contain(
      "(LimitExceeded) when calling the CreateRole operation: Cannot exceed quota for ACLSizePerRole: 2048",
    );
  });

  it("refuses a push to a tag that exists, where tags are immutable, until the repository is made anew", async () => {
    const make = async () =>
      JSON.parse(
        await run(
          ...(["aws", "ecr", "create-repository", "--repository-name", repository] as const),
          ...["--image-tag-mutability", "IMMUTABLE", "--output", "json"],
        ),
      ).repository.repositoryUri as string;
    const registry = `http://${(await make()).split("/")[0]}/v2/${repository}`;
    const upload = async (bytes: Buffer) => {
      const begun = await fetch(`${registry}/blobs/uploads/`, { method: "POST" });
      const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      const to = new URL(begun.headers.get("location") ?? "", registry);
      to.searchParams.set("digest", digest);
      const headers = { "content-type": "application/octet-stream" };
      const done = await fetch(to, { method: "PUT", body: new Uint8Array(bytes), headers });
      expect(done.status).to.equal(201);
      return { digest, size: bytes.length };
    };
    const type = (what: string) => `application/vnd.docker.${what}`;
    const push = async () => {
      const config = { mediaType: type("container.image.v1+json"), ...(await upload(Buffer.from("{}"))) };
      const layer = {
        mediaType: type("image.rootfs.diff.tar.gzip"),
        ...(await upload(Buffer.from("layer"))),
      };
      const mediaType = type("distribution.manifest.v2+json");
      const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] });
      const headers = { "content-type": mediaType };
      const put = await fetch(`${registry}/manifests/v1`, { method: "PUT", body: manifest, headers });
      return { status: put.status, text: await put.text() };
    };
    expect((await push()).status).to.equal(201);
    const again = await push();
    expect(again.status).to.equal(400);
    expect(JSON.parse(again.text).errors[0]).to.deep.equal({
      code: "TAG_INVALID",
      message: `The image tag 'v1' already exists in the '${repository}' repository and cannot be overwritten because the tag is immutable.`,
    });
    await run("aws", "ecr", "delete-repository", "--repository-name", repository, "--force");
    await make();
    expect((await push()).status).to.equal(201);
  });

  it("gives a pod the agent's address once its association has taken effect, and not its role's", async () => {
    const { Role } = JSON.parse(
      await run(
        ...(["aws", "iam", "create-role", "--role-name", role, "--output", "json"] as const),
        ...["--assume-role-policy-document", trust({ Action: ["sts:AssumeRole", "sts:TagSession"] })],
      ),
    );
    await run("kubectl", "create", "namespace", namespace);
    await run("kubectl", "create", "serviceaccount", "-n", namespace, "app");
    await run(
      ...(["kubectl", "annotate", "serviceaccount", "-n", namespace, "app"] as const),
      `eks.amazonaws.com/role-arn=${Role.Arn}`,
    );
    /** Names of the variables that a pod is admitted with; nothing is made. */
    const admitted = async () => {
      const overrides = JSON.stringify({ spec: { serviceAccountName: "app" } });
      const pod = JSON.parse(
        await run(
          ...(["kubectl", "run", "probe", "-n", namespace, "--image=none", "--dry-run=server"] as const),
          ...["--overrides", overrides, "--output", "json"],
        ),
      ) as V1Pod;
      return (pod.spec?.containers[0]?.env ?? []).map(({ name }) => name);
    };
    expect(await admitted()).to.include("AWS_ROLE_ARN");
    const made = JSON.parse(
      await run(
        ...(["aws", "eks", "create-pod-identity-association", "--cluster-name", "eks-irsa"] as const),
        ...["--namespace", namespace, "--service-account", "app", "--role-arn", Role.Arn, "--output", "json"],
      ),
    ).association;
    association = made.associationId as string;
    const names = await until("the association takes effect", 30, async () => {
      const found = await admitted();
      return found.includes("AWS_CONTAINER_CREDENTIALS_FULL_URI") ? found : undefined;
    });
    expect(names).to.include("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").and.not.include("AWS_ROLE_ARN");

    const arn = made.associationArn as string;
    await run("aws", "eks", "tag-resource", "--resource-arn", arn, "--tags", "team=data");
    const { tags } = JSON.parse(
      await run("aws", "eks", "list-tags-for-resource", "--resource-arn", arn, "--output", "json"),
    );
    expect(tags).to.deep.equal({ team: "data" });
    await dissociate();
    expect(await admitted(), "its association gone").to.include("AWS_ROLE_ARN");
  });
});
