import type { Reply } from "../aws/reply.ts";
import type { EksOptions, Routes } from "./api.ts";
import { defined, edit, isObject, type Json, merge } from "./json.ts";
import type { Updates } from "./updates.ts";

/** Node groups: with their present tags, their launch template, and the updates that MiniStack lacks. */
export function nodegroupRoutes(options: EksOptions, updates: Updates): Routes {
  const describe = (reply: Reply): Promise<Reply> =>
    edit(reply, "nodegroup", async (group) => ({
      ...merge(group, updates.changeOf(`${group.clusterName}/${group.nodegroupName}`)),
      tags: await options.tags(String(group.nodegroupArn)),
    }));

  return {
    "POST /clusters/{cluster}/node-groups": async ({ parameters: { cluster }, body, forward }) => {
      const reply = await forward();
      // MiniStack forgets the launch template, and so how far the nodes' metadata service answers.
      const { launchTemplate, nodegroupName } = body;
      if (reply.status === 200) updates.begin(`${cluster}/${nodegroupName}`, defined({ launchTemplate }));
      return describe(reply);
    },
    "GET /clusters/{cluster}/node-groups/{group}": async ({ forward }) => describe(await forward()),
    "DELETE /clusters/{cluster}/node-groups/{group}": async ({ parameters: { cluster, group }, forward }) => {
      const reply = await forward();
      if (reply.status === 200) updates.forget(`${cluster}/${group}`);
      return reply;
    },
    "POST /clusters/{cluster}/node-groups/{group}/update-config": ({ parameters, body, forward }) =>
      updates.carryOut(keyOf(parameters), "ConfigUpdate", configChange(body), forward),
    "POST /clusters/{cluster}/node-groups/{group}/update-version": ({ parameters, body, forward }) => {
      const { version, releaseVersion, launchTemplate } = body;
      const change = defined({ version, releaseVersion, launchTemplate });
      return updates.carryOut(keyOf(parameters), "VersionUpdate", change, forward);
    },
  };
}

const keyOf = ({ cluster, group }: Readonly<Record<string, string>>): string => `${cluster}/${group}`;

/** UpdateNodegroupConfig names labels and taints to add and to remove; only whole sets are kept here. */
function configChange({ scalingConfig, updateConfig, labels }: Json): Json {
  const added = isObject(labels) ? labels.addOrUpdateLabels : undefined;
  return defined({ scalingConfig, updateConfig, labels: added });
}
