import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { page } from "../doctor/html.ts";
import { conclusion, describeLink } from "../doctor/report.ts";
import { hints, proofTable } from "../local/cli/up-report.ts";
import { Browser, type View } from "../testing/browser.ts";
import { FakeAws } from "../testing/fake-aws.ts";
import { environment, goLister, portOf, role, start, token, until } from "../testing/lister-process.ts";
import { engineIsThere, Stage } from "./automation/stage.ts";
import { look } from "./doctor/captured.ts";

// `node test/pictures.ts` makes docs/pictures/: the screens and pages that people see, of the code as it is.

const folder = join(import.meta.dirname, "..", "docs", "pictures");
mkdirSync(folder, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "eks-irsa-pictures-"));
const browser = await Browser.start();

const take = async (name: string): Promise<void> => {
  writeFileSync(join(folder, `${name}.png`), await browser.picture());
};
const phone: View = { width: 390, scheme: "light" };
const desk: View = { width: 1280, scheme: "light" };
const night: View = { width: 390, scheme: "dark" };

/** A terminal of so many columns. */
async function terminal(name: string, columns: number, ...parts: string[]): Promise<void> {
  const text = parts.join("\n").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const style = `body { margin: 0; background: #16191c; color: #eef0f2; } pre { margin: 12px; font: 13px/1.35 monospace; white-space: pre-wrap; overflow-wrap: anywhere; width: ${columns}ch; }`;
  await browser.show(
    `<!doctype html><html lang="en"><title>x</title><style>${style}</style><pre>${text}</pre>`,
    {
      width: columns * 8 + 24,
      scheme: "dark",
      height: 40,
    },
  );
  await take(name);
}

// The doctor: its page, and its lines.
const missing = { iam: { role: async () => undefined } };
const diagnosis = await look(missing);
for (const [name, view] of Object.entries({ phone, desk, night })) {
  await browser.show(page(diagnosis, new Date("2026-11-26T10:00:00Z")), view);
  await take(`doctor-${name}`);
}
const lines = diagnosis.links.map((link) => describeLink(link, { columns: 80 })).join("\n");
await terminal("doctor-80", 80, "$ npm run doctor -- dev", lines, "", conclusion(diagnosis));

// Local: who gets credentials.
const proofs = [
  ["the pod lists the buckets as its role", "s3-irsa-role-cd5d83d: every bucket of the account"],
  ["the right ServiceAccount", "credentials"],
  ["another namespace", "AccessDenied"],
  ["a wrong audience", "InvalidIdentityToken"],
  ["an expired token", "ExpiredTokenException"],
  ["a role that does not trust the ServiceAccount", "AccessDenied"],
].map(([name = "", expected = ""]) => ({ name, expected, got: expected, ok: true }));
const denied = {
  name: "the role's credentials, for iam:ListUsers",
  expected: "AccessDenied",
  got: "allowed",
  ok: false,
};
for (const columns of [80, 120]) {
  const table = proofTable([...proofs, denied], columns);
  await terminal(`proofs-${columns}`, columns, "Who gets credentials, and what for:", table, "", hints(""));
}

// `npm run stack`: what is missing.
if (engineIsThere) {
  const stage = await new Stage().open();
  stage.functions["aws:eks/getCluster:getCluster"] = async ({ name }) => {
    throw new Error(`reading EKS Cluster (${name}): couldn't find resource`);
  };
  const config = { app: "none", cluster: { name: "missing", existing: true }, bindings: [] };
  const { stderr } = await stage.configured(config).stack("up", "x", "--yes");
  await terminal(
    "stack-80",
    80,
    "$ npm run stack -- up dev --yes",
    stderr.replaceAll("-x", "-dev").replace("stack x", "stack dev"),
  );
  await stage.close();
}

// The lister's page: ready, and not ready any more.
const program = goLister(scratch);
if (program !== undefined) {
  const aws = new FakeAws();
  await aws.start();
  aws.buckets = ["build-artifacts", "holiday-photos", "invoices-2026"];
  const file = join(scratch, "token");
  writeFileSync(file, token("system:serviceaccount:s3-irsa:s3-irsa"));
  const { child, output } = start(
    [...program, "--listen=127.0.0.1:0", "--interval=1s"],
    environment(aws, scratch, { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: file }),
  );
  const url = `http://127.0.0.1:${await until(() => portOf(output.stderr))}/`;
  const ready = async () => (await fetch(`${url}readyz`)).ok;
  await until(ready);
  await browser.open(url, desk);
  await take("lister-desk");
  aws.mood = "refuses";
  await until(async () => !(await ready()));
  for (const [name, view] of Object.entries({ phone, night })) {
    await browser.open(url, view);
    await take(`lister-not-ready-${name}`);
  }
  child.kill("SIGKILL");
  await aws.stop();
}

await browser.close();
rmSync(scratch, { recursive: true, force: true });
