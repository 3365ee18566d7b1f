import type { V1Pod, V1ServiceAccount } from "@kubernetes/client-node";
import { expect } from "chai";
import { mutate } from "../../../local/eks/pod-identity-webhook.ts";

describe("the pod identity webhook", () => {
  const role = "arn:aws:iam::111122223333:role/app";
  const settings = { region: "eu-west-1", extraEnv: { AWS_ENDPOINT_URL: "http://10.244.0.1:1" } };
  const account = (more: Record<string, string> = {}): V1ServiceAccount => ({
    metadata: { annotations: { "eks.amazonaws.com/role-arn": role, ...more } },
  });
  const pod = (container: object = {}, annotations: Record<string, string> = {}): V1Pod => ({
    metadata: { annotations },
    spec: { containers: [{ name: "app", ...container }] },
  });
  const tokenOf = (patch: ReturnType<typeof mutate>) => {
    const volumes = patch.find((one) => one.path === "/spec/volumes")?.value as {
      projected: { sources: { serviceAccountToken: object }[] };
    }[];
    return volumes.at(-1)?.projected.sources[0]?.serviceAccountToken;
  };
  const envOf = (patch: ReturnType<typeof mutate>) =>
    Object.fromEntries(
      (
        (patch.find((one) => one.path === "/spec/containers/0/env")?.value ?? []) as {
          name: string;
          value: string;
        }[]
      ).map(({ name, value }) => [name, value]),
    );

  it("gives a pod the token, and the environment that SDKs look for", () => {
    const patch = mutate(pod(), account(), settings);
    expect(tokenOf(patch)).to.deep.equal({
      path: "token",
      audience: "sts.amazonaws.com",
      expirationSeconds: 86_400,
    });
    expect(envOf(patch)).to.deep.equal({
      AWS_ROLE_ARN: role,
      AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
      AWS_REGION: "eu-west-1",
      AWS_DEFAULT_REGION: "eu-west-1",
      AWS_STS_REGIONAL_ENDPOINTS: "regional",
      AWS_ENDPOINT_URL: "http://10.244.0.1:1",
    });
    expect(patch.find((one) => one.path === "/spec/containers/0/volumeMounts")?.value).to.deep.equal([
      {
        name: "aws-iam-token",
        mountPath: "/var/run/secrets/eks.amazonaws.com/serviceaccount",
        readOnly: true,
      },
    ]);
  });

  it("changes nothing without a role, or without the ServiceAccount", () => {
    expect(mutate(pod(), { metadata: {} }, settings)).to.deep.equal([]);
    expect(mutate(pod(), undefined, settings)).to.deep.equal([]);
  });

  it("follows the annotations of ServiceAccount and pod, the pod's first", () => {
    const asked = account({
      "eks.amazonaws.com/audience": "vault",
      "eks.amazonaws.com/token-expiration": "7200",
      "eks.amazonaws.com/sts-regional-endpoints": "false",
    });
    const patch = mutate(pod(), asked, settings);
    expect(tokenOf(patch)).to.deep.include({ audience: "vault", expirationSeconds: 7200 });
    expect(envOf(patch)).not.to.have.any.keys("AWS_STS_REGIONAL_ENDPOINTS");
    const own = pod({}, { "eks.amazonaws.com/token-expiration": "3600" });
    expect(tokenOf(mutate(own, asked, settings))).to.deep.include({ expirationSeconds: 3600 });
  });

  it("asks for no token shorter than Kubernetes gives, and for the default where a number is none", () => {
    const seconds = (text: string) =>
      tokenOf(mutate(pod(), account({ "eks.amazonaws.com/token-expiration": text }), settings));
    expect(seconds("60")).to.deep.include({ expirationSeconds: 600 });
    expect(seconds("soon")).to.deep.include({ expirationSeconds: 86_400 });
  });

  it("leaves a container its own variables, and one with its own role alone", () => {
    const region = mutate(pod({ env: [{ name: "AWS_REGION", value: "us-east-1" }] }), account(), settings);
    expect(envOf(region).AWS_REGION).to.equal("us-east-1");
    const own = mutate(pod({ env: [{ name: "AWS_ROLE_ARN", value: "mine" }] }), account(), settings);
    expect(own.some((one) => one.path.endsWith("/env"))).to.equal(false);
  });

  it("leaves out the containers that the pod names", () => {
    const skipping = pod({}, { "eks.amazonaws.com/skip-containers": "other, app" });
    expect(mutate(skipping, account(), settings)).to.deep.equal([]);
  });
});
