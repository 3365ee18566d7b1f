import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { printedBy } from "../automation/stage.ts";

describe("the doctor command", () => {
  const root = join(import.meta.dirname, "..", "..");
  /** As `npm run doctor` starts it: what was compiled once is not compiled again. */
  const command = ["--import", "./preload.js", "doctor/cli.ts"];
  const run = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    spawnSync(process.execPath, [...command, ...args], {
      encoding: "utf8",
      env: { PATH: process.env.PATH, ...env },
      cwd: root,
    });

  it("says what its exit codes mean", () => {
    const { status, stdout } = run({}, "--help");
    expect(status).to.equal(0);
    expect(stdout).to.contain("Exit codes: 0 healthy, 1 broken, 2 could not look");
  });

  it("exits 2 on a command line that it cannot take, in one sentence", () => {
    const missing = run({}, "--cluster", "dev");
    expect(missing.status).to.equal(2);
    expect(missing.stderr).to.match(/^--region, --namespace, --service-account must be given[^\n]*\n$/);
    expect(run({}, "--clutser", "dev").status).to.equal(2);
  });

  it("exits 2 where it can reach nothing, and calls nothing healthy", () => {
    const flags = ["--cluster=dev", "--namespace=a", "--service-account=b", "--region=eu-west-1", "--json"];
    const { status, stdout } = run(
      {
        AWS_ENDPOINT_URL: "http://127.0.0.1:1",
        AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
        AWS_SECRET_ACCESS_KEY: "none",
        AWS_MAX_ATTEMPTS: "1",
        KUBECONFIG: join(root, "test", "doctor", "kubeconfig.json"),
      },
      ...flags,
    );
    expect(status).to.equal(2);
    const { state, links } = JSON.parse(stdout);
    expect(state).to.equal("unseen");
    expect(links[0].finding).to.include({ state: "unseen" });
  });

  /** A fake of AWS's and of the cluster's API on one port: answers by path, else that there is no such thing. */
  const answering = async (
    answer: (path: string) => { status: number; body: object | string; type?: string },
    act: (url: string) => Promise<void>,
  ): Promise<void> => {
    const server = createServer((request, response) => {
      const { status, body, type = "application/json" } = answer(request.url ?? "");
      const name = typeof body === "object" && "__type" in body ? String(body.__type) : "";
      response.writeHead(status, { "content-type": type, "x-amzn-errortype": name });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };
  const flags = ["--cluster=dev", "--namespace=a", "--service-account=b", "--region=eu-west-1"];
  const keys = {
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "none",
    AWS_MAX_ATTEMPTS: "1",
    AWS_EC2_METADATA_DISABLED: "true",
    HOME: "/nonexistent",
  };
  const kubeconfig = join(root, "test", "doctor", "kubeconfig.json");
  const look = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    printedBy(process.execPath, [...command, ...flags, ...args], {
      env: { PATH: process.env.PATH, ...keys, ...env },
    });
  const first = "  ?  The cluster can be reached: cannot tell. ";

  it("says of missing AWS credentials how to sign in, once", async () => {
    const { code, stdout } = await look({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      KUBECONFIG: kubeconfig,
    });
    expect(stdout.split("\n").slice(0, 2)).to.deep.equal([
      `${first}Could not load credentials from any providers`,
      "       It would take: AWS credentials: sign in (`aws sso login`), set keys in the environment, or name a profile in AWS_PROFILE.",
    ]);
    expect(stdout.match(/It would take/g)).to.have.length(1);
    expect(stdout).to.match(/not everything could be looked at: begin at "The cluster can be reached"\.\n$/);
    expect(code).to.equal(2);
  });

  it("says of a token that has expired, of rights that are missing, and of AWS out of reach what it takes", async () => {
    const refusals = [
      [
        "ExpiredTokenException",
        "The security token included in the request is expired",
        "Credentials that have not expired",
      ],
      [
        "AccessDeniedException",
        "User: arn:aws:iam::111122223333:user/me is not authorized to perform: eks:DescribeCluster on resource: x",
        "Rights for eks:DescribeCluster.",
      ],
    ] as const;
    for (const [__type, message, takes] of refusals) {
      await answering(
        () => ({ status: 403, body: { __type, message } }),
        async (url) => {
          const { code, stdout } = await look({ AWS_ENDPOINT_URL: url, KUBECONFIG: kubeconfig });
          expect(stdout).to.contain(`${first}${message}\n       It would take: ${takes}`);
          expect(code).to.equal(2);
        },
      );
    }
    const away = await look({ AWS_ENDPOINT_URL: "http://127.0.0.1:1", KUBECONFIG: kubeconfig });
    expect(away.stdout).to.contain(
      `${first}connect ECONNREFUSED 127.0.0.1:1\n       It would take: A way from here`,
    );
    expect(away.code).to.equal(2);
  });

  it("says of a cluster that is not there which there are, exit code 1", async () => {
    await answering(
      (path) =>
        path.startsWith("/clusters/")
          ? { status: 404, body: { __type: "ResourceNotFoundException", message: "No cluster found" } }
          : { status: 200, body: { clusters: ["prod", "staging"] } },
      async (url) => {
        const { code, stdout } = await look({ AWS_ENDPOINT_URL: url, KUBECONFIG: kubeconfig });
        expect(stdout)
          .to.match(/✖ {2}The cluster can be reached/)
          .and.contain("prod")
          .and.contain("staging");
        expect(code).to.equal(1);
      },
    );
  });

  it("says of a Kubernetes API that is out of reach what it takes, though AWS answers", async () => {
    let endpoint = "";
    await answering(
      () => ({ status: 200, body: {} }),
      async (url) => {
        endpoint = url.replace("http:", "https:"); // and nothing listens there any more
      },
    );
    const folder = mkdtempSync(join(tmpdir(), "eks-irsa-kubeconfig-"));
    const file = join(folder, "config");
    writeFileSync(file, readFileSync(kubeconfig, "utf8").replace("https://127.0.0.1:1", endpoint));
    const issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
    const arn = "arn:aws:eks:eu-west-1:111122223333:cluster/dev";
    const cluster = { arn, status: "ACTIVE", endpoint, identity: { oidc: { issuer } } };
    try {
      await answering(
        () => ({ status: 200, body: { cluster } }),
        async (url) => {
          const { code, stdout } = await look({ AWS_ENDPOINT_URL: url, KUBECONFIG: file });
          expect(stdout).to.match(/cannot tell\. .*ECONNREFUSED.*\n {7}It would take: A way from here/);
          expect(code).to.equal(2);
        },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says where there is no kubeconfig, or none at the place that was named", async () => {
    const none = await look({});
    expect(none).to.deep.equal({
      code: 2,
      stdout: "",
      stderr:
        "There is no kubeconfig in --kubeconfig, $KUBECONFIG or ~/.kube/config. `aws eks update-kubeconfig --region REGION --name CLUSTER` writes one.\n",
    });
    const elsewhere = await look({}, "--kubeconfig", "/nonexistent/config");
    expect(elsewhere.stderr).to.equal(
      "--kubeconfig cannot be read: ENOENT: no such file or directory, open '/nonexistent/config'.\n",
    );
    expect(elsewhere.code).to.equal(2);
  });

  it("names the engine that a stack's outputs need, and what does without", async () => {
    const { code, stdout, stderr } = await look({ PATH: "/nonexistent" }, "dev");
    expect(stderr).to.match(
      /^The outputs of the stack dev need the Pulumi engine, which is not on the PATH\. .*--cluster/,
    );
    expect(stderr.trim().split("\n")).to.have.length(1);
    expect(stdout).to.equal("");
    expect(code).to.equal(2);
  });

  it("suggests the nearest option", () => {
    const { status, stderr } = run({}, "--clutser", "dev");
    expect(stderr).to.equal(
      "error: unknown option '--clutser'\n(Did you mean --cluster?)\n(--help lists what there is)\n",
    );
    expect(status).to.equal(2);
  });

  it("names a context that the kubeconfig does not have", () => {
    const { status, stderr } = run(
      { KUBECONFIG: join(root, "test", "doctor", "kubeconfig.json") },
      ...["--cluster=dev", "--namespace=a", "--service-account=b", "--region=eu-west-1", "--context=prod"],
    );
    expect(status).to.equal(2);
    expect(stderr).to.equal("The kubeconfig's context prod names no cluster; there are: here.\n");
  });
});
