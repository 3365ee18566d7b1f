import type { AwsTypes } from "../common";
import { addon } from "./addon";
import { cluster } from "./cluster";
import { nodeGroup } from "./node-group";
import { podIdentityAssociation } from "./pod-identity-association";

export const eksTypes: AwsTypes = {
  "aws:eks/cluster:Cluster": cluster,
  "aws:eks/nodeGroup:NodeGroup": nodeGroup,
  "aws:eks/podIdentityAssociation:PodIdentityAssociation": podIdentityAssociation,
  "aws:eks/addon:Addon": addon,
};
