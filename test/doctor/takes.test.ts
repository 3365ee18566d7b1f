import { expect } from "chai";
import { takesFor } from "../../doctor/takes.ts";

describe("what it would take", () => {
  const cases: [why: string, takes: RegExp][] = [
    ["Could not load credentials from any providers", /^AWS credentials: sign in/],
    ["Could not resolve credentials using profile: [nope]", /^AWS credentials: sign in/],
    ["The security token included in the request is expired", /^Credentials that have not expired/],
    ["ExpiredTokenException", /^Credentials that have not expired/],
    [
      "User: arn:aws:iam::111122223333:user/me is not authorized to perform: iam:GetRole on resource: role x",
      /^Rights for iam:GetRole\.$/,
    ],
    [
      'Kubernetes: pods is forbidden: User "me" cannot list resource "pods" in API group ""',
      /^Rights to list pods in the cluster\.$/,
    ],
    ["Kubernetes: Unauthorized", /^Credentials that the cluster knows/],
    ["connect ECONNREFUSED 10.0.0.1:443", /^A way from here/],
    ["getaddrinfo ENOTFOUND x.eks.amazonaws.com", /^A way from here/],
    ["spawn aws ENOENT", /^The command that the kubeconfig names: aws\.$/],
    ["something else", /^Credentials that may ask this, and a way/],
  ];
  for (const [why, takes] of cases) {
    it(`where the answer is: ${why}`, () => {
      expect(takesFor(why)).to.match(takes);
    });
  }
});
