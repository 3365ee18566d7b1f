import type { Mended } from "./causes.ts";
import { where } from "./kubectl.ts";
import { takesFor } from "./takes.ts";
import type {
  Container,
  EksCluster,
  OidcProvider,
  Pod,
  PodIdentityAssociation,
  Role,
  Session,
  World,
} from "./world.ts";

// A chain is a list of links. Each says which facts it rests on and which it proves; a chain in which a link rests on
// what none before it proves does not compile.

/** Whose chain it is. */
export interface Patient {
  readonly cluster: string;
  readonly region: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The stack that makes the ServiceAccount, where one does. */
  readonly stack?: string;
  /** One of its pods. Default: the newest that runs. */
  readonly pod?: string;
  /** The containers that call AWS. Default: all, init containers too. */
  readonly containers?: readonly string[];
  /** What the workload does in AWS: `s3:ListAllMyBuckets`, or with a resource, `s3:GetObject=arn:aws:s3:::bucket/*`. */
  readonly actions: readonly string[];
  /** The role that the workload assumes with the credentials of its own. Default none; an association may name one. */
  readonly assumeRole?: string;
  readonly externalId?: string;
  /** AWS profiles that look at IAM, and mend there, where the pod's role is, and where the one is that it goes on to assume. */
  readonly profiles?: Profiles;
  /** The kubeconfig that the cluster was looked at with. Default: what kubectl takes by itself. */
  readonly kubeconfig?: KubeconfigChoice;
  /** Seconds that the workload asks its sessions to last. Default 3,600, which SDKs ask for. */
  readonly sessionSeconds?: number;
}

/** Profiles of the AWS configuration whose credentials look at IAM. Default: the environment's credentials. */
export interface Profiles {
  /** Of the account of the pod's role. */
  readonly role?: string | undefined;
  /** Of the account of the role that it goes on to assume. */
  readonly target?: string | undefined;
}

/** A kubeconfig other than the one that kubectl takes by itself. */
interface KubeconfigChoice {
  readonly file?: string | undefined;
  readonly context?: string | undefined;
  /** Whether it is the stack's own, which lies in no file. */
  readonly ofStack?: boolean;
}

/** A role by the ServiceAccount's annotation. */
export interface WebIdentity {
  readonly kind: "irsa";
  readonly roleArn: string;
  readonly audience: string;
}

/** How a ServiceAccount comes to its role. */
export type Identity =
  | WebIdentity
  | { readonly kind: "pod-identity"; readonly association: PodIdentityAssociation };

/** Where a container is told to fetch its credentials, and the token that it shows there. */
export interface CredentialSource {
  readonly container: Container;
  readonly tokenFile: string;
}

/** A role that is assumed with the credentials of another. */
export interface Target {
  readonly arn: string;
  readonly externalId?: string;
  /** Whether the caller's session tags come with it. */
  readonly sessionTags: boolean;
}

/** What links prove. */
export interface Facts {
  cluster: EksCluster;
  /** The issuer that the API server says it is; undefined where it does not tell. */
  apiIssuer: string | undefined;
  identity: Identity;
  /** When the ServiceAccount got its role, as far as anybody tells. */
  since: Date | undefined;
  /** What its annotation says beside an association, which the webhook prefers; undefined where there are not both. */
  passedOver: { readonly identity: WebIdentity; readonly since: Date | undefined } | undefined;
  issuer: string;
  roleArn: string;
  audience: string;
  association: PodIdentityAssociation;
  role: Role;
  provider: OidcProvider;
  pod: Pod;
  /** The pod's containers that are judged. */
  containers: readonly Container[];
  sources: readonly CredentialSource[];
  token: string;
  session: Session;
  /** The role that the pod's AWS configuration has it go on to; undefined where that names none. */
  nextRole: Target | undefined;
  target: Target;
  targetRole: Role;
  /** The policy that narrows the session of the role which acts; undefined where there is none. */
  sessionPolicy: string | undefined;
}
export type FactName = keyof Facts;

/** Two values that should agree, and do not. */
export interface Disagreement {
  /** What should be: `the cluster's issuer`. */
  readonly wanted: { readonly name: string; readonly value: string };
  /** What is: `the role's condition key`. */
  readonly found: { readonly name: string; readonly value: string };
}

export type Broken = Mended & {
  readonly state: "broken";
  /** What is wrong, in a sentence. */
  readonly what: string;
  readonly disagreement?: Disagreement;
  /** Sentences: what no command can do, or what to know before one is run. */
  readonly advice?: readonly string[];
  /** Commands that show more of it. */
  readonly look?: readonly string[];
  /** What was seen beside it. */
  readonly evidence?: readonly string[];
};

/** It cannot be told: not with these credentials, or not at all. */
export interface Unseen {
  readonly state: "unseen";
  readonly why: string;
  /** What it would take, in a sentence. */
  readonly takes: string;
  /** Title of the link that could not be told, where this one only rests on it; what it would take is that one's. */
  readonly restsOn?: string;
}

/** What looking at a link came to. */
export type Verdict<Proved = unknown> =
  | { readonly state: "holds"; readonly evidence: readonly string[]; readonly proved: Proved }
  | Broken
  /** Links after it may all the same rest on what is known. */
  | (Unseen & { readonly known?: Partial<Proved> });

/** One link of a chain. */
export interface Link<Needs extends FactName = FactName, Gives extends FactName = FactName> {
  readonly id: string;
  readonly title: string;
  /** Facts without which it cannot be looked at. */
  readonly needs: readonly Needs[];
  readonly gives: readonly Gives[];
  /** A later link whose holding shows that this one does, where it could not be looked at. */
  readonly shownBy?: string;
  examine(proved: Pick<Facts, Needs>, world: World, patient: Patient): Promise<Verdict<Pick<Facts, Gives>>>;
}

type AnyLink = Omit<Link, "examine"> & {
  examine(proved: Facts, world: World, patient: Patient): Promise<Verdict<Partial<Facts>>>;
};

export class Chain<Proved extends FactName> {
  readonly links: readonly AnyLink[];

  private constructor(links: readonly AnyLink[]) {
    this.links = links;
  }

  /** A chain whose first link may rest on these facts. */
  static from<Given extends FactName = never>(): Chain<Given> {
    return new Chain([]);
  }

  link<Needs extends Proved, Gives extends FactName>(link: Link<Needs, Gives>): Chain<Proved | Gives> {
    return new Chain([...this.links, link]);
  }

  /** The same links, for a walk that is given more from outside. */
  given<More extends FactName>(): Chain<Proved | More> {
    return new Chain(this.links);
  }
}

/** What became of a link: its verdict, without what it handed on. */
export type Finding =
  | { readonly state: "holds"; readonly evidence: readonly string[] }
  | Broken
  | Unseen
  | { readonly state: "not reached" };

/** A link with what became of it. */
export interface LinkReport {
  readonly id: string;
  readonly title: string;
  readonly finding: Finding;
}

/** A walk along links that goes on where the last list of them ended. */
export class Walk {
  readonly reports: LinkReport[] = [];
  readonly proved: Partial<Facts> = {};
  readonly #onLink: (report: LinkReport) => void;
  readonly #world: World;
  readonly #patient: Patient;
  /** Why a fact is not there: the first link that could not be looked at, of those that it rests on. */
  readonly #missing = new Map<FactName, { title: string; takes: string }>();
  /** Reports that a later link may still change, and those after them. */
  readonly #held: { report: LinkReport; shownBy?: string }[] = [];

  constructor(world: World, patient: Patient, onLink: (report: LinkReport) => void) {
    this.#world = world;
    this.#patient = patient;
    this.#onLink = onLink;
  }

  get broken(): boolean {
    return [...this.reports, ...this.#held.map(({ report }) => report)].some(
      ({ finding }) => finding.state === "broken",
    );
  }

  /** Looks at each link until one is broken. */
  async along(links: readonly AnyLink[]): Promise<void> {
    for (const link of links) {
      const { id, title, shownBy } = link;
      const finding = this.broken ? ({ state: "not reached" } as const) : await this.#examine(link);
      this.#held.push({ report: { id, title, finding }, ...(finding.state === "unseen" && { shownBy }) });
      this.#settle(id, finding);
    }
  }

  /** No more links come: what none could show stays as it is. */
  end(): void {
    for (const { report } of this.#held.splice(0)) this.#report(report);
  }

  async #examine(link: AnyLink): Promise<Finding> {
    const lacking = link.needs.find((name) => !(name in this.proved));
    if (lacking !== undefined) {
      // What is given from outside is not there only where the links that it is found by could not be told.
      const root = this.#missing.get(lacking) ?? [...this.#missing.values()][0];
      if (root === undefined) throw new Error(`The link ${link.id} needs ${lacking}, which nothing gives.`);
      const restsOn = root.title;
      return { ...this.#unseen(link, root, `It rests on "${restsOn}".`), restsOn };
    }
    const verdict = await attempt(() => link.examine(this.proved as Facts, this.#world, this.#patient));
    if (verdict.state === "broken") return where(verdict, this.#patient);
    if (verdict.state === "unseen") {
      Object.assign(this.proved, verdict.known);
      return this.#unseen(link, { title: link.title, takes: verdict.takes }, verdict.why);
    }
    Object.assign(this.proved, verdict.proved);
    return { state: "holds", evidence: verdict.evidence };
  }

  #unseen(link: AnyLink, root: { title: string; takes: string }, why: string): Unseen {
    for (const name of link.gives) if (!(name in this.proved)) this.#missing.set(name, root);
    return { state: "unseen", why, takes: root.takes };
  }

  /** Once a link holds, so do those that it shows; what no link can change any more is reported, in order. */
  #settle(id: string, finding: Finding): void {
    const ended = finding.state === "broken" || finding.state === "not reached";
    for (const [index, { report, shownBy }] of this.#held.entries()) {
      if (shownBy === undefined || (shownBy !== id && !ended)) continue;
      const settled: Finding =
        finding.state === "holds"
          ? { state: "holds", evidence: [`shown by: ${finding.evidence.join(", ")}`] }
          : report.finding;
      this.#held[index] = { report: { ...report, finding: settled } };
    }
    while (this.#held[0] && this.#held[0].shownBy === undefined) {
      const [first] = this.#held.splice(0, 1);
      if (first) this.#report(first.report);
    }
  }

  #report(report: LinkReport): void {
    this.reports.push(report);
    this.#onLink(report);
  }
}

/** What an error says; a client that says no more than "fetch failed" has the reason as its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === "fetch failed" && error.cause instanceof Error
    ? error.cause.message || String((error.cause as NodeJS.ErrnoException).code)
    : error.message;
}

/** What cannot be asked is not broken: no permission, no network. */
async function attempt<P>(examine: () => Promise<Verdict<P>>): Promise<Verdict<P>> {
  try {
    return await examine();
  } catch (error) {
    const why = reasonOf(error);
    return unseen(why, takesFor(why));
  }
}

export const holds = <P>(proved: P, ...evidence: string[]): Verdict<P> => ({
  state: "holds",
  evidence,
  proved,
});

export const unseen = <P>(why: string, takes: string, known?: Partial<P>): Verdict<P> => ({
  state: "unseen",
  why,
  takes,
  ...(known && { known }),
});

/** The two values that disagree, each under its name. */
export const disagreement = (
  wanted: string,
  wantedValue: string,
  found: string,
  foundValue: string,
): Disagreement => ({
  wanted: { name: wanted, value: wantedValue },
  found: { name: found, value: foundValue },
});
