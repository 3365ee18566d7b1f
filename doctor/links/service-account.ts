import { stsAudience } from "../../iam/trust-policy.ts";
import {
  type Broken,
  disagreement,
  holds,
  type Link,
  type Patient,
  unseen,
  type WebIdentity,
} from "../chain.ts";
import type { PodIdentityAssociation, ServiceAccountFacts, World } from "../world.ts";
import { annotate, roleAnnotation, throughStack } from "./mend.ts";

/**
 * The ServiceAccount is there, and has a role: by an association of EKS Pod Identity, or by its annotation. Where there
 * are both, the pod identity webhook gives pods the association's. Source: its `pkg/handler/handler.go`.
 */
export const serviceAccount: Link<"cluster", "identity" | "since" | "passedOver"> = {
  id: "service-account",
  title: "The ServiceAccount has a role",
  needs: ["cluster"],
  gives: ["identity", "since", "passedOver"],
  async examine(_, { eks, kubernetes }, patient) {
    const { cluster, namespace, serviceAccount: name } = patient;
    const account = await kubernetes.serviceAccount(namespace, name);
    if (account === undefined) return missing(patient, kubernetes);
    const annotated = annotationOf(account, patient);
    let association: PodIdentityAssociation | undefined;
    try {
      association = await eks.association(cluster, namespace, name);
    } catch (error) {
      return unseen(
        `Whether an association of EKS Pod Identity takes the annotation's place could not be asked: ${(error as Error).message}`,
        "Rights for eks:ListPodIdentityAssociations and eks:DescribePodIdentityAssociation.",
        "cause" in annotated ? undefined : { ...byAnnotation(annotated, account), passedOver: undefined },
      );
    }
    if (association !== undefined) {
      const passedOver = "cause" in annotated ? undefined : byAnnotation(annotated, account);
      return holds(
        {
          identity: { kind: "pod-identity", association } as const,
          since: association.created,
          passedOver,
        },
        `association ${association.id}: ${association.roleArn}`,
        ...(passedOver
          ? [
              `its annotation ${passedOver.identity.roleArn} is for pods of before the association, or whose template says so`,
            ]
          : []),
      );
    }
    if ("cause" in annotated) return annotated;
    return holds(
      { ...byAnnotation(annotated, account), passedOver: undefined },
      `${roleAnnotation}: ${annotated.roleArn}`,
    );
  },
};

const byAnnotation = (identity: WebIdentity, { annotated: since }: ServiceAccountFacts) => ({
  identity,
  since,
});

async function missing(patient: Patient, kubernetes: World["kubernetes"]): Promise<Broken> {
  const { namespace, serviceAccount } = patient;
  const create = `kubectl create serviceaccount --namespace ${namespace} ${serviceAccount}`;
  if ((await kubernetes.hasNamespace(namespace)) === false) {
    return {
      state: "broken",
      cause: "namespace-missing",
      what: `There is no namespace ${namespace}.`,
      mend: throughStack(patient, [`kubectl create namespace ${namespace}`, create]),
    };
  }
  return {
    state: "broken",
    cause: "service-account-missing",
    what: `There is no ServiceAccount ${namespace}/${serviceAccount}.`,
    mend: throughStack(patient, [create]),
  };
}

function annotationOf({ annotations }: ServiceAccountFacts, patient: Patient): WebIdentity | Broken {
  const value = annotations[roleAnnotation];
  const mend = throughStack(patient, [annotate(patient, "arn:aws:iam::ACCOUNT:role/ROLE")]);
  if (value === undefined) {
    const similar = Object.keys(annotations).find((key) => /role-?arn/i.test(key));
    return {
      state: "broken",
      cause: "annotation-missing",
      what: "The ServiceAccount is not annotated with a role, and has no association of EKS Pod Identity.",
      ...(similar && {
        disagreement: disagreement("annotation", roleAnnotation, "annotation that is there", similar),
      }),
      mend,
    };
  }
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(value)) {
    return {
      state: "broken",
      cause: "annotation-malformed",
      what: "The annotation is not the ARN of an IAM role.",
      disagreement: disagreement("an ARN like", "arn:aws:iam::111122223333:role/NAME", roleAnnotation, value),
      mend,
    };
  }
  return { kind: "irsa", roleArn: value, audience: annotations["eks.amazonaws.com/audience"] ?? stsAudience };
}
