import {
  type Container,
  type Finding,
  holds,
  type Link,
  type Pod,
  type ProjectedToken,
  unseen,
} from "../chain.ts";

/** A pod runs under the ServiceAccount. */
export const pod: Link = {
  id: "pod",
  title: "A pod runs under the ServiceAccount",
  async examine(seen, { kubernetes }, { namespace, serviceAccount, pod: wanted }): Promise<Finding> {
    const pods = await kubernetes.pods(namespace);
    const own = pods
      .filter((one) => one.serviceAccount === serviceAccount && one.phase !== "Succeeded")
      .sort((a, b) => b.created.getTime() - a.created.getTime());
    const named = pods.find((one) => one.name === wanted);
    const chosen = wanted === undefined ? (own.find(({ phase }) => phase === "Running") ?? own[0]) : named;
    if (chosen === undefined || chosen.serviceAccount !== serviceAccount) {
      const others = (named ? [named] : pods).map((one) => `${one.name} under ${one.serviceAccount}`);
      return {
        state: "broken",
        cause: "pod-service-account",
        what:
          chosen === undefined && wanted !== undefined
            ? `There is no pod ${namespace}/${wanted}.`
            : "No pod runs under the ServiceAccount.",
        disagreement: {
          wanted: { name: "serviceAccountName", value: serviceAccount },
          found: { name: `pods in ${namespace}`, value: others.slice(0, 5).join(", ") || "none" },
        },
        mend: [
          `kubectl set serviceaccount --namespace ${namespace} deployment/NAME ${serviceAccount}`,
          `kubectl get pods --namespace ${namespace} -o custom-columns=NAME:.metadata.name,ACCOUNT:.spec.serviceAccountName`,
        ],
      };
    }
    seen.pod = chosen;
    return holds(`${chosen.name}, ${chosen.phase}, since ${chosen.created.toISOString()}`);
  },
};

/** The pod was given token and variables, for the role that the ServiceAccount names now. */
export const injection: Link = {
  id: "injection",
  title: "The pod was given token and role",
  async examine(seen, { kubernetes }, { namespace, serviceAccount }): Promise<Finding> {
    const { pod: patient, roleArn = "" } = seen;
    if (patient === undefined) return unseen("There is no pod.");
    const restart = [
      `kubectl delete pod --namespace ${namespace} ${patient.name}    # its Deployment makes it anew`,
      `kubectl rollout restart --namespace ${namespace} deployment/NAME`,
    ];
    const given = patient.containers.find(({ env }) => env.AWS_WEB_IDENTITY_TOKEN_FILE !== undefined);
    if (given === undefined) {
      const skipped = patient.annotations["eks.amazonaws.com/skip-containers"];
      if (skipped !== undefined) {
        return {
          state: "broken",
          cause: "pod-skipped",
          what: "The pod asks the webhook to leave its containers alone.",
          disagreement: {
            wanted: { name: "containers", value: patient.containers.map(({ name }) => name).join(", ") },
            found: { name: "eks.amazonaws.com/skip-containers", value: skipped },
          },
          mend: ["Take the annotation out of the pod's template."],
        };
      }
      if ((await kubernetes.podIdentityWebhook()) === false) {
        return {
          state: "broken",
          cause: "webhook-missing",
          what: "The pod has neither token nor role, and no pod identity webhook is registered that would give them.",
          disagreement: {
            wanted: { name: "webhook", value: "pod-identity-webhook" },
            found: { name: "mutating webhooks for it", value: "none" },
          },
          mend: [
            "kubectl get mutatingwebhookconfigurations",
            "On EKS it comes with the cluster: ask AWS Support.",
            ...restart,
          ],
        };
      }
      const account = await kubernetes.serviceAccount(namespace, serviceAccount);
      const older = account?.annotated !== undefined && patient.created < account.annotated;
      return {
        state: "broken",
        cause: older ? "pod-older" : "not-injected",
        what: older
          ? "The pod is older than the ServiceAccount's annotation, which only new pods get."
          : "The pod has neither token nor role: the webhook did not know its ServiceAccount yet, or did not answer.",
        disagreement: older
          ? {
              wanted: { name: "annotated at", value: account?.annotated?.toISOString() ?? "" },
              found: { name: "pod made at", value: patient.created.toISOString() },
            }
          : undefined,
        mend: restart,
      };
    }
    const keys = patient.containers.find(({ env }) => env.AWS_ACCESS_KEY_ID !== undefined);
    if (keys) {
      return {
        state: "broken",
        cause: "own-keys",
        what: `The container ${keys.name} sets AWS_ACCESS_KEY_ID, which every SDK takes before the role.`,
        mend: ["Take AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY out of the pod's template."],
      };
    }
    const { AWS_ROLE_ARN: role = "" } = given.env;
    if (role !== roleArn) {
      return {
        state: "broken",
        cause: "pod-other-role",
        what: "The pod has another role than the ServiceAccount names now.",
        disagreement: {
          wanted: { name: "annotation", value: roleArn },
          found: { name: `AWS_ROLE_ARN in ${given.name}`, value: role || "not set" },
        },
        mend: restart,
      };
    }
    return holds(`${given.name}: AWS_ROLE_ARN, ${given.env.AWS_WEB_IDENTITY_TOKEN_FILE}`);
  },
};

/** The token that the SDK will find: the volume behind AWS_WEB_IDENTITY_TOKEN_FILE. */
export function tokenOf(patient: Pod): { container: Container; token: ProjectedToken } | undefined {
  for (const container of patient.containers) {
    const file = container.env.AWS_WEB_IDENTITY_TOKEN_FILE;
    for (const token of patient.tokens) {
      const mount = container.mounts.find(({ volume }) => volume === token.volume);
      if (mount && file === `${mount.path.replace(/\/$/, "")}/${token.path}`) return { container, token };
    }
  }
  return undefined;
}

/**
 * The user that the container runs as can read the token's file. Told from the pod's specification, as the kubelet sets
 * the owner of a projected token: the file is its group's with an fsGroup, its user's where all containers run as one.
 * Source: "Projected volumes: SecurityContext interactions", Kubernetes docs.
 */
export const readable: Link = {
  id: "readable",
  title: "The container's user can read the token",
  async examine(seen, _, { namespace }): Promise<Finding> {
    const { pod: patient } = seen;
    if (patient === undefined) return unseen("There is no pod.");
    const found = tokenOf(patient);
    const file = patient.containers[0]?.env.AWS_WEB_IDENTITY_TOKEN_FILE ?? "";
    if (found === undefined) {
      return {
        state: "broken",
        cause: "token-file",
        what: "No projected token is mounted where AWS_WEB_IDENTITY_TOKEN_FILE points to.",
        disagreement: {
          wanted: { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: file },
          found: {
            name: "projected tokens",
            value: patient.tokens.map((one) => `${one.volume}/${one.path}`).join(", ") || "none",
          },
        },
        mend: [
          "Take the variable or the volume of your own out of the pod's template: the webhook sets both.",
        ],
      };
    }
    const { container, token } = found;
    const mode = token.mode.toString(8).padStart(4, "0");
    const users = new Set(patient.containers.map(({ user }) => user));
    if (container.user === 0) return holds("the container runs as root");
    if (patient.fsGroup !== undefined) return holds(`by the group ${patient.fsGroup} (fsGroup)`);
    if (users.size === 1 && container.user !== undefined)
      return holds(`by its owner, user ${container.user}`);
    if ((token.mode & 0o004) !== 0) return holds(`by everybody (mode ${mode})`);
    if ((token.mode & 0o040) !== 0 && (container.group ?? 0) === 0)
      return holds(`by the group root (mode ${mode})`);
    if (container.user === undefined) {
      return holds(`owned by root, mode ${mode}: whether the container runs as root, the image decides`);
    }
    return {
      state: "broken",
      cause: "token-unreadable",
      what: "The user that the container runs as cannot read the token.",
      disagreement: {
        wanted: { name: `user of ${container.name}`, value: String(container.user) },
        found: { name: "the token's file", value: `owned by root, mode ${mode}` },
      },
      mend: [
        `kubectl patch deployment --namespace ${namespace} NAME --patch '{"spec":{"template":{"spec":{"securityContext":{"fsGroup":${container.user}}}}}}'`,
      ],
    };
  },
};
