import { decodeJwt } from "jose";
import { type Finding, holds, type Link, unseen } from "../chain.ts";
import { tokenOf } from "./pod.ts";

/** The token says what IAM and the role want to hear. It is one like the pod's, of the same API server. */
export const token: Link = {
  id: "token",
  title: "The token says the right things",
  async examine(seen, { kubernetes }, { namespace, serviceAccount }): Promise<Finding> {
    const { pod, issuer = "", audience = "" } = seen;
    const asked = pod && tokenOf(pod)?.token.audience;
    const mend = [
      `kubectl get pod --namespace ${namespace} ${pod?.name} -o jsonpath='{.spec.volumes[*].projected.sources[*].serviceAccountToken}'`,
      "Take a token volume of your own out of the pod's template: the webhook sets one with the right audience.",
    ];
    if (asked !== undefined && asked !== audience) {
      return {
        state: "broken",
        cause: "token-audience",
        what: "The pod's token is for another audience.",
        disagreement: {
          wanted: { name: "audience of the ServiceAccount", value: audience },
          found: { name: "audience of the pod's token", value: asked },
        },
        mend,
      };
    }
    const text = await kubernetes.token(namespace, serviceAccount, audience);
    if (text === undefined)
      return unseen("These credentials may not create a token (serviceaccounts/token).");
    const claims = decodeJwt(text);
    const sub = `system:serviceaccount:${namespace}:${serviceAccount}`;
    const wrong = [
      { claim: "iss", wanted: issuer, found: claims.iss ?? "" },
      { claim: "sub", wanted: sub, found: claims.sub ?? "" },
      { claim: "aud", wanted: audience, found: [claims.aud ?? ""].flat().join(", ") },
    ].find(({ wanted, found }) => wanted !== found);
    if (wrong) {
      return {
        state: "broken",
        cause: `token-${wrong.claim}`,
        what: `The token's ${wrong.claim} is not what it should be.`,
        disagreement: {
          wanted: { name: wrong.claim, value: wrong.wanted },
          found: { name: `${wrong.claim} of the token`, value: wrong.found },
        },
        mend,
      };
    }
    seen.token = text;
    return holds(`iss ${claims.iss}`, `sub ${claims.sub}`, `aud ${[claims.aud].flat().join(", ")}`);
  },
};

/** STS itself gives credentials for such a token. They are dropped at once. */
export const sts: Link = {
  id: "sts",
  title: "STS gives credentials for it",
  async examine(seen, world, { sessionSeconds }): Promise<Finding> {
    if (seen.token === undefined) return unseen("There is no token to ask with.");
    const answer = await world.sts.assume(seen.roleArn ?? "", seen.token, sessionSeconds);
    if (answer.admitted) return holds(answer.arn);
    return {
      state: "broken",
      cause: "sts-refused",
      what: `STS refuses the token, though all before looks right: ${answer.code}: ${answer.message}`,
      mend: [
        "Look at conditions of the trust policy that only STS can judge, and at service control policies of the organization.",
        "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity",
      ],
    };
  },
};
