import { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation.js";
import type * as pulumi from "@pulumi/pulumi";
import type { Subject } from "../iam/trust-policy.ts";
import type { CheckedIrsaArguments } from "./irsa-arguments.ts";
import { goesFirst } from "./replacement.ts";

/** Ties a role to the component's own ServiceAccount and to each of `otherSubjects`, by EKS Pod Identity. */
export function associations(
  name: string,
  args: CheckedIrsaArguments,
  own: { readonly namespace: pulumi.Output<string>; readonly serviceAccount: pulumi.Output<string> },
  roles: {
    readonly roleArn: pulumi.Output<string>;
    readonly targetRoleArn: pulumi.Output<string> | undefined;
  },
  parent: pulumi.CustomResourceOptions,
) {
  const { session, tags } = args;
  const [clusterName = ""] = args.clusterNames;
  const associate = (
    resource: string,
    subject: { readonly namespace: pulumi.Input<string>; readonly serviceAccount: pulumi.Input<string> },
  ) =>
    new PodIdentityAssociation(
      resource,
      {
        clusterName,
        ...subject,
        ...roles,
        disableSessionTags: session?.disableTags,
        policy: session?.policy && JSON.stringify(session.policy),
        tags,
      },
      { ...parent, ...goesFirst },
    );
  return {
    association: associate(`${name}-association`, own),
    otherAssociations: args.otherSubjects.map((subject) => {
      // Neither a pattern nor known later: the rules for Pod Identity see to that.
      const { namespace, serviceAccount } = subject as Subject & Record<keyof Subject, string>;
      return associate(`${name}-association-${namespace}.${serviceAccount}`, { namespace, serviceAccount });
    }),
  };
}
