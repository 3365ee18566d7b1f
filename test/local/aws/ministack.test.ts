import { expect } from "chai";
import { miniStack, pythonDataPackages, pythonPackages } from "../../../local/aws/ministack.ts";

describe("miniStack", () => {
  const { command, args, env, url } = miniStack({
    venv: "/v",
    port: 4566,
    folder: "/f",
    region: "eu-central-1",
  });

  it("runs on loopback only, with authentication, and without Docker", () => {
    expect(url).to.equal("http://127.0.0.1:4566");
    expect(command).to.equal("/v/bin/python");
    expect(args[0]).to.match(/local\/aws\/ministack-with-policies\.py$/);
    expect(env).to.include({
      BIND_HOST: "127.0.0.1",
      AUTH: "true",
      IOT_MTLS_ENABLED: "0",
      SFTP_ENABLED: "0",
      DOCKER_HOST: "unix:///nonexistent",
      MINISTACK_ACCOUNT_ID: "000000000000",
      MINISTACK_REGION: "eu-central-1",
    });
  });

  it("takes nothing from the caller's environment", () => {
    expect(env).not.to.have.any.keys("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SERVICES", "USE_SSL");
  });

  it("pins every package", () => {
    for (const name of [...pythonPackages, ...pythonDataPackages]) expect(name).to.match(/^[a-z]+==[\d.]+$/);
  });
});
