import type { KubernetesObject } from "../live.ts";
import { app, type Drift, namespace, type Target, there } from "./target.ts";

const lister = "s3-irsa";
const namespaceOf = (serviceAccount: string) => (serviceAccount === lister ? lister : namespace);

const account = (target: Target, name: string) =>
  target.live.object("serviceaccount", namespaceOf(name), name);

const metadata = async (target: Target, name: string) =>
  (await account(target, name))?.metadata as KubernetesObject | undefined;

const deployment = async (target: Target): Promise<KubernetesObject> =>
  (await target.live.object("deployment", lister, "s3-lister")) ?? {};

const pod = async (target: Target): Promise<KubernetesObject> =>
  (await deployment(target)).spec.template.spec;

const container = async (target: Target): Promise<KubernetesObject> => (await pod(target)).containers[0];

const inDeployment =
  (path: string, value: unknown): Drift["change"] =>
  ({ live }) =>
    live.kubectl(
      ...["patch", "deployment", "-n", lister, "s3-lister", "--type=json", "-p"],
      JSON.stringify([{ op: "replace", path, value }]),
    );

const inContainer = (path: string, value: unknown): Drift["change"] =>
  inDeployment(`/spec/template/spec/containers/0/${path}`, value);

const patchAccount = ({ live }: Target, name: string, patch: object) =>
  live.kubectl(
    ...["patch", "serviceaccount", "-n", namespaceOf(name), name],
    ...["--type=merge", "-p", JSON.stringify(patch)],
  );

const inAccount =
  (name: string, patch: object): Drift["change"] =>
  (target) =>
    patchAccount(target, name, patch);

export const serviceAccounts: readonly Drift[] = [
  {
    what: "ServiceAccount: another role in the annotation",
    resource: `${app}-service-account`,
    property: 'metadata.annotations["eks.amazonaws.com/role-arn"]',
    read: async (target) => (await metadata(target, "app"))?.annotations,
    change: (target) =>
      patchAccount(target, "app", {
        metadata: { annotations: { "eks.amazonaws.com/role-arn": target.roleArn("drift/gone") } },
      }),
  },
  {
    what: "ServiceAccount: annotation removed",
    resource: "s3-irsa-service-account",
    property: 'metadata.annotations["eks.amazonaws.com/role-arn"]',
    read: async (target) => (await metadata(target, lister))?.annotations,
    change: inAccount(lister, { metadata: { annotations: { "eks.amazonaws.com/role-arn": null } } }),
  },
  {
    what: "ServiceAccount: label changed",
    resource: `${app}-service-account`,
    property: "metadata.labels.team",
    read: async (target) => (await metadata(target, "app"))?.labels?.team,
    change: inAccount("app", { metadata: { labels: { team: "b" } } }),
  },
  {
    what: "ServiceAccount: label removed",
    resource: `${app}-service-account`,
    property: "metadata.labels.tier",
    read: async (target) => (await metadata(target, "app"))?.labels?.tier,
    change: inAccount("app", { metadata: { labels: { tier: null } } }),
  },
  {
    what: "ServiceAccount: API token mounted",
    resource: `${app}-service-account`,
    property: "automountServiceAccountToken",
    read: async (target) => (await account(target, "app"))?.automountServiceAccountToken,
    change: inAccount("app", { automountServiceAccountToken: true }),
  },
];

const resource = "s3-lister-deployment";
const inPod = "spec.template.spec";
const inFirst = `${inPod}.containers[0]`;

export const deployments: readonly Drift[] = [
  {
    what: "Deployment: image",
    resource,
    property: `${inFirst}.image`,
    read: async (target) => (await container(target)).image,
    change: inContainer("image", "example.invalid/other:latest"),
  },
  {
    what: "Deployment: arguments",
    resource,
    property: `${inFirst}.args[0]`,
    read: async (target) => (await container(target)).args,
    change: inContainer("args", ["--interval=3600s"]),
  },
  {
    what: "Deployment: environment",
    resource,
    property: `${inFirst}.env[0].value`,
    read: async (target) => (await container(target)).env,
    change: inContainer("env/0/value", "us-east-1"),
  },
  {
    what: "Deployment: resources",
    resource,
    property: `${inFirst}.resources.limits.memory`,
    read: async (target) => (await container(target)).resources,
    change: inContainer("resources/limits/memory", "128Mi"),
  },
  {
    what: "Deployment: container's security context",
    resource,
    property: `${inFirst}.securityContext.readOnlyRootFilesystem`,
    read: async (target) => (await container(target)).securityContext,
    change: inContainer("securityContext/readOnlyRootFilesystem", false),
  },
  {
    what: "Deployment: readiness probe",
    resource,
    property: `${inFirst}.readinessProbe.httpGet.path`,
    read: async (target) => (await container(target)).readinessProbe,
    change: inContainer("readinessProbe/httpGet/path", "/healthz"),
  },
  {
    what: "Deployment: pods' security context",
    resource,
    property: `${inPod}.securityContext.fsGroup`,
    read: async (target) => (await pod(target)).securityContext,
    change: inDeployment("/spec/template/spec/securityContext/fsGroup", 1),
  },
  {
    what: "Deployment: ServiceAccount",
    resource,
    property: `${inPod}.serviceAccountName`,
    read: async (target) => (await pod(target)).serviceAccountName,
    change: inDeployment("/spec/template/spec/serviceAccountName", "default"),
  },
  {
    what: "Deployment: API token mounted",
    resource,
    property: `${inPod}.automountServiceAccountToken`,
    read: async (target) => (await pod(target)).automountServiceAccountToken,
    change: inDeployment("/spec/template/spec/automountServiceAccountToken", true),
  },
  {
    what: "Deployment: replicas",
    resource,
    property: "spec.replicas",
    read: async (target) => (await deployment(target)).spec.replicas,
    change: ({ live }) => live.kubectl("scale", "deployment", "-n", lister, "s3-lister", "--replicas=0"),
  },
  {
    what: "Deployment: label",
    resource,
    property: 'metadata.labels["app.kubernetes.io/name"]',
    read: async (target) => (await deployment(target)).metadata.labels,
    change: inDeployment("/metadata/labels/app.kubernetes.io~1name", "other"),
  },
];

export const deletions: readonly Drift[] = [
  {
    what: "ServiceAccount deleted",
    resource: `${app}-service-account`,
    read: async (target) => {
      const { annotations, labels } = (await metadata(target, "app")) ?? {};
      return { annotations, labels };
    },
    change: ({ live }) => live.kubectl("delete", "serviceaccount", "-n", namespace, "app"),
  },
  {
    what: "Deployment deleted",
    resource,
    read: async ({ live }) => there(await live.object("deployment", lister, "s3-lister")),
    change: ({ live }) => live.kubectl("delete", "deployment", "-n", lister, "s3-lister"),
  },
];

export const deletionsWithContent: readonly Drift[] = [
  {
    what: "namespace deleted, with what was in it",
    resource: `namespace-${namespace}`,
    read: async (target) => there(await account(target, "app")),
    change: ({ live }) => live.kubectl("delete", "namespace", namespace),
  },
];
