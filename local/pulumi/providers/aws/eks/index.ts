import type { AwsTypes } from "../common.ts";
import { addon } from "./addon.ts";
import { cluster } from "./cluster.ts";
import { nodeGroup } from "./node-group.ts";
import { podIdentityAssociation } from "./pod-identity-association.ts";

export const eksTypes: AwsTypes = {
  "aws:eks/cluster:Cluster": cluster,
  "aws:eks/nodeGroup:NodeGroup": nodeGroup,
  "aws:eks/podIdentityAssociation:PodIdentityAssociation": podIdentityAssociation,
  "aws:eks/addon:Addon": addon,
};
