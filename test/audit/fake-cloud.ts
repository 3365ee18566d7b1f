import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { trustPolicy } from "../../iam/trust-policy.ts";
import { accountId, allow, annotation, arnOf, issuer, oidcProviderArn } from "./clean.ts";

// AWS and Kubernetes as an audit and an adoption ask them, over HTTP, with what a test puts there: so that what is read of them, and that it
// is only read, is seen from outside.

export interface CloudRole {
  readonly name: string;
  readonly trustPolicy: object;
  readonly policy: object;
  readonly attached?: readonly string[];
}

/** Lists of Kubernetes by their path: `/api/v1/pods`. What is not here is empty; `"refused"` is not to be listed. */
export type Lists = Record<string, object[] | "refused">;

const inXml = (value: string): string => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const metadataOf = (name: string, more: object = {}): object => ({
  name,
  namespace: "team-a",
  creationTimestamp: "2026-11-01T00:00:00Z",
  ...more,
});

export class FakeCloud {
  roles: CloudRole[] = [];
  lists: Lists = {};
  associations: { associationId: string; namespace: string; serviceAccount: string; roleArn: string }[] = [];
  nodegroups: {
    nodegroupName: string;
    nodeRole: string;
    launchTemplate?: { id: string; version: string };
  }[] = [];
  hopLimit = 1;
  /** Documents of AWS's own policies, which the listing leaves out. */
  documents: Record<string, object> = {};
  /** Every request: method and path, or the action. */
  readonly asked: string[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      text(request).then(
        (body) => {
          const [code, type, answer] = this.#answer(request.method ?? "", request.url ?? "", body);
          response.writeHead(code, { "content-type": type }).end(answer);
        },
        () => response.destroy(),
      );
    });
  }

  /** A ServiceAccount of team-a with a role of its name, and a pod that runs under it. */
  add(name: string, podSpec: object = {}): void {
    this.roles.push({
      name,
      trustPolicy: trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: name }),
      policy: { Version: "2012-10-17", Statement: [allow("s3:GetObject", "arn:aws:s3:::invoices/*")] },
    });
    this.put("/api/v1/serviceaccounts", name, {
      metadata: metadataOf(name, { annotations: { [annotation]: arnOf(name) } }),
    });
    const env = [
      { name: "AWS_ROLE_ARN", value: arnOf(name) },
      { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: "/token" },
    ];
    this.put("/api/v1/pods", `${name}-0`, {
      spec: { serviceAccountName: name, containers: [{ name: "app", image: "app:1", env }], ...podSpec },
      status: { phase: "Running" },
    });
  }

  /** An object of team-a in a list. */
  put(path: string, name: string, object: object): void {
    this.lists[path] ??= [];
    const list = this.lists[path];
    if (list !== "refused") list.push({ metadata: metadataOf(name), ...object });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  kubeconfig(): string {
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: this.url, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    });
  }

  #answer(method: string, url: string, body: string): [code: number, type: string, answer: string] {
    const json = (value: object, code = 200): [number, string, string] => [
      code,
      "application/json",
      JSON.stringify(value),
    ];
    if (method === "POST" && url === "/") {
      const parameters = new URLSearchParams(body);
      const action = parameters.get("Action") ?? "";
      this.asked.push(action);
      return [
        200,
        "text/xml",
        `<${action}Response><${action}Result>${this.#query(action, parameters)}</${action}Result></${action}Response>`,
      ];
    }
    this.asked.push(`${method} ${url.replace(/\?.*$/, "")}`);
    const { pathname, searchParams } = new URL(url, this.url);
    const own: Record<string, object> = {
      "/version": { gitVersion: "v1.35.0", major: "1", minor: "35" },
      "/clusters": { clusters: ["dev"] },
      "/clusters/dev": {
        cluster: {
          name: "dev",
          arn: `arn:aws:eks:eu-central-1:${accountId}:cluster/dev`,
          status: "ACTIVE",
          endpoint: this.url,
          certificateAuthority: { data: "Q0E=" },
          identity: { oidc: { issuer: `https://${issuer}` } },
        },
      },
      "/clusters/dev/pod-identity-associations": { associations: this.associations },
      "/clusters/dev/node-groups": { nodegroups: this.nodegroups.map(({ nodegroupName }) => nodegroupName) },
    };
    const association = this.associations.find(({ associationId }) => pathname.endsWith(`/${associationId}`));
    const nodegroup = this.nodegroups.find(({ nodegroupName }) =>
      pathname.endsWith(`/node-groups/${nodegroupName}`),
    );
    if (own[pathname]) return json(own[pathname]);
    if (association) return json({ association });
    if (nodegroup) return json({ nodegroup });
    if (pathname.includes("/addons/"))
      return json({ __type: "ResourceNotFoundException", message: "none" }, 404);
    const list = this.lists[pathname] ?? [];
    if (list === "refused") {
      return json({ kind: "Status", message: `${pathname.split("/").at(-1)} is forbidden` }, 403);
    }
    const from = Number(searchParams.get("continue") ?? 0);
    const to = from + Number(searchParams.get("limit") ?? list.length);
    return json({ items: list.slice(from, to), metadata: to < list.length ? { continue: String(to) } : {} });
  }

  #query(action: string, parameters: URLSearchParams): string {
    switch (action) {
      case "GetCallerIdentity":
        return `<Account>${accountId}</Account>`;
      case "ListOpenIDConnectProviders":
        return `<OpenIDConnectProviderList><member><Arn>${oidcProviderArn}</Arn></member></OpenIDConnectProviderList>`;
      case "GetOpenIDConnectProvider":
        return `<Url>${issuer}</Url><ClientIDList><member>sts.amazonaws.com</member></ClientIDList>`;
      case "GetAccountAuthorizationDetails": {
        const { roles, rest } = this.#page(parameters);
        return `<RoleDetailList>${roles.map((role) => this.#role(role)).join("")}</RoleDetailList><Policies/>${rest}`;
      }
      case "ListRoles": {
        const { roles, rest } = this.#page(parameters);
        return `<Roles>${roles.map(({ name }) => `<member><RoleName>${name}</RoleName><Path>/</Path><Arn>${arnOf(name)}</Arn></member>`).join("")}</Roles>${rest}`;
      }
      case "GetPolicy":
        return `<Policy><DefaultVersionId>v1</DefaultVersionId></Policy>`;
      case "GetPolicyVersion": {
        const document = this.documents[parameters.get("PolicyArn") ?? ""] ?? { Statement: [] };
        return `<PolicyVersion><Document>${encodeURIComponent(JSON.stringify(document))}</Document></PolicyVersion>`;
      }
      case "DescribeLaunchTemplateVersions":
        return "";
      default:
        throw new Error(`Nobody asks for ${action}.`);
    }
  }

  /** IAM gives as many as it likes, and a marker for the rest. */
  #page(parameters: URLSearchParams): { roles: readonly CloudRole[]; rest: string } {
    const from = Number(parameters.get("Marker") ?? 0);
    const more = from + 500 < this.roles.length;
    const marker = more ? `<Marker>${from + 500}</Marker>` : "";
    return { roles: this.roles.slice(from, from + 500), rest: `<IsTruncated>${more}</IsTruncated>${marker}` };
  }

  #role({ name, trustPolicy, policy, attached = [] }: CloudRole): string {
    const inText = (document: object): string => inXml(encodeURIComponent(JSON.stringify(document)));
    const managed = attached
      .map(
        (arn) =>
          `<member><PolicyName>${arn.replace(/^.*\//, "")}</PolicyName><PolicyArn>${arn}</PolicyArn></member>`,
      )
      .join("");
    return `<member><RoleName>${name}</RoleName><Arn>arn:aws:iam::${accountId}:role/${name}</Arn><CreateDate>${new Date().toISOString()}</CreateDate><AssumeRolePolicyDocument>${inText(trustPolicy)}</AssumeRolePolicyDocument><RolePolicyList><member><PolicyName>own</PolicyName><PolicyDocument>${inText(policy)}</PolicyDocument></member></RolePolicyList><AttachedManagedPolicies>${managed}</AttachedManagedPolicies></member>`;
  }
}
