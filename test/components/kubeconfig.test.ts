import { expect } from "chai";
import { type CredentialsArgs, kubeconfig } from "../../components/kubeconfig.ts";

describe("a kubeconfig", () => {
  const argumentsOf = (credentials?: CredentialsArgs): string =>
    JSON.parse(
      kubeconfig({
        cluster: "old",
        endpoint: "https://example.com",
        certificateAuthority: "Q0E=",
        region: "eu-central-1",
        credentials,
      }),
    ).users[0].user.exec.args.join(" ");
  const token = "--region eu-central-1 eks get-token --cluster-name old --output json";

  it("uses the caller's own credentials, or those of the profile and the role that it is told", () => {
    const roleArn = "arn:aws:iam::111122223333:role/ops";
    expect(argumentsOf()).to.equal(token);
    expect(argumentsOf({ profile: "ops" })).to.equal(`${token} --profile ops`);
    expect(argumentsOf({ profile: "ops", roleArn })).to.equal(`${token} --role-arn ${roleArn} --profile ops`);
  });
});
