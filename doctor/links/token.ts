import { decodeJwt } from "jose";
import {
  type Broken,
  type CredentialSource,
  disagreement,
  holds,
  type Link,
  type Patient,
  unseen,
} from "../chain.ts";
import type { Pod } from "../world.ts";
import { tokenOf } from "./readable.ts";

/** Audience of the token that EKS Pod Identity's agent takes. */
const podIdentityAudience = "pods.eks.amazonaws.com";

/** The token says what IAM and the role want to hear. It is one like the pod's, of the same API server. */
export const token: Link<"pod" | "sources" | "issuer" | "audience", "token"> = {
  id: "token",
  title: "The token says the right things",
  needs: ["pod", "sources", "issuer", "audience"],
  gives: ["token"],
  async examine({ pod, sources, issuer, audience }, { kubernetes }, patient) {
    const other = otherAudience(sources, pod, audience, "audience of the ServiceAccount", patient);
    if (other) return other;
    const { namespace, serviceAccount } = patient;
    const text = await kubernetes.token(namespace, serviceAccount, audience);
    if (text === undefined) {
      return unseen("These credentials may not create a token.", "Rights to create serviceaccounts/token.");
    }
    const claims = decodeJwt(text);
    const said = { iss: claims.iss, sub: claims.sub, aud: [claims.aud ?? []].flat().join(", ") };
    const wanted = {
      iss: issuer,
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
      aud: audience,
    };
    for (const claim of ["iss", "sub", "aud"] as const) {
      if (said[claim] === wanted[claim]) continue;
      return {
        state: "broken",
        cause: `token-${claim}`,
        what: `The token's ${claim} is not what it should be.`,
        disagreement: disagreement(claim, wanted[claim], `${claim} of the token`, said[claim] || "none"),
        ...lookAtVolume(pod, patient),
      };
    }
    return holds({ token: text }, `iss ${said.iss}`, `sub ${said.sub}`, `aud ${said.aud}`);
  },
};

/** The token that the agent is shown is for the agent. */
export const podIdentityToken: Link<"pod" | "sources", never> = {
  id: "token",
  title: "The token is for the agent",
  needs: ["pod", "sources"],
  gives: [],
  async examine({ pod, sources }, _, patient) {
    const audience = podIdentityAudience;
    const other = otherAudience(sources, pod, audience, "audience that the agent takes", patient);
    return other ?? holds({}, `aud ${audience}`);
  },
};

function otherAudience(
  sources: readonly CredentialSource[],
  pod: Pod,
  audience: string,
  wanted: string,
  patient: Patient,
): Broken | undefined {
  for (const source of sources) {
    const found = tokenOf(source, pod)?.audience;
    if (found === undefined || found === audience) continue;
    return {
      state: "broken",
      cause: "token-audience",
      what: `The token of ${source.container.name} is for another audience.`,
      disagreement: disagreement(wanted, audience, "audience of the pod's token", found),
      ...lookAtVolume(pod, patient),
    };
  }
  return undefined;
}

const lookAtVolume = (pod: Pod, { namespace }: Patient) => ({
  mend: [] as const,
  advice: [
    "Take a token volume of your own out of the pod's template: the webhook sets one with the right audience.",
    "Where the ServiceAccount's audience was changed since, make the pod anew.",
  ],
  look: [
    `kubectl get pod --namespace ${namespace} ${pod.name} -o jsonpath='{.spec.volumes[*].projected.sources[*].serviceAccountToken}'`,
  ],
});

/** STS itself gives credentials for such a token. They never leave the session. */
export const sts: Link<"roleArn" | "token", "session"> = {
  id: "sts",
  title: "STS gives credentials for it",
  needs: ["roleArn", "token"],
  gives: ["session"],
  async examine({ roleArn, token }, { sts }, { sessionSeconds }) {
    const answer = await sts.assume(roleArn, token, sessionSeconds);
    if (answer.admitted) return holds({ session: answer.session }, answer.session.arn);
    return {
      state: "broken",
      cause: "sts-refused",
      what: `STS refuses the token: ${answer.code}: ${answer.message}`,
      mend: [],
      advice: [
        `Links above that could not be looked at are the first to look into, with credentials of the account ${roleArn.split(":")[4]}.`,
        "Where all of them hold: conditions of the trust policy that only STS can judge, and service control policies of the organization.",
      ],
      look: [
        "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity",
      ],
    };
  },
};
