import { isObject, type Json } from "./json.ts";

const logTypes = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/** Settings of a cluster's logs as one, the later ones first: EKS tells of every type of log whether it is on. */
export function mergeLogging(...settings: unknown[]): Json {
  const on = new Set<string>();
  for (const { types, enabled } of settings.flatMap(logGroups)) {
    for (const type of types ?? []) {
      if (enabled) on.add(type);
      else on.delete(type);
    }
  }
  const groups = [
    { types: logTypes.filter((type) => on.has(type)), enabled: true },
    { types: logTypes.filter((type) => !on.has(type)), enabled: false },
  ];
  return { clusterLogging: groups.filter(({ types }) => types.length > 0) };
}

export const logGroups = (setting: unknown): { types?: string[]; enabled?: boolean }[] =>
  isObject(setting) && Array.isArray(setting.clusterLogging) ? setting.clusterLogging : [];
