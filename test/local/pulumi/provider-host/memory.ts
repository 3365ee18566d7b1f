import { serve } from "../../../../local/pulumi/provider-host/host.ts";
import type { Properties } from "../../../../local/pulumi/provider-host/properties.ts";
import {
  InitializationError,
  type Provider,
  type ResourceType,
} from "../../../../local/pulumi/provider-host/resource-type.ts";
import { Engine } from "../engine.ts";

/** A provider of boxes, kept in memory, to drive the host with. */
export class Memory {
  readonly boxes = new Map<string, Properties>();
  /** What was done to boxes, in order. */
  readonly done: string[] = [];

  readonly boxType: ResourceType<{ shelf: string }> = {
    properties: {
      name: { replace: true, autoName: { maxLength: 20 } },
      size: { required: true },
      colour: { default: "brown" },
      lid: {
        members: {
          open: {},
          hinge: { replace: true, refuse: (value) => (value === "cheese" ? "is too soft" : undefined) },
        },
      },
      tags: {},
      token: {},
    },
    computed: ["serial"],
    volatile: ["opened"],
    create: async (inputs, { config, signal }) => {
      this.done.push(`create on ${config.shelf}`);
      if (inputs.size === 13)
        throw Object.assign(new Error("thirteen is unlucky"), { name: "BadLuckException" });
      if (inputs.size === 99) {
        await new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        ).finally(() => this.done.push("ended"));
      }
      const id = String(inputs.name);
      const { token: _, ...kept } = inputs; // it is not told again, as passwords are not
      this.boxes.set(id, { colour: "brown", ...kept, serial: 7 });
      if (inputs.size === 666) throw new InitializationError(id, ["it rattles", "it smells"]);
      return id;
    },
    read: async (id) => this.boxes.get(id),
    update: async (id, news, { changed }) => {
      this.done.push(`update ${[...changed].sort().join(",")}`);
      this.boxes.set(id, { colour: "brown", ...news, serial: 7 });
    },
    delete: async (id) => {
      this.done.push(`delete ${id}`);
      this.boxes.delete(id);
    },
  };

  readonly provider: Provider<{ shelf: string }> = {
    name: "memory",
    version: "1.2.3",
    configure: (args) => ({ shelf: String(args.shelf ?? "floor") }),
    resourceType: (type) => (type === boxType ? this.boxType : undefined),
    functions: {
      "memory:index:shelf": async (_, { config }) => ({ shelf: config.shelf }),
    },
  };

  start() {
    return serve(this.provider, { host: "127.0.0.1", log: () => {} });
  }
}

export const boxType = "memory:index:Box";
export const urn = `urn:pulumi:test::test::${boxType}::my-box`;

/** An engine that works on boxes of the name that {@link urn} has. */
export const boxEngine = (port: number): Engine => new Engine(port, boxType, "my-box");
