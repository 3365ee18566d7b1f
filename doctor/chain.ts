import type { World } from "./world.ts";

// The IRSA chain as a list of links, each of which is looked at only when all before it hold.

/** Two values that should agree, and do not. */
export interface Disagreement {
  /** What should be: `the cluster's issuer`. */
  readonly wanted: { readonly name: string; readonly value: string };
  /** What is: `the role's condition key`. */
  readonly found: { readonly name: string; readonly value: string };
}

/** What looking at a link came to. */
export type Finding =
  /** It holds. */
  | { readonly state: "holds"; readonly evidence: readonly string[] }
  /** It is broken, and nothing after it was looked at. */
  | {
      readonly state: "broken";
      /** Stable name of the cause, for programs: `trust-subject`. */
      readonly cause: string;
      /** What is wrong, in a sentence. */
      readonly what: string;
      readonly disagreement?: Disagreement;
      /** Commands, or a sentence where no command can, that mend it. */
      readonly mend: readonly string[];
      readonly evidence?: readonly string[];
    }
  /** It could not be looked at, with these credentials or at all. */
  | { readonly state: "unseen"; readonly why: string };

/** One link of the chain. */
export interface Link {
  readonly id: string;
  readonly title: string;
  /** Whether the chain can be called healthy without it having been seen. Default false. */
  readonly optional?: boolean;
  /** Looks at it, and leaves in `seen` what the links after it need. */
  readonly examine: (seen: Seen, world: World, patient: Patient) => Promise<Finding>;
}

/** Whose chain it is. */
export interface Patient {
  readonly cluster: string;
  readonly region: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** One of its pods. Default: the newest that runs. */
  readonly pod?: string;
  /** What the workload does in AWS: `s3:ListAllMyBuckets`, or with a resource, `s3:GetObject=arn:aws:s3:::bucket/*`. */
  readonly actions: readonly string[];
  /** Seconds that the workload asks its sessions to last. Default 3,600, which SDKs ask for. */
  readonly sessionSeconds?: number;
}

/** What earlier links have found. */
export interface Seen {
  issuer?: string;
  providerArn?: string;
  audience?: string;
  roleArn?: string;
  role?: Role;
  pod?: Pod;
  token?: string;
}

/** An IAM role, as far as the chain needs it. */
export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly trustPolicy: string;
  readonly maxSessionSeconds: number;
  readonly boundaryArn?: string;
}

/** A pod, as far as the chain needs it. */
export interface Pod {
  readonly name: string;
  readonly phase: string;
  readonly created: Date;
  readonly serviceAccount: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly fsGroup?: number;
  readonly containers: readonly Container[];
  /** Tokens that are projected into files. */
  readonly tokens: readonly ProjectedToken[];
}

export interface Container {
  readonly name: string;
  readonly image: string;
  /** Image by digest, once the node has it. */
  readonly imageId?: string;
  /** Undefined where the image decides. */
  readonly user?: number;
  /** Undefined where the image decides: root's, but for an image that says otherwise. */
  readonly group?: number;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly volume: string; readonly path: string }[];
}

export interface ProjectedToken {
  readonly volume: string;
  /** Below the mount. */
  readonly path: string;
  readonly audience: string;
  readonly mode: number;
}

/** A link with what became of it. */
export interface LinkReport {
  readonly id: string;
  readonly title: string;
  readonly finding: Finding | { readonly state: "not reached" };
}

export interface Diagnosis {
  readonly patient: Patient;
  /** `healthy`, `broken` at one link, or `unseen`: something essential could not be looked at. */
  readonly state: "healthy" | "broken" | "unseen";
  readonly links: readonly LinkReport[];
}

/** Walks the chain to its first broken link. */
export async function diagnose(
  links: readonly Link[],
  world: World,
  patient: Patient,
  onLink: (report: LinkReport) => void = () => {},
): Promise<Diagnosis> {
  const seen: Seen = {};
  const reports: LinkReport[] = [];
  let state: Diagnosis["state"] = "healthy";
  for (const { id, title, optional, examine } of links) {
    const finding: LinkReport["finding"] =
      state === "broken" ? { state: "not reached" } : await attempt(() => examine(seen, world, patient));
    if (finding.state === "broken") state = "broken";
    if (finding.state === "unseen" && !optional) state = "unseen";
    const report = { id, title, finding };
    reports.push(report);
    onLink(report);
  }
  return { patient, state, links: reports };
}

/** What cannot be asked is not broken: no permission, no network. */
async function attempt(examine: () => Promise<Finding>): Promise<Finding> {
  try {
    return await examine();
  } catch (error) {
    return { state: "unseen", why: error instanceof Error ? error.message : String(error) };
  }
}

export const holds = (...evidence: string[]): Finding => ({ state: "holds", evidence });
export const unseen = (why: string): Finding => ({ state: "unseen", why });
