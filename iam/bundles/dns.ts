import type { Of } from "../bundles.ts";
import { allow, type Definition, hostedZones, inline, zoneArns } from "./definition.ts";

/**
 * Source: docs/tutorials/aws.md of github.com/kubernetes-sigs/external-dns (0.15 and later). What it changes is scoped
 * here; what it reads is not: it reads the records of every zone that its filters let through, and ends the whole sync
 * at the first that it may not read (`provider/aws/aws.go`). 0.15 reads tags zone by zone, later ones many at once.
 */
export const externalDns: Definition<Of<"external-dns">> = {
  parameters: { hostedZones },
  resolve: ({ hostedZones }) => [
    inline((partition) => [
      allow("route53:ChangeResourceRecordSets", zoneArns(partition, hostedZones)),
      allow(
        [
          ...["route53:ListHostedZones", "route53:ListResourceRecordSets"],
          ...["route53:ListTagsForResource", "route53:ListTagsForResources"],
        ],
        "*",
      ),
    ]),
  ],
};

/**
 * Source: "Route53", configuration of the DNS01 challenge, cert-manager.io. It changes TXT records only; the pages up to
 * 1.16 did not say so yet.
 */
export const certManager: Definition<Of<"cert-manager">> = {
  parameters: { hostedZones },
  resolve: ({ hostedZones }) => [
    inline((partition) => [
      allow("route53:GetChange", `arn:${partition}:route53:::change/*`),
      allow("route53:ListResourceRecordSets", zoneArns(partition, hostedZones)),
      allow("route53:ChangeResourceRecordSets", zoneArns(partition, hostedZones), {
        "ForAllValues:StringEquals": { "route53:ChangeResourceRecordSetsRecordTypes": "TXT" },
      }),
      allow("route53:ListHostedZonesByName", "*"),
    ]),
  ],
};
