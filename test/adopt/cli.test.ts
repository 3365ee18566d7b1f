import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { load } from "js-yaml";
import { readEstate } from "../../adopt/estate-reader.ts";
import { failureOf } from "../failure.ts";
import { issuer, oidcProviderArn } from "../mocks.ts";
import { accountId, layouts } from "./layouts.ts";

const { claims, tokenTrust } = layouts;

// The command, against AWS and Kubernetes that answer as they do: in pages, in XML and JSON, percent-encoded.

const root = join(import.meta.dirname, "..", "..");

const xml = (action: string, result: string, marker?: string): string =>
  `<${action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><${action}Result>${result}<IsTruncated>${marker !== undefined}</IsTruncated>${marker === undefined ? "" : `<Marker>${marker}</Marker>`}</${action}Result></${action}Response>`;
const arnOf = (name: string): string => `arn:aws:iam::${accountId}:role/irsa/${name}`;
const role = (name: string, inner: string): string =>
  `<member><RoleName>${name}</RoleName><Path>/irsa/</Path><Arn>${arnOf(name)}</Arn>${inner}</member>`;
const listed = (name: string): string =>
  role(name, `<Description>For ${name}</Description><MaxSessionDuration>7200</MaxSessionDuration>`);
const detailed = (name: string): string =>
  role(
    name,
    `<AssumeRolePolicyDocument>${encodeURIComponent(tokenTrust({ StringEquals: claims("team-a", name) }))}</AssumeRolePolicyDocument>
    <Tags><member><Key>team</Key><Value>a</Value></member></Tags>
    <PermissionsBoundary><PermissionsBoundaryArn>arn:aws:iam::${accountId}:policy/b</PermissionsBoundaryArn></PermissionsBoundary>
    <AttachedManagedPolicies><member><PolicyName>p</PolicyName><PolicyArn>arn:aws:iam::aws:policy/ReadOnlyAccess</PolicyArn></member></AttachedManagedPolicies>
    <RolePolicyList><member><PolicyName>list</PolicyName><PolicyDocument>${encodeURIComponent('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}')}</PolicyDocument></member></RolePolicyList>`,
  );
const serviceAccount = (name: string, more: object = {}) => ({
  metadata: {
    namespace: "team-a",
    name,
    uid: "1",
    annotations: { "eks.amazonaws.com/role-arn": arnOf(name) },
    ...more,
  },
});

describe("the adopt command", () => {
  let server: Server;
  let url: string;
  let folder: string;
  let environment: Record<string, string>;
  const before_ = { ...process.env };
  const asked: string[] = [];

  const answers: Record<string, (query: URLSearchParams) => string | object> = {
    ListRoles: (query) =>
      query.get("Marker") === null
        ? xml("ListRoles", `<Roles>${listed("one")}</Roles>`, "next")
        : xml("ListRoles", `<Roles>${listed("two")}</Roles>`),
    GetAccountAuthorizationDetails: (query) =>
      query.get("Marker") === null
        ? xml("GetAccountAuthorizationDetails", `<RoleDetailList>${detailed("one")}</RoleDetailList>`, "next")
        : xml("GetAccountAuthorizationDetails", `<RoleDetailList>${detailed("two")}</RoleDetailList>`),
    ListOpenIDConnectProviders: () =>
      xml(
        "ListOpenIDConnectProviders",
        `<OpenIDConnectProviderList><member><Arn>${oidcProviderArn}</Arn></member></OpenIDConnectProviderList>`,
      ),
    "GET /clusters": () => ({ clusters: ["dev"] }),
    "GET /clusters/dev": () => ({
      cluster: {
        name: "dev",
        arn: `arn:aws:eks:eu-central-1:${accountId}:cluster/dev`,
        status: "ACTIVE",
        endpoint: url,
        certificateAuthority: { data: "Q0E=" },
        identity: { oidc: { issuer: `https://${issuer}` } },
      },
    }),
    "GET /clusters/dev/pod-identity-associations": () => ({
      associations: [
        { associationId: "a-1", namespace: "team-b", serviceAccount: "pod" },
        { associationId: "a-2", namespace: "elsewhere", serviceAccount: "pod" },
      ],
    }),
    "GET /clusters/dev/pod-identity-associations/a-1": () => ({
      association: {
        namespace: "team-b",
        serviceAccount: "pod",
        roleArn: arnOf("one"),
        ownerArn: "arn:aws:eks:eu-central-1:1:addon/dev/x",
        disableSessionTags: false,
      },
    }),
    "GET /api/v1/namespaces/team-a/serviceaccounts": (query) =>
      query.get("continue") === null
        ? { metadata: { continue: "next" }, items: [serviceAccount("one")] }
        : { metadata: {}, items: [serviceAccount("two", { finalizers: ["example.com/x"] })] },
    "GET /api/v1/namespaces/team-b/serviceaccounts": () => ({ metadata: {}, items: [] }),
  };

  before((done) => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-adopt-"));
    server = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
      const form = new URLSearchParams(await text(request));
      const action = form.get("Action");
      const what = action ?? `${request.method} ${pathname}`;
      asked.push(what);
      const answer = answers[what]?.(action === null ? searchParams : form);
      const type = typeof answer === "string" ? "text/xml" : "application/json";
      response
        .writeHead(answer === undefined ? 404 : 200, {
          "content-type": type,
          ...(answer === undefined && { "x-amzn-errortype": "ResourceNotFoundException" }),
        })
        .end(typeof answer === "string" ? answer : JSON.stringify(answer ?? { message: "not there" }));
    }).listen(0, "127.0.0.1", () => {
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      environment = {
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
        AWS_SECRET_ACCESS_KEY: "none",
        AWS_MAX_ATTEMPTS: "1",
        KUBECONFIG: join(folder, "kubeconfig"),
      };
      const context = (name: string) => ({ name, context: { cluster: name, user: "me" } });
      writeFileSync(
        join(folder, "kubeconfig"),
        JSON.stringify({
          apiVersion: "v1",
          kind: "Config",
          clusters: [
            { name: "here", cluster: { server: url, "insecure-skip-tls-verify": true } },
            { name: "other", cluster: { server: "http://127.0.0.1:1" } },
          ],
          users: [{ name: "me", user: { token: "t" } }],
          contexts: [context("here"), context("other")],
          "current-context": "other",
        }),
      );
      done();
    });
  });
  after((done) => {
    for (const name of Object.keys(process.env)) if (!(name in before_)) delete process.env[name];
    Object.assign(process.env, before_);
    rmSync(folder, { recursive: true });
    server.close(done);
    server.closeAllConnections();
  });

  const run = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(
        process.execPath,
        ["--import", join(root, "preload.js"), join(root, "adopt", "cli.ts"), ...args],
        {
          cwd: folder,
          env: { PATH: process.env.PATH, COLUMNS: "300", ...environment },
        },
        (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    });
  const place = ["--cluster=dev", "--region=eu-central-1", "--namespace=team-a", "--namespace=team-b"];

  it("reads every page, writes what is found, and changes nothing", async () => {
    const [{ code, stdout, stderr }, json] = await Promise.all([
      run(...place, "--context=here", "--out=found"),
      run(...place, "--context=here", "--out=json", "--json"),
    ]);
    expect(stderr).to.equal(
      "Written to found: stack.yaml, import-cluster.json, import.json. docs/adopt.md says how `pulumi import` takes them.\n",
    );
    expect(code).to.equal(0);
    expect(stdout).to.contain("dev in eu-central-1: 3 found, 2 described");
    expect(stdout).to.contain("team-a/two: the ServiceAccount has finalizers");
    expect(stdout).to.contain("team-b/pod: arn:").and.to.contain("its association belongs to the add-on");
    const { config } = load(readFileSync(join(folder, "found", "stack.yaml"), "utf8")) as {
      config: Record<string, unknown>;
    };
    expect(config).to.include({ "aws:region": "eu-central-1", "eks-irsa:app": "none" });
    expect((config["eks-irsa:bindings"] as object[])[0]).to.deep.equal({
      namespace: "team-a",
      serviceAccount: "one",
      role: {
        name: "one",
        path: "/irsa/",
        permissionsBoundary: `arn:aws:iam::${accountId}:policy/b`,
        maxSessionDuration: 7200,
      },
      description: "For one",
      policies: [
        "ReadOnlyAccess",
        {
          name: "list",
          document: {
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
          },
        },
      ],
      tags: { team: "a" },
      automountToken: "unset",
    });
    const { resources } = JSON.parse(readFileSync(join(folder, "found", "import.json"), "utf8"));
    expect(resources.map(({ id }: { id?: string }) => id).filter(Boolean)).to.deep.equal([
      ...["one", "one", "one:list", "team-a/one"],
      ...["two", "two", "two:list"],
    ]);
    const { described, undescribed } = JSON.parse(json.stdout);
    expect(described[1]).to.include({ takesServiceAccount: false });
    expect(undescribed.map(({ what }: { what: string }) => what)).to.deep.equal(["team-b/pod"]);
    expect(asked.filter((one) => !/^(GET |List|GetAccountAuthorizationDetails)/.test(one))).to.deep.equal([]);
  });

  it("exits 2 on a command line that it cannot take, 1 where there is no such cluster", async () => {
    const [without, missing] = await Promise.all([
      run("--cluster=dev"),
      run("--cluster=prod", "--region=eu-central-1"),
    ]);
    expect(without).to.include({ code: 2, stderr: "--region must be given, or $AWS_REGION set.\n" });
    expect(missing.code).to.equal(1);
    expect(missing.stderr)
      .to.contain("There is no EKS cluster prod in eu-central-1")
      .and.to.contain("there are: dev.");
  });

  it("refuses a context of another cluster", async () => {
    Object.assign(process.env, environment);
    const error = await failureOf(
      readEstate({ cluster: "dev", region: "eu-central-1", namespaces: [], context: "other" }),
    );
    expect(error.message).to.equal(
      `The context other leads to http://127.0.0.1:1, which is not known as the API server of dev, ${url}.`,
    );
  });
});
