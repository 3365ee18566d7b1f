import { expect } from "chai";
import {
  recoveryMessage,
  recoveryOf,
  type StateResource,
  withoutPending,
} from "../../automation/recovery.ts";
import { associationType } from "../../automation/service-ids.ts";

const urn = (type: string, name: string): string => `urn:pulumi:dev::eks-irsa::${type}::${name}`;

const creating = (type: string, name: string, inputs: Record<string, unknown>) => ({
  type: "creating",
  resource: { urn: urn(type, name), type, custom: true, inputs },
});

const role: StateResource = {
  urn: urn("aws:iam/role:Role", "other"),
  type: "aws:iam/role:Role",
  custom: true,
  id: "other-0123456",
  outputs: { arn: "arn:aws-cn:iam::111122223333:role/other-0123456" },
};

/** Ids under which a state is to be refreshed, for operations that were cut off. */
function idsOf(...pending: ReturnType<typeof creating>[]) {
  const recovery = recoveryOf({ resources: [role], pending_operations: pending });
  return recovery?.state.resources?.slice(1).map(({ id }) => id);
}

describe("recovery of a stack whose engine was killed", () => {
  it("has nothing to do where no operation was cut off", () => {
    expect(recoveryOf({})).to.equal(undefined);
    expect(recoveryOf({ resources: [role], pending_operations: [] })).to.equal(undefined);
  });

  it("looks for what was being created under the id that its inputs lead to", () => {
    const ids = idsOf(
      creating("aws:iam/role:Role", "a", { name: "reader-89abcde" }),
      creating("aws:iam/rolePolicy:RolePolicy", "b", { role: "reader-89abcde", name: "list" }),
      creating("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "c", {
        role: "reader-89abcde",
        policyArn: "arn:aws-cn:iam::aws:policy/ReadOnlyAccess",
      }),
      creating("aws:iam/policy:Policy", "k", { name: "read-89abcde" }),
      creating("aws:iam/policy:Policy", "l", { name: "read-89abcde", path: "/team/" }),
      creating("aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive", "j", {
        roleName: "reader-89abcde",
        policyArns: [],
      }),
      creating("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "d", {
        url: "https://oidc.example/id/1",
      }),
      creating("aws:eks/nodeGroup:NodeGroup", "e", { clusterName: "dev", nodeGroupName: "nodes-89abcde" }),
      creating("aws:ec2/securityGroupRule:SecurityGroupRule", "h", {
        securityGroupId: "sg-1",
        type: "ingress",
        protocol: "tcp",
        fromPort: 443,
        toPort: 443,
        cidrBlocks: ["10.0.0.0/8", "192.168.0.0/16"],
        sourceSecurityGroupId: "sg-2",
      }),
      creating("aws:ec2/securityGroupRule:SecurityGroupRule", "i", {
        securityGroupId: "sg-1",
        type: "ingress",
        protocol: "-1",
        fromPort: 0,
        toPort: 0,
        self: true,
      }),
      creating("kubernetes:core/v1:Namespace", "f", { metadata: { name: "team-a" } }),
      creating("kubernetes:core/v1:ServiceAccount", "g", {
        metadata: { namespace: "team-a", name: "reader" },
      }),
    );
    expect(ids).to.deep.equal([
      "reader-89abcde",
      "reader-89abcde:list",
      "reader-89abcde/arn:aws-cn:iam::aws:policy/ReadOnlyAccess",
      "arn:aws-cn:iam::111122223333:policy/read-89abcde",
      "arn:aws-cn:iam::111122223333:policy/team/read-89abcde",
      "reader-89abcde",
      "arn:aws-cn:iam::111122223333:oidc-provider/oidc.example/id/1",
      "dev:nodes-89abcde",
      "sg-1_ingress_tcp_443_443_10.0.0.0/8_192.168.0.0/16_sg-2",
      "sg-1_ingress_-1_0_0_self",
      "team-a",
      "team-a/reader",
    ]);
  });

  it("leaves alone what ends with the engine, what is built again, and what was not being created", () => {
    const recovery = recoveryOf({
      resources: [role],
      pending_operations: [
        creating("pulumi:providers:kubernetes", "provider", {}),
        creating("docker:index/image:Image", "image", { imageName: "x" }),
        { type: "updating", resource: role },
        { type: "deleting", resource: role },
      ],
    });
    expect(recovery?.state.resources).to.deep.equal([role]);
    expect(recovery?.lost).to.deep.equal([]);
  });

  it("tells what it cannot find, by the name that it may have", () => {
    const recovery = recoveryOf({
      pending_operations: [
        creating("aws:ec2/launchTemplate:LaunchTemplate", "nodes", { name: "nodes-89abcde" }),
      ],
    });
    expect(recovery?.lost).to.have.length(1);
    expect(recovery && recoveryMessage(recovery)).to.contain(
      "It cannot be told whether it has made aws:ec2/launchTemplate:LaunchTemplate nodes, perhaps there as nodes-89abcde. Delete it by hand",
    );
  });

  it("finds an association of Pod Identity by what EKS says, and not one that EKS has not", () => {
    const [there, gone, unasked] = ["there", "gone", "unasked"].map((name) =>
      creating(associationType, name, { clusterName: "dev", namespace: "team-a", serviceAccount: name }),
    );
    if (!there || !gone || !unasked) throw new Error("three are made");
    const recovery = recoveryOf(
      { pending_operations: [there, gone, unasked] },
      new Map([
        [there.resource.urn, "dev,a-1"],
        [gone.resource.urn, undefined],
      ]),
    );
    expect(recovery?.state.resources?.map(({ urn, id }) => [urn, id])).to.deep.equal([
      [there.resource.urn, "dev,a-1"],
    ]);
    expect(recovery?.lost).to.deep.equal([unasked.resource]);
  });

  it("has a replacement deleted that came while the old one is still there", () => {
    const recovery = recoveryOf({
      resources: [role],
      pending_operations: [creating("aws:iam/role:Role", "other", { name: "other-fedcba9" })],
    });
    const [old, replacement] = recovery?.state.resources ?? [];
    expect(old).to.deep.equal(role);
    expect(replacement).to.include({ id: "other-fedcba9", delete: true });
  });

  it("does the same again where it was cut off itself, and nothing twice", () => {
    const pending = [creating("aws:iam/role:Role", "a", { name: "reader-89abcde" })];
    const first = recoveryOf({ resources: [role], pending_operations: pending });
    expect(first?.state.pending_operations).to.deep.equal(pending);
    const again = recoveryOf(first?.state ?? {});
    expect(again?.state.resources).to.deep.equal(first?.state.resources);
    expect(again?.lookedFor).to.deep.equal(first?.lookedFor);
  });

  it("drops the note of what was cut off at the end, and nothing else", () => {
    const state = {
      resources: [role],
      pending_operations: [creating("aws:iam/role:Role", "a", { name: "a" })],
    };
    expect(withoutPending(state)).to.deep.equal({ resources: [role], pending_operations: [] });
  });
});
