import {
  DeletePodIdentityAssociationCommand,
  DescribePodIdentityAssociationCommand,
  ListPodIdentityAssociationsCommand,
  UpdatePodIdentityAssociationCommand,
} from "@aws-sdk/client-eks";
import { cluster, type Drift, namespace, type Target } from "./target.ts";

const associations = async ({ live }: Target) =>
  (await live.eks().send(new ListPodIdentityAssociationsCommand({ clusterName: cluster }))).associations;

async function association(target: Target) {
  const associationId = (await associations(target))?.[0]?.associationId;
  if (associationId === undefined) return undefined;
  return (
    await target.live
      .eks()
      .send(new DescribePodIdentityAssociationCommand({ clusterName: cluster, associationId }))
  ).association;
}

export const attributes: readonly Drift[] = [
  {
    what: "Pod Identity: the session's tags turned off in the association",
    resource: `${namespace}.pod-identity-association`,
    property: "disableSessionTags",
    read: async (target) => (await association(target))?.disableSessionTags,
    change: async (target) =>
      target.live.eks().send(
        new UpdatePodIdentityAssociationCommand({
          clusterName: cluster,
          associationId: (await association(target))?.associationId,
          disableSessionTags: true,
        }),
      ),
  },
];

export const deletions: readonly Drift[] = [
  {
    what: "Pod Identity association deleted",
    resource: `${namespace}.pod-identity-association`,
    read: async (target) => (await associations(target))?.map(({ serviceAccount }) => serviceAccount),
    change: async (target) =>
      target.live.eks().send(
        new DeletePodIdentityAssociationCommand({
          clusterName: cluster,
          associationId: (await association(target))?.associationId,
        }),
      ),
  },
];
