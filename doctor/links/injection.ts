import type { Commands } from "../causes.ts";
import {
  type Broken,
  type CredentialSource,
  disagreement,
  type Facts,
  holds,
  type Link,
  type Patient,
  unseen,
  type Verdict,
} from "../chain.ts";
import type { Container, EnvSource, Pod, World } from "../world.ts";
import { hasEnded, otherContainers, remake, remakeWithout } from "./mend.ts";

/** What a pod is given so that its SDKs find their role, and how to tell that a container was given it. */
interface Mechanism {
  /** In words: what a container without it lacks. */
  readonly lacks: string;
  /** Variable that names the token's file. */
  readonly tokenVariable: string;
  /** All that the webhook sets together: a container that sets one of them itself gets none. */
  readonly variables: Commands;
  /** The token's file where that variable is empty; undefined where SDKs find none then. */
  tokenFileOf?(container: Container): string | undefined;
  /** What else has to be right of a container that has that variable. */
  fault(container: Container, pod: Pod, patient: Patient): Broken | undefined;
  evidence(container: Container): string;
}

/** Source: github.com/aws/amazon-eks-pod-identity-webhook, pkg/handler. */
const webhooksTokenFile = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token";

/** Each container was given token and role, for the role that the ServiceAccount names now. */
export const injection: Link<"pod" | "containers" | "roleArn" | "since", "sources"> = {
  id: "injection",
  title: "The pod was given token and role",
  needs: ["pod", "containers", "roleArn", "since"],
  gives: ["sources"],
  async examine(facts, { kubernetes }, patient) {
    return given(facts, kubernetes, patient, {
      lacks: "neither token nor role",
      tokenVariable: "AWS_WEB_IDENTITY_TOKEN_FILE",
      variables: webIdentityVariables,
      fault(container, pod, patient) {
        const {
          name,
          env: { AWS_ROLE_ARN: role },
        } = container;
        if (role === facts.roleArn) return undefined;
        if (role === undefined) return ownVariables(container, webIdentityVariables, pod, patient);
        const { mend, advice } = remakeWithout(webIdentityVariables, container, patient, pod);
        const all = pod.containers.map((one) => one.name);
        return {
          state: "broken",
          cause: "pod-other-role",
          what: `The container ${name} has another role than the ServiceAccount names now.`,
          disagreement: disagreement("annotation", facts.roleArn, `AWS_ROLE_ARN in ${name}`, role || "empty"),
          mend,
          advice: [...advice, ...otherContainers(all, name)],
        };
      },
      // A pod that goes on to a second role has it empty, so that its SDKs go by a profile, which names the webhook's file.
      tokenFileOf: ({ env }) => (env.AWS_PROFILE ? webhooksTokenFile : undefined),
      evidence: ({ env }) =>
        `AWS_ROLE_ARN, ${env.AWS_WEB_IDENTITY_TOKEN_FILE || `the profile ${env.AWS_PROFILE}`}`,
    });
  },
};

/** Each container was told of the agent, and nothing that SDKs take before it. */
export const podIdentityInjection: Link<"pod" | "containers" | "since", "sources"> = {
  id: "injection",
  title: "The pod was told of the agent",
  needs: ["pod", "containers", "since"],
  gives: ["sources"],
  async examine(facts, { kubernetes }, patient) {
    return given(facts, kubernetes, patient, {
      lacks: "neither token nor the agent's address",
      tokenVariable: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
      variables: agentVariables,
      fault(container, pod, patient) {
        const { name, env } = container;
        // Where it is empty, SDKs find none.
        if (env.AWS_WEB_IDENTITY_TOKEN_FILE) {
          return {
            state: "broken",
            cause: "web-identity-first",
            what: `The container ${name} has a web identity token too, which SDKs take before the agent's credentials.`,
            disagreement: disagreement(
              "credentials from",
              "AWS_CONTAINER_CREDENTIALS_FULL_URI",
              `also in ${name}`,
              `AWS_WEB_IDENTITY_TOKEN_FILE=${env.AWS_WEB_IDENTITY_TOKEN_FILE}`,
            ),
            ...remakeWithout(webIdentityVariables, container, patient, pod),
          };
        }
        if (env.AWS_CONTAINER_CREDENTIALS_FULL_URI) return undefined;
        return ownVariables(container, agentVariables, pod, patient);
      },
      evidence: ({ env }) =>
        `${env.AWS_CONTAINER_CREDENTIALS_FULL_URI}, ${env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE}`,
    });
  },
};

/** Judges each container by itself; the first that is broken tells of the link. */
async function given(
  { pod, containers, since }: Pick<Facts, "pod" | "containers" | "since">,
  kubernetes: World["kubernetes"],
  patient: Patient,
  mechanism: Mechanism,
): Promise<Verdict<{ sources: readonly CredentialSource[] }>> {
  const sources: CredentialSource[] = [];
  const evidence: string[] = [];
  const unread: string[] = [];
  for (const container of containers) {
    const named = container.env[mechanism.tokenVariable];
    const tokenFile = named === "" ? (mechanism.tokenFileOf?.(container) ?? "") : named;
    if (tokenFile === undefined) {
      return seenBeside(evidence, await notGiven(container, pod, since, kubernetes, patient, mechanism));
    }
    const keys = await ownKeys(container, kubernetes, patient);
    if (keys.cause) return { ...keys.cause, evidence };
    unread.push(...keys.unread);
    const fault = mechanism.fault(container, pod, patient);
    if (fault) return seenBeside(evidence, endedLater(fault, pod, since));
    sources.push({ container, tokenFile });
    evidence.push(`${container.name}: ${mechanism.evidence(container)}`);
  }
  if (unread.length > 0) {
    const sourcesOfKeys = [...new Set(unread)].join(", ");
    return unseen(
      `Not looked into, though keys in it would come before the role: ${sourcesOfKeys}.`,
      `Rights to get ${sourcesOfKeys} in ${patient.namespace}: only the names of its keys are looked at.`,
      { sources },
    );
  }
  return holds({ sources }, ...evidence);
}

/** By this label a pod asks the webhook to leave it alone. Source: EKS's MutatingWebhookConfiguration. */
const skipLabel = "eks.amazonaws.com/skip-pod-identity-webhook";

const webIdentityVariables = ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"] as const;
const agentVariables = [
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
] as const;

/** A container of which some of what the webhook sets is set by its own template, and so the rest by nobody. */
function ownVariables(container: Container, variables: Commands, pod: Pod, patient: Patient): Broken {
  const { name, env } = container;
  const set = variables.filter((one) => env[one] !== undefined);
  const lacking = variables.filter((one) => !env[one]);
  const { mend, advice } = remakeWithout(variables, container, patient, pod);
  const all = pod.containers.map((one) => one.name);
  return {
    state: "broken",
    cause: "own-variables",
    what: `The template of ${name} itself sets some of the variables that the webhook gives; it leaves such a container alone.`,
    disagreement: disagreement(
      `set in ${name} by its template`,
      set.join(", "),
      "and so set by nobody",
      lacking.join(", "),
    ),
    mend,
    advice: [...advice, ...otherContainers(all, name)],
  };
}

/** A container that is broken, with those before it that are not. */
const seenBeside = (
  evidence: readonly string[],
  verdict: Broken | Verdict<never>,
): Broken | Verdict<never> => (verdict.state === "broken" ? { ...verdict, evidence } : verdict);

async function notGiven(
  container: Container,
  pod: Pod,
  since: Date | undefined,
  kubernetes: World["kubernetes"],
  patient: Patient,
  { lacks, variables }: Mechanism,
): Promise<Broken | Verdict<never>> {
  const { name } = container;
  const again = remake(patient, pod);
  const all = pod.containers.map((one) => one.name);
  // The webhook takes the names as they stand, with their white space.
  const skipped = pod.annotations["eks.amazonaws.com/skip-containers"];
  if (skipped?.split(",").includes(name)) {
    return {
      state: "broken",
      cause: "pod-skipped",
      what: `The container ${name} has ${lacks}: the pod asks the webhook to leave it alone.`,
      disagreement: disagreement("containers", all.join(", "), "eks.amazonaws.com/skip-containers", skipped),
      mend: [],
      advice: [
        `Take ${name} out of the annotation in the pod's template, and make the pod anew.`,
        ...otherContainers(all, name),
      ],
    };
  }
  if (skipLabel in pod.labels) {
    return {
      state: "broken",
      cause: "pod-skipped",
      what: `The container ${name} has ${lacks}: the pod's label has the webhook leave the whole pod alone.`,
      disagreement: disagreement("label", "none", skipLabel, pod.labels[skipLabel] || "empty"),
      mend: [],
      advice: ["Take the label out of the pod's template, and make the pod anew."],
    };
  }
  if (variables.some((one) => container.env[one] !== undefined)) {
    return ownVariables(container, variables, pod, patient);
  }
  const older = since !== undefined && pod.created < since;
  if (hasEnded(pod)) {
    return unseen(
      `The last pod, ${pod.name}, had ${lacks} in ${name}, and has ended${older ? "; it was made before the ServiceAccount got its role" : ""}.`,
      "A pod that runs: the next one is given them if all before this link holds.",
    );
  }
  if ((await kubernetes.podIdentityWebhook()) === false) {
    return {
      state: "broken",
      cause: "webhook-missing",
      what: `The container ${name} has ${lacks}, and no pod identity webhook is registered that would give them.`,
      disagreement: disagreement("webhook", "pod-identity-webhook", "mutating webhooks for it", "none"),
      mend: [],
      advice: [
        "On EKS it comes with the cluster: ask AWS Support. Then make the pod anew.",
        ...otherContainers(all, name),
      ],
      look: ["kubectl get mutatingwebhookconfigurations"],
    };
  }
  if (older) {
    return {
      state: "broken",
      cause: "pod-older",
      what: `The pod is older than the ServiceAccount's role, which only new pods get; ${name} has ${lacks}.`,
      disagreement: disagreement("role since", since.toISOString(), "pod made at", pod.created.toISOString()),
      ...again,
    };
  }
  return {
    state: "broken",
    cause: "not-injected",
    what: `The container ${name} has ${lacks}: the webhook did not know the ServiceAccount's role yet, or did not answer.`,
    ...again,
    advice: [...(again.advice ?? []), ...otherContainers(all, name)],
  };
}

/** What a pod that has ended had of before, the next one need not have. */
function endedLater(fault: Broken, pod: Pod, since: Date | undefined): Broken | Verdict<never> {
  if (!hasEnded(pod) || since === undefined || pod.created >= since) return fault;
  return unseen(`Of the last pod, which has ended: ${fault.what}`, "A pod that runs.");
}

/** Keys of a container's own, wherever they come from; and what could not be looked into. */
async function ownKeys(
  container: Container,
  kubernetes: World["kubernetes"],
  { namespace }: Patient,
): Promise<{ cause?: Broken; unread: string[] }> {
  const variable = "AWS_ACCESS_KEY_ID";
  const broken = (from: string, advice: string): { cause: Broken; unread: string[] } => ({
    cause: {
      state: "broken",
      cause: "own-keys",
      what: `The container ${container.name} has ${variable} ${from}, which every SDK takes before the role.`,
      mend: [],
      advice: [advice],
    },
    unread: [],
  });
  const template = `Take ${variable} and AWS_SECRET_ACCESS_KEY out of the pod's template.`;
  // A variable of its own name wins over envFrom; SDKs take an empty one for none.
  if (container.env[variable] !== undefined) {
    return container.env[variable] === "" ? { unread: [] } : broken("of its own", template);
  }
  const unread: string[] = [];
  for (const source of container.envSources) {
    const key = keyFor(source, variable);
    if (key === undefined) continue;
    const keys = await kubernetes.keysOf(source.kind, namespace, source.name);
    const named = `${source.kind} ${source.name}`;
    if (keys === undefined) unread.push(named);
    else if (keys !== "absent" && keys.includes(key)) {
      return broken(
        `from the ${named}`,
        "key" in source
          ? template
          : `Take ${key} out of the ${named}, or the ${named} out of the pod's envFrom.`,
      );
    }
  }
  return { unread };
}

/** The key of a Secret or ConfigMap that would become a variable; undefined where none would. */
function keyFor(source: EnvSource, variable: string): string | undefined {
  if ("key" in source) return source.variable === variable ? source.key : undefined;
  return variable.startsWith(source.prefix) ? variable.slice(source.prefix.length) : undefined;
}
