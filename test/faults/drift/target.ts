import type { ProgramStack } from "../../../automation/index.ts";
import type { Live } from "../live.ts";

// What the tables of this folder are about: one change behind the engine's back each, and the stack that it is done to.

export interface Drift {
  readonly what: string;
  /** The resource, by its name in the program. */
  readonly resource: string;
  /** Path of the property that a refresh must name; the resource is deleted where there is none. */
  readonly property?: string;
  /** How it is without the change, and again after the `up`. */
  readonly read: (target: Target) => Promise<unknown>;
  readonly change: (target: Target) => Promise<unknown>;
}

export const cluster = "eks-irsa";
/** Namespace of the bindings that the stack has beside the lister's. */
export const namespace = "drift";
/** The program's name for the first of them. */
export const app = `${namespace}.app`;

const bindings = JSON.stringify([
  {
    namespace,
    serviceAccount: "app",
    createNamespace: true,
    policies: [
      "AmazonS3ReadOnlyAccess",
      "AmazonSQSReadOnlyAccess",
      {
        name: "queue",
        document: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: "*" }],
        },
      },
    ],
    role: {
      maxSessionDuration: 7200,
      description: "as it should be",
      permissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess",
    },
    labels: { team: "a", tier: "one" },
  },
  { namespace, serviceAccount: "gone", policies: ["AmazonS3ReadOnlyAccess"] },
  { namespace, serviceAccount: "pod-identity", policies: [], identity: "pod-identity" },
]);

type Outputs = Awaited<ReturnType<ProgramStack["up"]>>["outputs"];

/** The stack on local that is changed behind the engine's back, as its last `up` left it. */
export class Target {
  readonly live: Live;
  readonly stack: ProgramStack;
  #outputs: Outputs;

  private constructor(live: Live, stack: ProgramStack, outputs: Outputs) {
    this.live = live;
    this.stack = stack;
    this.#outputs = outputs;
  }

  static async up(live: Live): Promise<Target> {
    const stack = await live.open(
      `bindings=${bindings}`,
      'cluster.logs={"types":["api","audit"],"retentionDays":7}',
      'cluster.endpoint={"allowedCidrs":["203.0.113.0/24"]}',
    );
    return new Target(live, stack, (await stack.up()).outputs);
  }

  async up(): Promise<void> {
    this.#outputs = (await this.stack.up()).outputs;
  }

  /** @throws Error when the stack has no such output. */
  output(name: string): string {
    const output = this.#outputs[name];
    if (output === undefined) throw new Error(`The stack has no output ${name}.`);
    return String(output.value);
  }

  /** ARN of the role of the `lister`, or of a binding: `<namespace>/<serviceAccount>`. */
  roleArn(binding: string): string {
    if (binding === "lister") return this.output("roleArn");
    const arn = (this.#outputs.bindings?.value as Record<string, string> | undefined)?.[binding];
    if (arn === undefined) throw new Error(`The stack has no role for ${binding}.`);
    return arn;
  }
}

/** What follows the last slash of an ARN or a URL. */
export const lastPart = (text: string): string => text.replace(/^.*\//, "");

export const tagsOf = (list: readonly { Key?: string; Value?: string }[] | undefined) =>
  Object.fromEntries((list ?? []).map(({ Key = "", Value }) => [Key, Value]));

/** For `catch`: undefined for what is not there. */
export function absent(error: Error): undefined {
  if (!/NoSuchEntity|NotFound/.test(error.name)) throw error;
}

export const there = (found: unknown) => (found === undefined ? "not there" : "there");
