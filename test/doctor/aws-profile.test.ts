import { expect } from "chai";
import { awsConfig } from "../../components/pod-additions.ts";
import { profilesOf, wayOf } from "../../doctor/aws-profile.ts";

const way = (text: string, profile = "x") => wayOf(profilesOf(text), profile);

describe("the doctor's reading of an AWS configuration", () => {
  const roleArn = "arn:aws:iam::111122223333:role/app";
  const target = "arn:aws:iam::222233334444:role/next";

  it("follows what `chain` gives a pod", () => {
    const { data } = awsConfig({ roleArn, target, externalId: "x1" });
    expect(way(data.config ?? "", "chained")).to.deep.equal({
      kind: "assume",
      roleArn: target,
      externalId: "x1",
      source: {
        kind: "web identity",
        roleArn,
        tokenFile: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
      },
    });
  });

  it("takes comments, spaces and both spellings of a profile's name as SDKs do", () => {
    const text = `# role_arn = none\n[ profile x ]\n  role_arn = nested\nROLE_ARN=${target} # next\r\nsource_profile = y\n[y]\nrole_arn=${roleArn}\nweb_identity_token_file=/t`;
    expect(way(text)).to.deep.include({ kind: "assume", roleArn: target });
    expect(way(`[default]\nrole_arn=${roleArn}\nweb_identity_token_file=/t`, "default").kind).to.equal(
      "web identity",
    );
  });

  it("says of each other source what it is", () => {
    const kinds: [text: string, expected: object][] = [
      ["[profile y]\nregion = eu-west-1", { kind: "missing", profile: "x" }],
      ["[profile x]\nregion = eu-west-1", { kind: "nothing" }],
      ["[profile x]\naws_access_key_id = AKIA", { kind: "keys", profile: "x" }],
      [
        `[profile x]\nrole_arn = ${target}\nsource_profile = z`,
        {
          kind: "assume",
          roleArn: target,
          source: { kind: "missing", profile: "z" },
        },
      ],
      [
        `[profile x]\nrole_arn = ${target}\ncredential_source = EcsContainer`,
        {
          kind: "assume",
          roleArn: target,
          source: { kind: "container" },
        },
      ],
      [
        `[profile x]\nrole_arn = ${target}\ncredential_source = Environment`,
        {
          kind: "assume",
          roleArn: target,
          source: { kind: "other", what: "credential_source = Environment" },
        },
      ],
      [
        `[profile x]\nrole_arn = ${target}\nsource_profile = x`,
        {
          kind: "assume",
          roleArn: target,
          source: { kind: "other", what: "source_profile = x, in a circle" },
        },
      ],
      [
        `[profile x]\nrole_arn = ${target}\nsource_profile = x\naws_access_key_id = AKIA`,
        {
          kind: "assume",
          roleArn: target,
          source: { kind: "keys", profile: "x" },
        },
      ],
      ["[profile x]\ncredential_process = /bin/false", { kind: "other", what: "credential_process" }],
      [
        `[profile x]\nrole_arn = ${target}`,
        {
          kind: "other",
          what: "the profile x has a role_arn, and not whose credentials ask for it",
        },
      ],
    ];
    for (const [text, expected] of kinds) expect(way(text), text).to.deep.equal(expected);
    expect(way("", "default")).to.deep.equal({ kind: "nothing" });
  });
});
