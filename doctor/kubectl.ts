import type { Broken, Patient } from "./chain.ts";

/** Has the commands of a finding lead to the cluster that was looked at, whatever kubectl's own context is. */
export function where(
  finding: Broken,
  { kubeconfig, cluster }: Pick<Patient, "kubeconfig" | "cluster">,
): Broken {
  if (kubeconfig === undefined) return finding;
  const { file, context, ofStack } = kubeconfig;
  const flags = [
    ...(file === undefined ? [] : [`--kubeconfig ${file}`]),
    ...(context === undefined ? [] : [`--context ${context}`]),
  ].join(" ");
  const there = (command: string): string => {
    if (flags !== "" && isKubectl(command)) return command.replace(/^kubectl/, `kubectl ${flags}`);
    const writes = file !== undefined && command.startsWith("aws eks update-kubeconfig ");
    return writes ? `${command} --kubeconfig ${file}` : command;
  };
  const asksKubectl = [...finding.mend, ...(finding.look ?? [])].some(isKubectl);
  // A list has as many commands afterwards as before, which its type does not tell.
  return {
    ...finding,
    mend: finding.mend.map(there),
    ...(finding.look && { look: finding.look.map(there) }),
    ...(ofStack &&
      asksKubectl && {
        advice: [
          ...(finding.advice ?? []),
          `kubectl must lead to ${cluster}: its kubeconfig is the stack's output kubeconfig.`,
        ],
      }),
  } as Broken;
}

const isKubectl = (command: string): boolean => command.startsWith("kubectl ");
