import { runSimulation } from "@cloud-copilot/iam-simulate";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { toPod } from "../../doctor/kubernetes.ts";
import type {
  EksCluster,
  NamedPolicy,
  OidcProvider,
  Pod,
  PodIdentityAssociation,
  Role,
  World,
} from "../../doctor/world.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { checkPolicyDocument } from "../../local/aws/policy-check.ts";
import { podTrustAllows, trustAllows } from "../../local/aws/trust-simulator.ts";
import { mutate } from "../../local/eks/pod-identity-webhook.ts";
import { oidcProviderArn, issuer as url } from "../mocks.ts";
import * as captured from "./captured.ts";

// A world of plain data in which all is well, that commands change as they would the real one: what the doctor prints is
// run here, word by word. A command that it does not know, or that the real one would refuse, fails the test. Pods are made
// by local's webhook, and STS is local's judge of trust policies, not the doctor's.

const time = (minute: number): Date => new Date(Date.UTC(2026, 10, 24, 10, minute));
const agentName = "eks-pod-identity-agent";

interface Account {
  readonly id: string;
  readonly roles: Map<string, Role & { policies: NamedPolicy[] }>;
  readonly providers: OidcProvider[];
}

/** What makes pods: a workload's template, or a manifest that somebody applies again. */
export interface Template {
  readonly kind: "deployment" | "statefulset" | "manifest";
  serviceAccount: string;
  fsGroup?: number;
  annotations: Record<string, string>;
  containers: V1Container[];
  tokenMode?: number;
}

export class Living {
  now = 0;
  cluster: EksCluster = {
    arn: captured.clusterArn,
    status: "ACTIVE",
    endpoint: "https://ABC.gr7.eu-central-1.eks.amazonaws.com",
    certificateAuthority: captured.authority("dev"),
    issuer: captured.issuer,
  };
  server = this.cluster.endpoint as string;
  certificateAuthority = captured.authority("dev");
  association: PodIdentityAssociation | undefined;
  readonly namespaces = new Set(["team-a"]);
  readonly serviceAccounts = new Map<string, { annotations: Record<string, string>; annotated: Date }>();
  readonly templates = new Map<string, Template>();
  pods: Pod[] = [];
  agent = false;
  webhook = true;
  /** Accounts by the profile whose credentials are of it; the environment's is "". */
  readonly accounts: ReadonlyMap<string, Account>;
  /** What `pulumi up` makes again. */
  stack = (): void => {};

  constructor() {
    const own = accountOf("111122223333");
    this.accounts = new Map([
      ["", own],
      ["roles", own],
      ["next", accountOf("222233334444")],
    ]);
    own.providers.push({ arn: oidcProviderArn, url, audiences: ["sts.amazonaws.com"] });
    this.setRole("reader", trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" }), {
      allows: "s3:ListAllMyBuckets",
    });
    this.annotate(captured.roleArn);
    this.templates.set("reader", {
      kind: "deployment",
      serviceAccount: "reader",
      fsGroup: 65532,
      annotations: {},
      containers: [{ name: "app", image: "example.com/app:1", securityContext: { runAsUser: 65532 } }],
    });
    this.makePods();
  }

  account(profile = ""): Account {
    const found = this.accounts.get(profile);
    if (found === undefined) throw new Error(`There is no profile ${profile}.`);
    return found;
  }

  setRole(
    name: string,
    trust: object | string,
    {
      profile = "",
      path = "/",
      allows,
      on,
    }: { profile?: string; path?: string; allows?: string; on?: string } = {},
  ): Role {
    const account = this.account(profile);
    const role = {
      name,
      arn: `arn:aws:iam::${account.id}:role${path}${name}`,
      trustPolicy: typeof trust === "string" ? trust : JSON.stringify(trust),
      maxSessionSeconds: 3600,
      policies:
        allows === undefined ? [] : [{ name: "own", document: captured.policy(captured.allow(allows, on)) }],
    };
    account.roles.set(name, role);
    return role;
  }

  annotate(roleArn: string | undefined, more: Record<string, string> = {}): void {
    this.now++;
    const annotations = { ...(roleArn && { [roleAnnotation]: roleArn }), ...more };
    this.serviceAccounts.set("team-a/reader", { annotations, annotated: time(this.now) });
  }

  /** EKS Pod Identity in the place of IRSA, all as it should be. */
  associate(more: Partial<PodIdentityAssociation> = {}): void {
    this.annotate(undefined);
    this.agent = true;
    this.setRole("reader", podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "reader" }]), {
      allows: "s3:ListAllMyBuckets",
    });
    this.association = { ...captured.association, created: time(this.now), ...more };
    this.makePods();
  }

  template(name = "reader"): Template {
    const found = this.templates.get(name);
    if (found === undefined) throw new Error(`There is nothing called ${name}.`);
    return found;
  }

  /** Makes every pod anew, as the webhook of now has it. */
  makePods(): void {
    this.now++;
    this.pods = [...this.templates].map(([name, one]) => this.#made(name, one));
  }

  #made(name: string, template: Template): Pod {
    const { kind, serviceAccount, fsGroup, annotations, containers, tokenMode } = template;
    const hash = "5d9c";
    const pod: V1Pod = {
      metadata: {
        name: `${name}-${hash}-${this.now}`,
        creationTimestamp: time(this.now),
        annotations,
        labels: { "pod-template-hash": hash },
        ...(kind !== "manifest" && {
          ownerReferences: [
            {
              ...(kind === "deployment"
                ? { kind: "ReplicaSet", name: `${name}-${hash}` }
                : { kind: "StatefulSet", name }),
              apiVersion: "apps/v1",
              uid: "0",
              controller: true,
            },
          ],
        }),
      },
      spec: {
        serviceAccountName: serviceAccount,
        nodeName: "node-a",
        securityContext: { fsGroup },
        containers: structuredClone(containers),
      },
      status: { phase: "Running" },
    };
    const account = this.serviceAccounts.get(`team-a/${serviceAccount}`);
    const identity = {
      serviceAccount: account && { metadata: { annotations: account.annotations } },
      associated: this.association !== undefined && serviceAccount === "reader",
    };
    for (const { path, value } of !this.webhook
      ? []
      : mutate(pod, identity, { region: "eu-central-1", extraEnv: {} })) {
      const spec = pod.spec as NonNullable<V1Pod["spec"]>;
      if (path === "/spec/containers") spec.containers = value as V1Container[];
      else if (path.startsWith("/spec/volumes")) spec.volumes = [value].flat() as typeof spec.volumes;
    }
    if (tokenMode !== undefined) {
      for (const { projected } of pod.spec?.volumes ?? []) if (projected) projected.defaultMode = tokenMode;
    }
    return toPod(pod);
  }

  world(): World {
    const iam = (account: Account): World["iam"] => ({
      accountId: async () => account.id,
      oidcProviders: async () => account.providers,
      role: async (name) => account.roles.get(name),
      policies: async ({ name }) => account.roles.get(name)?.policies ?? [],
      policyDocument: async () => undefined,
    });
    return captured.world({
      eks: {
        cluster: async () => this.cluster,
        association: async () => this.association,
        addon: async () => (this.agent ? { status: "ACTIVE", issues: [] } : undefined),
      },
      iam: iam(this.account()),
      targetIam: iam(this.account("next")),
      kubernetes: {
        server: this.server,
        certificateAuthority: this.certificateAuthority,
        hasNamespace: async (name) => this.namespaces.has(name),
        serviceAccount: async (namespace, name) => this.serviceAccounts.get(`${namespace}/${name}`),
        pods: async (namespace) =>
          namespace === "kube-system" ? (this.agent ? [captured.agentPod] : []) : this.pods,
        podIdentityWebhook: async () => this.webhook,
        token: async (_, name, audience) =>
          captured.token({
            ...captured.claims,
            sub: `system:serviceaccount:team-a:${name}`,
            aud: [audience],
          }),
      },
      sts: {
        assume: async (arn) =>
          (await this.admits(arn))
            ? {
                admitted: true,
                session: {
                  arn,
                  assume: async (next, externalId) =>
                    (await this.assumes(arn, next, externalId)) ? captured.session(next) : captured.refusal,
                },
              }
            : captured.refusal,
      },
    });
  }

  /** Whether a token of a ServiceAccount gets a role by IRSA. */
  async admits(
    roleArn: string,
    sub = "system:serviceaccount:team-a:reader",
    { issuer = url, aud = this.#audience() }: { issuer?: string; aud?: string } = {},
  ): Promise<boolean> {
    const account = this.account();
    const role = [...account.roles.values()].find(({ arn }) => arn === roleArn);
    const provider = account.providers.find((one) => one.url === issuer);
    return (
      role !== undefined &&
      provider?.audiences.includes(aud) === true &&
      (await trustAllows({
        trustPolicy: role.trustPolicy,
        roleArn,
        roleSessionName: "x",
        accountId: account.id,
        providerArn: provider.arn,
        issuer,
        claims: { sub, aud },
      }))
    );
  }

  /** Whether a session of EKS Pod Identity for a ServiceAccount gets a role. */
  async admitsPod(
    role: Role,
    { namespace = "team-a", serviceAccount = "reader", cluster = "dev", tagged = true },
  ): Promise<boolean> {
    const tags = {
      "eks-cluster-name": cluster,
      "eks-cluster-arn": captured.clusterArn,
      "kubernetes-namespace": namespace,
      "kubernetes-service-account": serviceAccount,
    };
    return podTrustAllows({
      trustPolicy: role.trustPolicy,
      roleArn: role.arn,
      roleSessionName: "x",
      accountId: this.account().id,
      clusterArn: captured.clusterArn,
      tags: tagged ? tags : {},
    });
  }

  /** Whether one role gets another, by its own policies and the other's trust. */
  async assumes(roleArn: string, targetArn: string, externalId?: string): Promise<boolean> {
    const roles = [...this.accounts.values()].flatMap((one) => [...one.roles.values()]);
    const first = roles.find(({ arn }) => arn === roleArn);
    const target = roles.find(({ arn }) => arn === targetArn);
    if (target === undefined || !isJson(target.trustPolicy)) return false;
    return this.may(roleArn, "sts:AssumeRole", targetArn, first?.policies ?? [], {
      policy: target.trustPolicy,
      context: externalId === undefined ? {} : { "sts:ExternalId": externalId },
    });
  }

  /** Whether a role's policies allow an action, and where the resource has a policy, that does too. */
  async may(
    roleArn: string,
    action: string,
    resource: string,
    policies: readonly NamedPolicy[],
    theirs?: { readonly policy: string; readonly context: Readonly<Record<string, string>> },
  ): Promise<boolean> {
    const result = await runSimulation(
      {
        request: {
          principal: roleArn,
          action,
          resource: { resource, accountId: resource.split(":")[4] || this.account().id },
          contextVariables: { "aws:PrincipalArn": roleArn, ...theirs?.context },
        },
        identityPolicies: policies.map(({ name, document = "{}" }) => ({
          name,
          policy: JSON.parse(document),
        })),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        ...(theirs && { resourcePolicy: JSON.parse(theirs.policy) }),
      },
      {},
    );
    return result.resultType !== "error" && result.overallResult === "Allowed";
  }

  #audience(): string {
    const account = this.serviceAccounts.get("team-a/reader");
    return account?.annotations["eks.amazonaws.com/audience"] ?? "sts.amazonaws.com";
  }

  /**
   * Runs a command.
   *
   * @throws Error where there is no such command, or no such thing.
   */
  run(line: string): void {
    const { words, flags } = parsed(line);
    const [program, verb, ...rest] = words;
    const done = commands[`${program} ${verb}`];
    if (done === undefined) throw new Error(`No command here does: ${line}`);
    done(this, rest, flags);
  }
}

const roleAnnotation = "eks.amazonaws.com/role-arn";

const isJson = (text: string): boolean => {
  try {
    return JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
};

const accountOf = (id: string): Account => ({ id, roles: new Map(), providers: [] });

type Flags = (name: string) => string;
const switches = ["overwrite", "no-disable-session-tags"];
const optional = [...switches, "profile"];

/** A command line's words and flags, as a shell and then the program reads them. */
function parsed(line: string): { words: string[]; flags: Flags } {
  const all = [...line.matchAll(/(?:'[^']*'|\\'|[^\s'])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|\\(')/g, (_, inside, quote) => inside ?? quote),
  );
  const words: string[] = [];
  const given = new Map<string, string>();
  for (let at = 0; at < all.length; at++) {
    const word = all[at] as string;
    const [, name, value] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) words.push(word);
    else if (value !== undefined) given.set(name, value);
    else if (switches.includes(name)) given.set(name, "true");
    else given.set(name, all[++at] as string);
  }
  return {
    words,
    flags: (name) => {
      const value = given.get(name);
      if (value === undefined && !optional.includes(name)) throw new Error(`--${name} is missing: ${line}`);
      return value ?? "";
    },
  };
}

/** In which namespace, and that it is there. */
function inNamespace({ namespaces }: Living, flags: Flags): string {
  const namespace = flags("namespace");
  if (!namespaces.has(namespace)) throw new Error(`There is no namespace ${namespace}.`);
  return namespace;
}

/** `kind/name`, or both as words. */
function templateOf(living: Living, [first = "", second]: readonly string[]): Template {
  const [kind, name] = first.includes("/") ? first.split("/") : [first, second];
  const template = living.template(name);
  if (template.kind !== kind) throw new Error(`There is no ${kind} ${name}.`);
  return template;
}

const roleOf = (living: Living, flags: Flags) => {
  const role = living.account(flags("profile")).roles.get(flags("role-name"));
  if (role === undefined) throw new Error(`There is no role ${flags("role-name")} in that account.`);
  return role;
};

/** The commands that the doctor's mends are made of, by their first two words. */
const commands: Readonly<Record<string, (living: Living, rest: readonly string[], flags: Flags) => void>> = {
  "aws eks"(living, [verb], flags) {
    switch (verb) {
      case "update-kubeconfig":
        living.server = living.cluster.endpoint as string;
        living.certificateAuthority = living.cluster.certificateAuthority as string;
        return;
      case "create-addon":
        if (flags("addon-name") !== agentName) throw new Error("There is no such add-on.");
        living.agent = true;
        return;
      case "update-pod-identity-association": {
        if (flags("association-id") !== living.association?.id)
          throw new Error("There is no such association.");
        living.association = {
          ...living.association,
          ...(flags("no-disable-session-tags") ? { sessionTags: true } : { roleArn: flags("role-arn") }),
        };
        return;
      }
      default:
        throw new Error(`aws eks ${verb}`);
    }
  },
  "aws iam"(living, [verb], flags) {
    const { roles, providers, id } = living.account(flags("profile"));
    switch (verb) {
      case "create-open-id-connect-provider":
        providers.push({
          arn: `arn:aws:iam::${id}:oidc-provider/${flags("url").replace("https://", "")}`,
          url: flags("url").replace("https://", ""),
          audiences: flags("client-id-list").split(" "),
        });
        return;
      case "add-client-id-to-open-id-connect-provider": {
        const at = providers.findIndex(({ arn }) => arn === flags("open-id-connect-provider-arn"));
        const found = providers[at];
        if (found === undefined) throw new Error("There is no such provider.");
        providers[at] = { ...found, audiences: [...found.audiences, flags("client-id")] };
        return;
      }
      case "update-assume-role-policy": {
        const role = roleOf(living, flags);
        checkPolicyDocument(flags("policy-document"), "trust");
        roles.set(role.name, { ...role, trustPolicy: flags("policy-document") });
        return;
      }
      case "put-role-policy": {
        const role = roleOf(living, flags);
        const name = flags("policy-name");
        checkPolicyDocument(flags("policy-document"), "permissions");
        const others = role.policies.filter((one) => one.name !== name);
        roles.set(role.name, {
          ...role,
          policies: [...others, { name, document: flags("policy-document") }],
        });
        return;
      }
      case "update-role": {
        const role = roleOf(living, flags);
        roles.set(role.name, { ...role, maxSessionSeconds: Number(flags("max-session-duration")) });
        return;
      }
      default:
        throw new Error(`aws iam ${verb}`);
    }
  },
  "kubectl annotate"(living, [kind, name, pair = ""], flags) {
    const [, key, value] = /^(.*?)=(.*)$/.exec(pair) ?? [];
    const account = living.serviceAccounts.get(`${inNamespace(living, flags)}/${name}`);
    if (kind !== "serviceaccount" || account === undefined || key !== roleAnnotation) {
      throw new Error(`There is no ${kind} ${name}, or no such annotation.`);
    }
    const { [roleAnnotation]: _, ...more } = account.annotations;
    living.annotate(value, more);
  },
  "kubectl create"(living, [kind, name = ""], flags) {
    if (kind === "namespace") living.namespaces.add(name);
    else if (kind === "serviceaccount") {
      living.serviceAccounts.set(`${inNamespace(living, flags)}/${name}`, {
        annotations: {},
        annotated: time(living.now),
      });
    } else throw new Error(`kubectl create ${kind}`);
  },
  "kubectl rollout"(living, [verb, ...what], flags) {
    inNamespace(living, flags);
    if (verb !== "restart") throw new Error(`kubectl rollout ${verb}`);
    templateOf(living, what);
    living.makePods();
  },
  "kubectl delete"(living, [kind, name], flags) {
    inNamespace(living, flags);
    const gone = living.pods.find((one) => one.name === name);
    if (kind !== "pod" || gone === undefined) throw new Error(`There is no ${kind} ${name}.`);
    // What the doctor says beside it: its manifest is applied again.
    living.makePods();
  },
  "kubectl set"(living, [what, first = "", ...rest], flags) {
    inNamespace(living, flags);
    const template = templateOf(living, [first]);
    if (what === "serviceaccount") template.serviceAccount = rest[0] as string;
    else if (what === "env") {
      const container = template.containers.find(({ name }) => name === flags("containers"));
      if (container === undefined) throw new Error(`There is no container ${flags("containers")}.`);
      for (const word of rest) {
        if (!word.endsWith("-")) throw new Error(`It sets ${word}.`);
        container.env = container.env?.filter(({ name }) => `${name}-` !== word);
      }
    } else throw new Error(`kubectl set ${what}`);
    living.makePods();
  },
  "kubectl patch"(living, what, flags) {
    inNamespace(living, flags);
    const template = templateOf(living, what);
    const { spec } = JSON.parse(flags("patch")) as {
      spec: { template: { spec: { securityContext: { fsGroup: number } } } };
    };
    template.fsGroup = spec.template.spec.securityContext.fsGroup;
    living.makePods();
  },
  "pulumi refresh"(_, __, flags) {
    flags("stack");
  },
  "pulumi up"(living, _, flags) {
    flags("stack");
    living.stack();
  },
};
