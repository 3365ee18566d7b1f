import { expect } from "chai";
import type { BundleReference } from "../../../iam/bundles.ts";
import { account, allowed, changeRecords, examples, recordTypes, refuse, region, zone } from "./harness.ts";

describe("bundles of load balancing", () => {
  it("target-group-binding registers with its own target groups only", async () => {
    const reference = examples["target-group-binding"];
    const [group = ""] = reference.targetGroups;
    const register = "elasticloadbalancing:RegisterTargets";
    expect(await allowed(reference, register, group)).to.equal(true);
    expect(await allowed(reference, register, group.replace("/web/", "/db/"))).to.equal(false);
    const open = "ec2:AuthorizeSecurityGroupIngress";
    const securityGroup = `arn:aws:ec2:${region}:${account}:security-group/sg-1`;
    expect(await allowed(reference, open, securityGroup)).to.equal(true);
    const { securityGroupRules: _, assumeRoles: __, ...narrow } = reference;
    expect(await allowed(narrow, open, securityGroup)).to.equal(false);
    expect(await allowed(narrow, "sts:AssumeRole", "arn:aws:iam::444455556666:role/target-groups")).to.equal(
      false,
    );
  });

  describe("load-balancer-controller", () => {
    const balancer = `arn:aws:elasticloadbalancing:${region}:${account}:loadbalancer/app/a/0123456789abcdef`;
    const group = `arn:aws:ec2:${region}:${account}:security-group/sg-1`;
    const tag = (of: string, cluster: string) => ({ [`aws:${of}/elbv2.k8s.aws/cluster`]: cluster });
    const any: BundleReference = { bundle: "load-balancer-controller" };
    const one: BundleReference = { bundle: "load-balancer-controller", cluster: "prod" };

    it("deletes only what carries its tag", async () => {
      const remove = "elasticloadbalancing:DeleteLoadBalancer";
      expect(await allowed(any, remove, balancer, tag("ResourceTag", "prod"))).to.equal(true);
      expect(await allowed(any, remove, balancer, tag("ResourceTag", "dev"))).to.equal(true);
      expect(await allowed(any, remove, balancer)).to.equal(false);
      expect(await allowed(one, remove, balancer, tag("ResourceTag", "prod"))).to.equal(true);
      expect(await allowed(one, remove, balancer, tag("ResourceTag", "dev"))).to.equal(false);
      expect(await allowed(one, remove, balancer)).to.equal(false);
    });

    it("finds web ACLs by their names", async () => {
      expect(await allowed(any, "wafv2:ListWebACLs", "*")).to.equal(true);
    });

    it("makes security groups and changes their rules in its own VPC only, when told which", async () => {
      const own: BundleReference = { ...any, vpc: "vpc-0a1b2c3d4e5f60718" };
      const vpc = (id: string) => `arn:aws:ec2:${region}:${account}:vpc/${id}`;
      for (const action of ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]) {
        const open = (reference: BundleReference, id: string) =>
          allowed(reference, action, group, { "ec2:Vpc": vpc(id) });
        expect(await open(own, "vpc-0a1b2c3d4e5f60718"), action).to.equal(true);
        expect(await open(own, "vpc-00000000000000000"), action).to.equal(false);
        expect(await open(any, "vpc-00000000000000000"), action).to.equal(true);
      }
      expect(await allowed(own, "ec2:CreateSecurityGroup", vpc("vpc-0a1b2c3d4e5f60718"))).to.equal(true);
      expect(await allowed(own, "ec2:CreateSecurityGroup", vpc("vpc-00000000000000000"))).to.equal(false);
    });

    it("manages accelerators of its own when told so", async () => {
      const accelerator = `arn:aws:globalaccelerator::${account}:accelerator/1b2c3d4e`;
      const own = (cluster: string) => ({
        ...tag("ResourceTag", cluster),
        "aws:ResourceTag/aga.k8s.aws/resource": "GlobalAccelerator",
      });
      const remove = (reference: BundleReference, context = {}) =>
        allowed(reference, "globalaccelerator:DeleteAccelerator", accelerator, context);
      expect(await remove({ ...any, globalAccelerator: true }, own("dev"))).to.equal(true);
      expect(await remove({ ...one, globalAccelerator: true }, own("prod"))).to.equal(true);
      expect(await remove({ ...one, globalAccelerator: true }, own("dev"))).to.equal(false);
      expect(await remove({ ...one, globalAccelerator: true })).to.equal(false);
      expect(await remove(one, own("prod"))).to.equal(false);
    });

    it("requests certificates for its zones when told which", async () => {
      const zones: BundleReference = { ...one, certificateZones: ["ZALLOWED"] };
      const request = (reference: BundleReference) =>
        allowed(reference, "acm:RequestCertificate", "*", tag("RequestTag", "prod"));
      expect(await request(zones)).to.equal(true);
      expect(await request(one)).to.equal(false);
      expect(await allowed(zones, changeRecords, zone("ZALLOWED"), recordTypes("CNAME"))).to.equal(true);
      expect(await allowed(zones, changeRecords, zone("ZOTHER"), recordTypes("CNAME"))).to.equal(false);
      const [authority = ""] = examples["load-balancer-controller"].certificateAuthorities ?? [];
      const issue = "acm-pca:IssueCertificate";
      expect(await allowed({ ...one, certificateAuthorities: [authority] }, issue, authority)).to.equal(true);
      expect(await allowed(zones, issue, authority)).to.equal(false);
    });

    it("makes only what carries its tag", async () => {
      const create = "elasticloadbalancing:CreateLoadBalancer";
      expect(await allowed(any, create, balancer, tag("RequestTag", "prod"))).to.equal(true);
      expect(await allowed(any, create, balancer)).to.equal(false);
      expect(await allowed(one, create, balancer, tag("RequestTag", "prod"))).to.equal(true);
      expect(await allowed(one, create, balancer, tag("RequestTag", "dev"))).to.equal(false);
    });

    for (const [name, reference] of [
      ["of any cluster", any],
      ["of one cluster", one],
    ] as const) {
      it(`${name} changes the tags of what is its own, but for that one`, async () => {
        const own = tag("ResourceTag", "prod");
        expect(await allowed(reference, "ec2:CreateTags", group, own)).to.equal(true);
        expect(
          await allowed(reference, "ec2:CreateTags", group, { ...own, ...tag("RequestTag", "dev") }),
        ).to.equal(false);
        expect(await allowed(reference, "ec2:CreateTags", group)).to.equal(false);
        expect(
          await allowed(reference, "ec2:CreateTags", group, {
            ...tag("RequestTag", "prod"),
            "ec2:CreateAction": "CreateSecurityGroup",
          }),
        ).to.equal(true);
      });
    }
  });

  refuse([
    [
      "a VPC by its name",
      { bundle: "load-balancer-controller", vpc: "main" },
      '.vpc holds "main"; it must be the id of a VPC',
    ],
    [
      "any target group",
      { bundle: "target-group-binding", targetGroups: ["*"] },
      '.targetGroups holds ["*"]; it must be a list of ARNs of target groups',
    ],
  ]);
});
