import { type KindId, kinds, type Severity } from "./kinds.ts";

/** What a finding is about. */
export interface Subject {
  readonly kind:
    | "Cluster"
    | "ConfigMap"
    | "NodeGroup"
    | "OidcProvider"
    | "Pod"
    | "Role"
    | "Secret"
    | "ServiceAccount"
    | "Association"
    | "Workload";
  /** As people know it: `namespace/name`, an ARN. */
  readonly name: string;
}

export interface Finding {
  readonly id: KindId;
  readonly severity: Severity;
  readonly subject: Subject;
  /** What is wrong with it, in a sentence. */
  readonly what: string;
  readonly evidence: readonly string[];
  /** Commands that mend it, to be run in this order. Words in capitals are to be filled in. */
  readonly mend: readonly string[];
  /** Sentences: what no command can do, or what to know before one is run. */
  readonly advice: readonly string[];
}

/** A finding of a kind, whose severity is the kind's. */
export const finding = (
  id: KindId,
  subject: Subject,
  what: string,
  more: Partial<Pick<Finding, "evidence" | "mend" | "advice">> = {},
): Finding => ({
  id,
  severity: kinds[id].severity,
  subject,
  what,
  evidence: [],
  mend: [],
  advice: [],
  ...more,
});

export const role = ({ arn }: { readonly arn: string }): Subject => ({ kind: "Role", name: arn });
export const serviceAccount = ({ key }: { readonly key: string }): Subject => ({
  kind: "ServiceAccount",
  name: key,
});
