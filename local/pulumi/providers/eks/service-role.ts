import { createHash } from "node:crypto";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import * as pulumi from "@pulumi/pulumi";

export interface ServiceRoleArgs {
  /** `eks.amazonaws.com`, `ec2.amazonaws.com`. */
  readonly service: string;
  readonly description?: string;
  /** Names of AWS managed policies. */
  readonly policies: readonly string[];
  readonly actions: readonly string[];
  readonly partition: pulumi.Input<string>;
  readonly tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** A role that a service of AWS assumes. */
export class ServiceRole extends pulumi.ComponentResource {
  readonly role: Role;
  readonly attachments: readonly RolePolicyAttachment[];

  constructor(name: string, args: ServiceRoleArgs, opts: pulumi.ComponentResourceOptions) {
    super("eks:index:ServiceRole", name, {}, opts);
    const parent = { parent: this };
    this.role = new Role(
      `${name}-role`,
      {
        description: args.description,
        assumeRolePolicy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Action: args.actions, Effect: "Allow", Principal: { Service: [args.service] } }],
        }),
        tags: args.tags,
      },
      parent,
    );
    this.attachments = args.policies.map(
      (policy) =>
        new RolePolicyAttachment(
          `${name}-${digits(`arn:aws:iam::aws:policy/${policy}`)}`,
          { policyArn: pulumi.interpolate`arn:${args.partition}:iam::aws:policy/${policy}`, role: this.role },
          parent,
        ),
    );
    this.registerOutputs({ role: this.role });
  }
}

/** What the real component tells attachments apart by. */
const digits = (text: string): string => createHash("sha1").update(text).digest("hex").slice(0, 8);
