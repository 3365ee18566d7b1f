import type { Control } from "../aws/test-control.ts";
import type { Kubernetes } from "./api.ts";

/** A cluster with a Kubernetes of its own, which a test has started. */
export interface OtherCluster extends Kubernetes {
  name: string;
}

/** Clusters beside local's one, of which a test tells: what EKS is to say of them, and where their issuers' keys are. */
export class OtherClusters implements Control {
  readonly byName = new Map<string, Kubernetes>();

  get(): string[] {
    return [...this.byName.keys()];
  }

  set(clusters: unknown): void {
    this.byName.clear();
    for (const { name, ...kubernetes } of (clusters ?? []) as OtherCluster[])
      this.byName.set(name, kubernetes);
  }

  /** The API server whose tokens have this issuer. */
  endpointOf(issuer: string): string | undefined {
    return [...this.byName.values()].find((one) => one.issuer === issuer)?.endpoint;
  }
}
