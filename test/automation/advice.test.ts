import { expect } from "chai";
import { explained, saidBy } from "../../automation/advice.ts";

describe("what a person reads of an error", () => {
  const urn = (type: string) => `urn:pulumi:dev::eks-irsa::eks-irsa:index:IrsaServiceAccount$${type}::app-x`;
  const role = urn("aws:iam/role:Role");
  const account = urn("kubernetes:core/v1:ServiceAccount");
  const namespace = urn("kubernetes:core/v1:Namespace");
  const deployment = urn("kubernetes:apps/v1:Deployment");

  it("names the resource and says what was said, where nothing better is known", () => {
    expect(explained({ urn: role, reason: "EntityAlreadyExists: it is there" })).to.equal(
      "aws:iam/role:Role app-x: EntityAlreadyExists: it is there",
    );
    expect(explained({ reason: "a bug" })).to.equal("a bug");
  });

  it("leaves out what only a log needs", () => {
    const reason = `creating ${role}: 1 error occurred:\n\t* creating IAM Role (x): operation error IAM: CreateRole, https response error StatusCode: 403, RequestID: 1-2, api error AccessDenied: User: me is not authorized to perform: iam:CreateRole\n\n`;
    expect(explained({ urn: role, reason })).to.equal(
      "aws:iam/role:Role app-x: creating IAM Role (x): AccessDenied: User: me is not authorized to perform: iam:CreateRole. " +
        "Have iam:CreateRole allowed to whom it names, then repeat it.",
    );
  });

  const cases: [reason: string, todo: RegExp, urn?: string][] = [
    ["ExpiredToken: The security token included in the request is expired", /Sign in to AWS .* again/],
    ["the SSO session has expired or is otherwise invalid", /Sign in to AWS .* again/],
    ["No valid credential sources found", /There are no AWS credentials\. Sign in/],
    ["failed to refresh cached credentials, no EC2 IMDS role found", /There are no AWS credentials/],
    ["User: x is not authorized to perform: eks:DescribeCluster on resource: y", /Have eks:DescribeCluster/],
    [
      'roles is forbidden: User "me" cannot create resource "roles" in API group ""',
      /may create roles bound to me/,
    ],
    ["the server has asked for the client to provide credentials", /give them an access entry/],
    ["InvalidParameterException: The specified principalArn is invalid: invalid principal.", /the whole ARN/],
    ["Cannot connect to the Docker daemon at unix:///var/run/docker.sock", /start it, or say in DOCKER_HOST/],
    ["configured Kubernetes cluster is unreachable: EOF", /must be reached from here/],
    ["dial tcp: lookup x.eks.amazonaws.com: no such host", /must be reached from here/],
    ['namespaces "a" not found', /^[^.]*There is no namespace a\. Make it/, account],
    ['namespaces "a" already exists', /already exists\. Set `createNamespace: false`/, namespace],
    ['serviceaccounts "a" already exists', /already exists\. Set `adopt: true`/, account],
    ['deployments.apps "a" already exists', /already exists\. It is not this stack's/],
    ["resource 'a/b' does not exist", /There is no ServiceAccount a\/b to adopt\. Make it/, account],
  ];
  for (const [reason, todo, of] of cases) {
    it(`says what to do about: ${reason}`, () => {
      expect(explained({ reason, ...(of && { urn: of }) })).to.match(todo);
    });
  }

  it("sends who waits for a pod to the scheduler, where no pod says anything", () => {
    const told = (...pods: string[]) =>
      explained({
        urn: deployment,
        reason: [
          "3 errors occurred:",
          "* the Kubernetes API server reported that \"a/b\" failed to fully initialize or become live: 'b' timed out waiting to be Ready",
          "* Minimum number of live Pods was not attained",
          ...pods,
        ].join("\n\t"),
      });
    expect(told()).to.match(/was not attained\. No pod of it says why.*reason=FailedScheduling` has/);
    const pod = "* [Pod a/b-1]: containers with unready status: [lister] -- [ImagePullBackOff] Back-off";
    expect(told(pod)).to.match(/Back-off$/);
  });

  it("of a resource that is none of those says no more than it was told", () => {
    const reason = "resource 'a/b' does not exist";
    expect(explained({ urn: role, reason })).to.equal(`aws:iam/role:Role app-x: ${reason}`);
  });

  it("takes the engine's sentence out of the call that failed", () => {
    expect(
      saidBy(
        "code: 255\n stdout: \n stderr: error: getting secrets manager: incorrect passphrase\n err?: Error: x\n",
      ),
    ).to.equal("getting secrets manager: incorrect passphrase");
    expect(saidBy("ENOSPC: no space left on device")).to.equal("ENOSPC: no space left on device");
  });
});
