import type { Of } from "../bundles.ts";
import { allow, type Definition, inline, list } from "./definition.ts";

const hostedZones = list(
  'a list of Route 53 hosted zone ids such as ["Z2FDTNDATAQYW2"]',
  /^Z[A-Z0-9]{1,31}$/,
);

const zoneArns = (partition: string, zones: readonly string[]): string[] =>
  zones.map((zone) => `arn:${partition}:route53:::hostedzone/${zone}`);

/**
 * Source: docs/tutorials/aws.md of github.com/kubernetes-sigs/external-dns (0.15 and later), whose zones are scoped here.
 * 0.15 reads tags zone by zone, later ones many at once: hence both.
 */
export const externalDns: Definition<Of<"external-dns">> = {
  parameters: { hostedZones },
  resolve: ({ hostedZones }) =>
    inline((partition) => [
      allow(
        ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"],
        zoneArns(partition, hostedZones),
      ),
      allow(["route53:ListHostedZones", "route53:ListTagsForResource", "route53:ListTagsForResources"], "*"),
    ]),
};

/**
 * Source: "Route53", configuration of the DNS01 challenge, cert-manager.io. It changes TXT records only; the pages up to
 * 1.16 did not say so yet.
 */
export const certManager: Definition<Of<"cert-manager">> = {
  parameters: { hostedZones },
  resolve: ({ hostedZones }) =>
    inline((partition) => [
      allow("route53:GetChange", `arn:${partition}:route53:::change/*`),
      allow("route53:ListResourceRecordSets", zoneArns(partition, hostedZones)),
      allow("route53:ChangeResourceRecordSets", zoneArns(partition, hostedZones), {
        "ForAllValues:StringEquals": { "route53:ChangeResourceRecordSetsRecordTypes": "TXT" },
      }),
      allow("route53:ListHostedZonesByName", "*"),
    ]),
};
