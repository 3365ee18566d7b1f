import { expect } from "chai";
import { listBuckets } from "../../iam/policies.ts";
import {
  allow,
  associated,
  association,
  cause,
  findingOf,
  look,
  pod,
  policy,
  refusal,
  role,
  roleArn,
  session,
  states,
  unseenOf,
  withPod,
  world,
} from "./captured.ts";

describe("the doctor", () => {
  it("finds a whole chain of IRSA healthy, every link looked at", async () => {
    const diagnosis = await look();
    expect(diagnosis).to.include({ state: "healthy", chain: "irsa" });
    expect(diagnosis.links.map(({ id, finding }) => `${id} ${finding.state}`)).to.deep.equal([
      ...["cluster holds", "service-account holds", "issuer holds", "role holds", "oidc-provider holds"],
      ...["trust holds", "session holds", "pod holds", "injection holds", "readable holds", "token holds"],
      ...["sts holds", "permissions holds", "sdk holds"],
    ]);
  });

  it("finds a whole chain of EKS Pod Identity healthy, and says nothing of a missing annotation", async () => {
    const diagnosis = await look(associated());
    expect(diagnosis).to.include({ state: "healthy", chain: "pod-identity" });
    expect(diagnosis.links.map(({ id, finding }) => `${id} ${finding.state}`)).to.deep.equal([
      ...["cluster holds", "service-account holds", "role holds", "trust holds", "pod holds", "agent holds"],
      ...["injection holds", "readable holds", "token holds", "permissions holds", "sdk holds"],
    ]);
  });

  it("asks of what the role may do only where an action is named", async () => {
    const diagnosis = await look({}, { actions: [] });
    expect(diagnosis.state).to.equal("healthy");
    expect(states(diagnosis)).not.to.have.property("permissions");
  });

  it("stops at the first broken link, and says which were not reached", async () => {
    const diagnosis = await look({ iam: { role: async () => undefined } });
    expect(diagnosis.state).to.equal("broken");
    expect(diagnosis.links.map(({ finding }) => finding.state)).to.deep.equal([
      ...["holds", "holds", "holds", "broken"],
      ...Array.from({ length: 10 }, () => "not reached"),
    ]);
  });

  it("calls nothing broken or healthy that it may not look at", async () => {
    const refuse = async (): Promise<never> => {
      throw new Error("User is not authorized to perform: iam:ListRolePolicies");
    };
    const diagnosis = await look({ iam: { policies: refuse } });
    expect(diagnosis.state).to.equal("unseen");
    expect(unseenOf(diagnosis, "permissions").why).to.contain("iam:ListRolePolicies");
  });

  it("says of every link on what it rests where already the cluster could not be looked at", async () => {
    const refuse = async (): Promise<never> => {
      throw new Error("Unauthorized");
    };
    const { state, links } = await look({ kubernetes: { version: refuse } });
    expect(state).to.equal("unseen");
    for (const { id, finding } of links.slice(1)) {
      expect(finding, id).to.include({ state: "unseen", why: 'It rests on "The cluster can be reached".' });
    }
  });

  it("never hands out the token or the session", async () => {
    const text = JSON.stringify(await look());
    expect(text).not.to.contain(await world().kubernetes.token("team-a", "reader", "sts.amazonaws.com"));
    expect(text).not.to.contain("proved");
  });

  describe("with a role of another account than the credentials", () => {
    const other = "222233334444";
    const arn = `arn:aws:iam::${other}:role/reader`;
    const kubernetes = {
      serviceAccount: async () => ({ annotations: { "eks.amazonaws.com/role-arn": arn } }),
      pods: async () => [
        {
          ...pod,
          containers: pod.containers.map((one) => ({ ...one, env: { ...one.env, AWS_ROLE_ARN: arn } })),
        },
      ],
    };

    it("lets STS's answer decide: admitted, the provider, role and trust there are as they should be", async () => {
      const diagnosis = await look({ kubernetes }, { actions: [] });
      expect(diagnosis.state).to.equal("healthy");
      expect(findingOf(diagnosis, "oidc-provider")).to.deep.equal({
        state: "holds",
        evidence: ["shown by: arn:aws:sts::111122223333:assumed-role/reader/x"],
      });
    });

    it("says whose credentials it takes for what STS does not show", async () => {
      const diagnosis = await look({ kubernetes });
      expect(diagnosis.state).to.equal("unseen");
      expect(unseenOf(diagnosis, "permissions").takes).to.equal(
        `Credentials of the account ${other}: --role-profile PROFILE.`,
      );
    });

    it("refused, gives no mend for the wrong account", async () => {
      const diagnosis = await look({ kubernetes, sts: { assume: async () => refusal } });
      expect(unseenOf(diagnosis, "role").why).to.equal(
        `The role is of the account ${other}, these credentials are of 111122223333.`,
      );
      const sts = findingOf(diagnosis, "sts");
      expect(sts).to.deep.include({ state: "broken", cause: "sts-refused", mend: [] });
      expect(JSON.stringify(sts)).to.contain(other);
    });
  });

  describe("with a role that the workload goes on to assume", () => {
    const target = "arn:aws:iam::222233334444:role/invoices";
    const mayAssume = {
      policies: async () => [{ name: "assume", document: policy(allow("sts:*", target)) }],
    };
    const trusting = {
      ...role,
      name: "invoices",
      arn: target,
      trustPolicy: policy({ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: roleArn } }),
    };
    const targetIam = {
      accountId: async () => "222233334444",
      role: async () => trusting,
      policies: async () => [{ name: "list", document: JSON.stringify(listBuckets.document) }],
    };
    const assume = { assume: async () => session("first", session("second")) };

    it("walks both hops, and judges what the second role may do", async () => {
      const diagnosis = await look({ iam: mayAssume, targetIam, sts: assume }, { assumeRole: target });
      expect(diagnosis.state).to.equal("healthy");
      expect(diagnosis.links.slice(12).map(({ id }) => id)).to.deep.equal([
        ...["target-role", "may-assume", "target-trust", "target-sts", "permissions", "sdk"],
      ]);
    });

    it("walks them from an association that names it", async () => {
      const to = { ...association, targetRoleArn: target };
      const trustPolicy = policy({
        Effect: "Allow",
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Principal: { AWS: roleArn },
      });
      const change = associated({ eks: { association: async () => to } });
      const diagnosis = await look({
        ...change,
        iam: { ...change.iam, ...mayAssume },
        targetIam: { ...targetIam, role: async () => ({ ...trusting, trustPolicy }) },
      });
      expect(diagnosis.state, JSON.stringify(diagnosis.links)).to.equal("healthy");
      expect(
        await cause({ ...change, iam: { ...change.iam, ...mayAssume }, targetIam }, { pod: pod.name }),
      ).to.equal("trust-tag-session");
    });
  });

  it("of a ServiceAccount without pods that run says nothing of what only a pod shows", async () => {
    const diagnosis = await look({
      kubernetes: {
        pods: async () => [],
        workloads: async () => [{ kind: "cronjob", name: "nightly", serviceAccount: "reader" }],
      },
    });
    expect(diagnosis.state).to.equal("unseen");
    expect(findingOf(diagnosis, "sts").state).to.equal("unseen");
    expect(unseenOf(diagnosis, "sdk").takes).to.contain("--from=cronjob/nightly");
  });

  it("judges a pod of a ServiceAccount with both by its association", async () => {
    const { kubernetes, ...rest } = associated();
    const diagnosis = await look({
      ...rest,
      kubernetes: { ...kubernetes, serviceAccount: world().kubernetes.serviceAccount },
    });
    expect(diagnosis).to.include({ state: "healthy", chain: "pod-identity" });
  });

  it("judges by its annotation a pod that takes that although there is an association: so workloads move over", async () => {
    const { kubernetes, iam, ...rest } = associated();
    const own = world().kubernetes;
    const change = {
      ...rest,
      iam: { ...iam, role: async () => role },
      kubernetes: { ...kubernetes, serviceAccount: own.serviceAccount, pods: own.pods },
    };
    const diagnosis = await look(change);
    expect(diagnosis).to.include({ state: "healthy", chain: "irsa" });
    expect(diagnosis.links.map(({ id }) => id)).to.deep.equal([
      ...["cluster", "service-account", "pod", "issuer", "role", "oidc-provider", "trust", "session"],
      ...["injection", "readable", "token", "sts", "permissions", "sdk"],
    ]);
    // With another role than the association's it is not what new pods get.
    const other = {
      ...change,
      eks: { ...change.eks, association: async () => ({ ...association, roleArn: `${roleArn}-2` }) },
    };
    expect((await look(other)).chain).to.equal("pod-identity");
  });

  it("names the pod in a chain that it was told to look at", async () => {
    expect(await cause(withPod({ serviceAccount: "other" }), { pod: pod.name })).to.equal(
      "pod-service-account",
    );
  });
});
