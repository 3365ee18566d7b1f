import type { AwsTypes } from "../calls.ts";
import { accessEntry, accessPolicyAssociation } from "./access-entry.ts";
import { addon } from "./addon.ts";
import { cluster } from "./cluster.ts";
import { nodeGroup } from "./node-group.ts";
import { podIdentityAssociation } from "./pod-identity-association.ts";

export const eksTypes: AwsTypes = {
  "aws:eks/cluster:Cluster": cluster,
  "aws:eks/nodeGroup:NodeGroup": nodeGroup,
  "aws:eks/podIdentityAssociation:PodIdentityAssociation": podIdentityAssociation,
  "aws:eks/addon:Addon": addon,
  "aws:eks/accessEntry:AccessEntry": accessEntry,
  "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": accessPolicyAssociation,
};
