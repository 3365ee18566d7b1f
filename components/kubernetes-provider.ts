import { Provider } from "@pulumi/kubernetes/provider.js";
import type * as pulumi from "@pulumi/pulumi";

/**
 * Pulumi's Kubernetes provider for the objects that a stack makes. It creates them plainly, so that one which is there
 * already, made by somebody else, ends the `up` with "already exists". With server-side apply, the provider's default, such
 * an object is taken over without a word and deleted with the stack: a namespace with all that is in it.
 *
 * What others own and this stack only patches (`adopt`) wants a provider with server-side apply, where a conflict names the
 * other owner.
 */
export const ownObjectsProvider = (
  name: string,
  kubeconfig: pulumi.Input<string>,
  opts?: pulumi.CustomResourceOptions,
): Provider => new Provider(name, { kubeconfig, enableServerSideApply: false }, opts);
