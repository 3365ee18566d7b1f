import { expect } from "chai";
import { errorsOf, parse } from "./config-parsing.ts";

// Inputs from public threads, each reduced to its smallest; what one shows is refused or taken as a kind.

describe("configurations of people who do this job", () => {
  const existing = { app: "none", cluster: { name: "my-cluster", existing: true } };
  const binding = (more: object) => ({
    ...existing,
    bindings: [{ namespace: "team-a", serviceAccount: "app", ...more }],
  });
  const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
  const inline = (...Statement: object[]) => binding({ policies: [{ Version: "2012-10-17", Statement }] });
  const roleArn = "arn:aws:iam::111122223333:role/r";
  const policyArn = "arn:aws:iam::111122223333:policy/team/read";
  const subjects = Array.from({ length: 40 }, (_, index) => ({
    namespace: "team-namespace",
    serviceAccount: `application-${index}`,
  }));
  const tags = (count: number, prefix = "key") =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}-${index}`, "x"]));
  const managed = (count: number) => Array.from({ length: count }, (_, index) => `Policy${index}`);
  const at = "eks-irsa:bindings[0]";

  const refused: [what: string, config: Record<string, unknown>, ...errors: (string | RegExp)[]][] = [
    [
      "annotations that have keys of their own",
      binding({ annotations: { "eks.amazonaws.com/sts-regional-endpoints": "true" } }),
      `${at}.annotations["eks.amazonaws.com/sts-regional-endpoints"] holds "true"; stsRegionalEndpoints sets it; use that key`,
    ],
    [
      "policies of a role that is there",
      binding({ role: { arn: roleArn }, policies: ["A"] }),
      `${at}.policies holds ["A"]; a role that is there`,
    ],
    [
      "roleOnly with a role that is there",
      binding({ role: { arn: roleArn }, roleOnly: true }),
      `${at}.roleOnly holds true; with a role`,
    ],
    [
      "other subjects of a role that is there",
      binding({ role: { arn: roleArn }, otherSubjects: subjects.slice(0, 1) }),
      `${at}.otherSubjects holds`,
    ],
    ["roleOnly and adopt", binding({ roleOnly: true, adopt: true }), `${at}.adopt holds true; with roleOnly`],
    [
      "an audience of Pod Identity",
      binding({ identity: "pod-identity", audience: "x" }),
      `${at}.audience holds "x"; EKS Pod Identity has no audience`,
    ],
    [
      "what is for a web identity token, of Pod Identity",
      binding({ identity: "pod-identity", tokenExpirationSeconds: 3600, stsRegionalEndpoints: false }),
      `${at}.tokenExpirationSeconds holds 3600; it is for a web identity token, which EKS Pod Identity does not use`,
      `${at}.stsRegionalEndpoints holds false; it is for a web identity token`,
    ],
    [
      "what is for the ServiceAccount, of a role alone",
      binding({
        roleOnly: true,
        labels: { a: "b" },
        annotations: { a: "b" },
        tokenExpirationSeconds: 3600,
      }),
      `${at}.labels holds {"a":"b"}; it is for the ServiceAccount, which roleOnly leaves to others`,
      `${at}.annotations holds {"a":"b"}; it is for the ServiceAccount`,
      `${at}.tokenExpirationSeconds holds 3600; it is for the ServiceAccount`,
    ],
    [
      "policies of two bindings that come to one resource",
      {
        ...existing,
        bindings: [
          {
            namespace: "a",
            serviceAccount: "b",
            policies: ["A", { name: "c-x", document: { Statement: statement } }],
          },
          {
            namespace: "a",
            serviceAccount: "b-c",
            policies: [{ name: "x", document: { Statement: statement } }],
          },
        ],
      },
      /^eks-irsa:bindings\[1\]\.policies\[0\] holds .*it comes to the resource a\.b-c-x, as eks-irsa:bindings\[0\]\.policies\[1\] does/,
    ],
    [
      "two associations of one ServiceAccount",
      {
        ...existing,
        bindings: [
          {
            namespace: "a",
            serviceAccount: "b",
            identity: "pod-identity",
            otherSubjects: ["d", "e"].map((serviceAccount) => ({ namespace: "c", serviceAccount })),
          },
          { namespace: "c", serviceAccount: "d", identity: "pod-identity" },
          {
            namespace: "a",
            serviceAccount: "f",
            identity: "pod-identity",
            otherSubjects: [{ namespace: "c", serviceAccount: "e" }],
          },
        ],
      },
      `${at}.otherSubjects[0] holds {"namespace":"c","serviceAccount":"d"}; eks-irsa:bindings[1] is for c/d already, and EKS takes one association each`,
      'eks-irsa:bindings[2].otherSubjects[0] holds {"namespace":"c","serviceAccount":"e"}; eks-irsa:bindings[0].otherSubjects[1] is for c/e already',
    ],
    [
      "the policy of a chain that comes to another binding's resource",
      {
        ...existing,
        bindings: [
          {
            namespace: "a",
            serviceAccount: "b",
            policies: [{ name: "c-assume-role", document: { Statement: statement } }],
          },
          { namespace: "a", serviceAccount: "b-c", chain: { role: roleArn } },
        ],
      },
      /^eks-irsa:bindings\[1\]\.chain holds .*it comes to the resource a\.b-c-assume-role, as eks-irsa:bindings\[0\]\.policies\[0\] does/,
    ],
    [
      "a hundredth audience of a provider that is made here",
      {
        bindings: Array.from({ length: 101 }, (_, index) => ({
          namespace: "a",
          serviceAccount: `b-${index}`,
          audience: index === 0 ? "sts.amazonaws.com" : `audience-${index}`,
        })),
      },
      'eks-irsa:bindings[100].audience holds "audience-100"; the cluster\'s OIDC provider takes 99 audiences',
    ],
    [
      "a token of the Kubernetes API for a ServiceAccount that is another's",
      binding({ adopt: true, automountToken: true }),
      `${at}.automountToken holds true; the ServiceAccount is another's`,
    ],
    [
      "a policy of a service's own role",
      binding({
        policies: [
          "aws-service-role/AmazonEKSServiceRolePolicy",
          "arn:aws:iam::aws:policy/aws-service-role/AmazonElasticFileSystemServiceRolePolicy",
        ],
      }),
      /policies\[0\] holds .*; it is for a service's own role \(service-linked\)/,
      /policies\[1\] holds .*; it is for a service's own role/,
    ],
    [
      "keys of conditions that are of no service, and ARNs of no partition",
      inline(
        { ...statement, Condition: { IpAddress: { SourceIp: "192.0.2.0/24" } } },
        { ...statement, Resource: `arn:${"$"}{Partition}:s3:::b` },
      ),
      `${at}.policies[0].Statement[0].Condition.IpAddress.SourceIp holds "192.0.2.0/24"; its key must be one with its service`,
      `${at}.policies[0].Statement[1].Resource holds "arn:\${Partition}:s3:::b"; it must be an ARN`,
    ],
    [
      "a bundle by another spelling",
      binding({ policies: [{ bundle: "externaldns" }] }),
      /policies\[0\]\.bundle holds "externaldns"; there is no such bundle; .*; do you mean external-dns\?/,
    ],
    [
      "an image by no name of one",
      { toolbox: "Maven:3.9" },
      'eks-irsa:toolbox holds "Maven:3.9"; it must be true',
    ],
    [
      "a pattern under Pod Identity",
      binding({
        identity: "pod-identity",
        otherSubjects: [{ namespace: { matching: "team-*" }, serviceAccount: "app" }],
      }),
      `${at}.otherSubjects[0] holds {"namespace":{"matching":"team-*"},"serviceAccount":"app"}; an association of EKS Pod Identity is for one ServiceAccount`,
    ],
    [
      "a session policy beside session tags",
      binding({ identity: "pod-identity", session: { policy: { Statement: statement } } }),
      `${at}.session.disableTags is not set; it must be true: AWS takes a session policy for sessions without tags only`,
    ],
    [
      "a target role under IRSA, and a chain under Pod Identity",
      {
        ...existing,
        bindings: [
          { namespace: "a", serviceAccount: "b", targetRole: { arn: roleArn } },
          { namespace: "a", serviceAccount: "c", chain: { role: roleArn }, identity: "pod-identity" },
        ],
      },
      `${at}.targetRole holds {"arn":"${roleArn}"}; only EKS Pod Identity`,
      `eks-irsa:bindings[1].chain holds {"role":"${roleArn}"}; EKS Pod Identity assumes the second role itself`,
    ],
    [
      "the lister's target of another partition",
      {
        identity: "pod-identity",
        targetRole: { arn: "arn:aws-cn:iam::111122223333:role/r" },
      },
      `eks-irsa:targetRole.arn holds "arn:aws-cn:iam::111122223333:role/r"; it must be of the region's partition (arn:aws:...), since`,
    ],
    [
      "a migration of something else",
      binding({ identity: { mechanism: "pod-identity", migrate: true } }),
      `${at}.identity.migrate holds true; there is no such key; there are mechanism, migrating`,
    ],
    [
      "an admission that there is not",
      binding({ admission: "enforce" }),
      `${at}.admission holds "enforce"; it must be one of open, enforced`,
    ],
    [
      "another cluster that IRSA cannot admit",
      { ...binding({}), otherClusters: [{ name: "old" }] },
      `eks-irsa:otherClusters[0].oidcProviderArn is not set; IRSA admits a cluster by it`,
    ],
    [
      "more clusters than a trust policy has room for",
      {
        ...binding({}),
        otherClusters: Array.from({ length: 5 }, (_, index) => ({
          name: `c${index}`,
          oidcProviderArn: `arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/${"A".repeat(31)}${index}`,
        })),
      },
      /^eks-irsa:otherClusters holds .*; for the role of team-a\/app, the trust policy has \d+ characters; .* room for \d of its 6 clusters/,
    ],
    [
      "two descriptions",
      binding({ description: "a", role: { description: "b" } }),
      `${at}.description holds "a"; there is a role.description already`,
    ],
    [
      "the lister's own ServiceAccount in a binding",
      { bindings: [{ namespace: "s3-irsa", serviceAccount: "s3-irsa" }] },
      `${at} holds {"namespace":"s3-irsa","serviceAccount":"s3-irsa"}; the lister itself is for s3-irsa/s3-irsa already`,
    ],
    [
      "role names that differ in case only",
      {
        role: { name: "Reader" },
        bindings: [
          { namespace: "a", serviceAccount: "b", role: { name: "reader" } },
          { namespace: "a", serviceAccount: "c", role: { name: "x" } },
          { namespace: "a", serviceAccount: "d", role: { name: "X" } },
        ],
      },
      `${at}.role.name holds "reader"; eks-irsa:role.name is this name already`,
      'eks-irsa:bindings[2].role.name holds "X"; eks-irsa:bindings[1].role.name is this name already',
    ],
    [
      "a statement id with a dash",
      inline({ ...statement, Sid: "some-doc" }),
      `${at}.policies[0].Statement[0].Sid holds "some-doc"; it must be letters and digits only`,
    ],
    [
      "a statement id that is a number",
      inline({ ...statement, Sid: 1 }),
      `${at}.policies[0].Statement[0].Sid holds 1`,
    ],
    [
      "a statement id twice",
      inline({ ...statement, Sid: "a" }, statement, { ...statement, Sid: "a" }),
      `${at}.policies[0].Statement[2].Sid holds "a"; Statement[0] has this Sid already`,
    ],
    [
      "empty lists, and conditions that are none",
      inline(
        { ...statement, Resource: [] },
        { ...statement, Action: [] },
        { ...statement, Condition: [] },
        { ...statement, Condition: "x" },
        { ...statement, Condition: { StringEqual: { a: "b" } } },
        { ...statement, Condition: { StringEquals: { a: { b: "c" } } } },
      ),
      `${at}.policies[0].Statement[0].Resource holds []; it must be an ARN`,
      `${at}.policies[0].Statement[1].Action holds []; it must be an action`,
      `${at}.policies[0].Statement[2].Condition holds []; it must be a map of operators`,
      `${at}.policies[0].Statement[3].Condition holds "x"; it must be a map of operators`,
      `${at}.policies[0].Statement[4].Condition.StringEqual holds {"a":"b"}; IAM has no such operator, do you mean StringEquals?`,
      `${at}.policies[0].Statement[5].Condition.StringEquals.a holds {"b":"c"}; it must be text`,
    ],
    [
      "typographic quotes in a document, an audience, or a bundle",
      binding({
        audience: "\u201cvault\u201d",
        policies: [
          {
            name: "a",
            document: {
              Statement: [
                { ...statement, Resource: ["*", "arn:aws:s3:::b/\u2019"] },
                { ...statement, Condition: { StringLike: { "s3:prefix": "\u017e", "s3:\u017e": "a" } } },
              ],
            },
          },
          {
            bundle: "external-secrets",
            secrets: ["arn:aws:secretsmanager:eu-central-1:111122223333:secret:\u2019*"],
          },
        ],
      }),
      `${at}.policies[0].document.Statement[0].Resource[1] holds "arn:aws:s3:::b/\u2019"; it must be text of Latin-1`,
      `${at}.policies[0].document.Statement[1].Condition.StringLike.s3:prefix holds "\u017e"; it must be text of Latin-1`,
      `${at}.policies[0].document.Statement[1].Condition.StringLike.s3:\u017e holds "a"; it must be text of Latin-1`,
      `${at}.policies[1].secrets holds`,
      `${at}.audience holds "\u201cvault\u201d"; it must be 1 to 255 characters of Latin-1`,
    ],
    [
      "a resource that is no ARN",
      inline({ ...statement, Resource: "arn:aws:s3:b" }),
      `${at}.policies[0].Statement[0].Resource holds "arn:aws:s3:b"`,
    ],
    [
      "a name for an ARN",
      binding({ policies: [{ name: "a", arn: "AWSLoadBalancerControllerIAMPolicy" }] }),
      `${at}.policies[0].arn holds "AWSLoadBalancerControllerIAMPolicy"; it must be the ARN of a policy`,
    ],
    [
      "a file that is not there",
      binding({ policies: [{ name: "a", file: "no-such.json" }] }),
      /policies\[0\]\.file holds "no-such\.json"; it cannot be read: ENOENT/,
    ],
    [
      "a file that is no policy",
      binding({ policies: [{ name: "a", file: ".mocharc.json" }] }),
      /policies\[0\]\.file holds "\.mocharc\.json"; in it Statement is not set/,
      /in it spec holds/,
      /in it extension holds/,
      /in it timeout holds/,
    ],
    [
      "what AWS prints around a policy",
      binding({ policies: [{ name: "a", document: { PolicyDocument: { Statement: statement } } }] }),
      /document\.Statement is not set/,
      /document\.PolicyDocument holds .*what AWS prints around a policy; give the document in it alone/,
    ],
    [
      "JSON text that says a thing twice, of which only the last would count",
      binding({
        policies: [
          {
            name: "a",
            document: `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"a":"{"}},"Condition":{}}}`,
          },
        ],
      }),
      /policies\[0\]\.document holds .*; it has Condition twice in one map: only the last would count/,
    ],
    [
      "JSON text that is broken",
      binding({ policies: [{ name: "a", document: "{" }] }),
      /policies\[0\]\.document holds "\{"; it is no JSON: .*position 1/,
    ],
    [
      "eleven managed policies",
      binding({ policies: managed(11) }),
      `${at}.policies[10] holds "Policy10"; a role takes 10 managed policies by default, and this is number 11.`,
    ],
    [
      "twelve where eleven are allowed",
      { ...binding({ policies: managed(12) }), quotas: { managedPoliciesPerRole: 11 } },
      `${at}.policies[11] holds "Policy11"; a role takes 11`,
    ],
    [
      "a managed document that counts among them",
      binding({
        policies: [...managed(10), { name: "own", document: { Statement: statement }, attach: "managed" }],
      }),
      `${at}.policies[10] holds`,
    ],
    [
      "a managed document that is too long",
      binding({
        policies: [
          {
            name: "own",
            document: { Statement: { ...statement, Sid: "x".repeat(6200) } },
            attach: "managed",
          },
        ],
      }),
      /policies\[0\] holds .*; it has \d+ characters; IAM takes 6144 in a managed policy/,
    ],
    [
      "40 other subjects",
      binding({ otherSubjects: subjects }),
      /otherSubjects holds .*; the trust policy has \d+ characters; IAM takes 2048\. There is room for \d+ of its 41/,
    ],
    [
      "40 under Pod Identity",
      binding({ otherSubjects: subjects, identity: "pod-identity" }),
      /otherSubjects holds .*; the trust policy has \d{5} characters; IAM takes 2048/,
    ],
    [
      "typographic quotes",
      binding({ role: { description: "the team\u2019s reader" } }),
      `${at}.role.description holds "the team\u2019s reader"; it must be at most 1,000 characters of Latin-1`,
    ],
    [
      "a boundary with a blank",
      binding({ role: { permissionsBoundary: "arn:aws:iam::111122223333:policy/a b" } }),
      `${at}.role.permissionsBoundary holds`,
    ],
    [
      "a boundary of 2,049 characters",
      binding({ role: { permissionsBoundary: `arn:aws:iam::111122223333:policy/${"x/".repeat(1010)}` } }),
      `${at}.role.permissionsBoundary holds`,
    ],
    ["51 tags", binding({ tags: tags(51) }), /\.tags holds .*; a resource takes 50 tags, and these are 51/],
    [
      "51 tags with those of the stack",
      { ...binding({ tags: tags(25) }), tags: tags(26, "stack") },
      /^eks-irsa:bindings\[0\]\.tags holds .*with eks-irsa:tags, .*these are 51/,
    ],
    [
      "tag keys that differ in case only",
      { ...existing, tags: { team: "a", Team: "b" } },
      'eks-irsa:tags.Team holds "b"; it differs from team in case only',
    ],
    [
      "the same, with those of the stack",
      { ...binding({ tags: { team: "a" } }), tags: { Team: "b" } },
      `${at}.tags.team holds "a"; with eks-irsa:tags, it differs from Team in case only`,
    ],
    [
      "AWS's own tags",
      { ...existing, tags: { x: "aws:y" } },
      'eks-irsa:tags.x holds "aws:y"; it must be text',
    ],
    [
      "AWS's own tag keys",
      { ...existing, tags: { "AWS:x": "y" } },
      'eks-irsa:tags.AWS:x holds "y"; its key must be',
    ],
    [
      "admins that are no role and no user, or are there twice",
      {
        cluster: {
          admins: [
            "arn:aws:sts::111122223333:assumed-role/ci/session",
            "arn:aws:iam::111122223333:role/ci",
            "arn:aws:iam::111122223333:role/ci",
          ],
        },
      },
      'eks-irsa:cluster.admins[0] holds "arn:aws:sts::111122223333:assumed-role/ci/session"; it must be the ARN of an IAM role or user',
      'eks-irsa:cluster.admins[2] holds "arn:aws:iam::111122223333:role/ci"; it is in the list already',
    ],
    [
      "admins of another partition",
      { cluster: { admins: ["arn:aws-cn:iam::111122223333:role/ci"] } },
      'eks-irsa:cluster.admins[0] holds "arn:aws-cn:iam::111122223333:role/ci"; it must be of the region\'s partition (arn:aws:...), since eu-central-1 is in aws',
    ],
    [
      "who reaches the private endpoint, twice, or by no id",
      {
        cluster: {
          endpoint: {
            privateCidrs: ["10.0.0.0/8", "10.0.0.0/8"],
            securityGroupIds: ["default"],
          },
        },
      },
      'eks-irsa:cluster.endpoint.privateCidrs[1] holds "10.0.0.0/8"; it is in the list already',
      'eks-irsa:cluster.endpoint.securityGroupIds[0] holds "default"; it must be the id of a security group',
    ],
    [
      "who reaches a private endpoint that is off",
      { cluster: { endpoint: { private: false, privateCidrs: ["10.0.0.0/8"] } } },
      'eks-irsa:cluster.endpoint.privateCidrs holds ["10.0.0.0/8"]; they are for the private endpoint, which is off',
    ],
    [
      "nodes that are neither a group nor EKS Auto Mode",
      { cluster: { nodes: "none" } },
      'eks-irsa:cluster.nodes holds "none"; it must be auto, or a map of instanceTypes, min, max, desired',
    ],
    [
      "an add-on of EKS Auto Mode's",
      { cluster: { nodes: "auto", addons: { "vpc-cni": "v1.20.4-eksbuild.1" } } },
      'eks-irsa:cluster.addons.vpc-cni holds "v1.20.4-eksbuild.1"; EKS Auto Mode (nodes: auto) brings it by itself',
    ],
    [
      "nodes of two architectures",
      { cluster: { nodes: { instanceTypes: ["t3.medium", "t4g.medium"] } } },
      'eks-irsa:cluster.nodes.instanceTypes[1] holds "t4g.medium"; it must be of x86_64 like t3.medium',
    ],
    [
      "21 instance types",
      {
        cluster: { nodes: { instanceTypes: Array.from({ length: 21 }, (_, index) => `m${index}.large`) } },
      },
      /instanceTypes holds .*at most 20/,
    ],
    [
      "host bits, leading zeros",
      { cluster: { endpoint: { allowedCidrs: ["10.1.0.0/15", "010.001.0.0/08"] } } },
      'eks-irsa:cluster.endpoint.allowedCidrs[0] holds "10.1.0.0/15"',
      'eks-irsa:cluster.endpoint.allowedCidrs[1] holds "010.001.0.0/08"',
    ],
    [
      "41 blocks",
      {
        cluster: {
          endpoint: { allowedCidrs: Array.from({ length: 41 }, (_, index) => `10.${index}.0.0/16`) },
        },
      },
      /allowedCidrs holds .*at most 40/,
    ],
    [
      "no block at all, which EKS takes for everybody",
      { cluster: { endpoint: { allowedCidrs: [] } } },
      "eks-irsa:cluster.endpoint.allowedCidrs holds []",
    ],
    [
      "blocks of an endpoint that is off",
      { cluster: { endpoint: { public: false, allowedCidrs: ["10.0.0.0/8"] } } },
      "eks-irsa:cluster.endpoint.allowedCidrs holds",
    ],
    [
      "a VPC alone",
      { cluster: { network: { vpcId: "vpc-0a" } } },
      "eks-irsa:cluster.network.privateSubnetIds is not set; EKS needs at least two subnets",
    ],
    [
      "one subnet",
      { cluster: { network: { vpcId: "vpc-0a", publicSubnetIds: ["subnet-0a"] } } },
      "eks-irsa:cluster.network.publicSubnetIds holds",
    ],
    [
      "an empty list of subnets",
      { cluster: { network: { vpcId: "vpc-0a", publicSubnetIds: [] } } },
      "eks-irsa:cluster.network.publicSubnetIds holds []",
    ],
  ];
  for (const [what, config, ...errors] of refused) {
    it(`refuses ${what}`, () => {
      const found = errorsOf(config);
      expect(found, found.join("\n")).to.have.length(errors.length);
      for (const [index, error] of errors.entries()) {
        if (typeof error === "string")
          expect(found[index]).to.satisfy((one: string) => one.startsWith(error));
        else expect(found[index]).to.match(error);
      }
    });
  }

  it("refuses every ARN of another partition, wherever it is", () => {
    const document = { Statement: { ...statement, Resource: ["*", "arn:aws:s3:::b"] } };
    expect(
      errorsOf(
        binding({
          role: { permissionsBoundary: policyArn },
          policies: [
            policyArn,
            { name: "a", arn: policyArn.replace("read", "write") },
            { name: "b", document },
            JSON.stringify(document),
            { bundle: "karpenter", cluster: "c", nodeRole: roleArn, region: "eu-west-1" },
          ],
        }),
        "us-gov-west-1",
      ).map((line) => line.replace(/ holds.*(it must be of the region's partition).*/, " $1")),
    ).to.have.members(
      [
        ...["policies[0]", "policies[1].arn", "policies[2].document.Statement[0].Resource[1]"],
        ...["policies[3].Statement[0].Resource[1]", "policies[4].nodeRole", "policies[4].region"],
        "role.permissionsBoundary",
      ].map((key) => `${at}.${key} it must be of the region's partition`),
    );
    // Values of a condition are alternatives.
    const conditioned = (...values: string[]) =>
      binding({
        policies: [{ Statement: { ...statement, Condition: { ArnLike: { "aws:SourceArn": values } } } }],
      });
    expect(errorsOf(conditioned("arn:aws:s3:::a", "arn:aws:s3:::b"), "cn-north-1")).to.have.length(2);
    expect(errorsOf(conditioned("arn:aws:s3:::a"), "cn-north-1")[0]).to.match(
      /^eks-irsa:bindings\[0\]\.policies\[0\]\.Statement\[0\]\.Condition\.ArnLike\.aws:SourceArn\[0\] holds "arn:aws:s3:::a"/,
    );
    expect(() => parse(conditioned("arn:aws:s3:::a", "arn:aws-cn:s3:::a"), "cn-north-1")).to.not.throw();
    expect(errorsOf(binding({ role: { arn: roleArn } }), "cn-north-1")[0]).to.match(
      /^eks-irsa:bindings\[0\]\.role\.arn holds/,
    );
  });

  it("takes policies as people have them", () => {
    const document = {
      Version: "2008-10-17",
      Statement: {
        ...statement,
        Condition: { Bool: { "aws:SecureTransport": true }, NumericLessThan: { "s3:max-keys": 10 } },
      },
    };
    const { policies = [] } =
      parse(
        binding({
          policies: [
            { arn: policyArn },
            { name: "text", document: JSON.stringify(document) },
            { name: "old", document },
            { name: "none", document: { Statement: [statement] }, attach: "managed" },
            JSON.stringify(document),
            { name: "file", file: "test/policy.json" },
            // As the engine reads a version in no quotes, and as editors on Windows begin a file.
            { name: "date", document: { ...document, Version: "2012-10-17 00:00:00 +0000 UTC" as never } },
            { name: "marked", document: `\uFEFF${JSON.stringify(document)}` },
          ],
        }),
      ).bindings[0] ?? {};
    expect(policies.map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal([
      "managed team-read",
      "inline text",
      "inline old",
      "customer-managed none",
      "inline inline",
      "inline file",
      "inline date",
      "inline marked",
    ]);
    const statements = policies.map((policy) => ("document" in policy ? policy.document("aws") : undefined));
    expect(statements[1]).to.deep.equal({ Version: "2008-10-17", Statement: [document.Statement] });
    expect(statements[3]).to.deep.equal({ Statement: [statement] });
    expect(statements[5]?.Statement[0]?.Action).to.equal("s3:ListAllMyBuckets");
    expect(statements[6]?.Version).to.equal("2012-10-17");
    expect(statements[7]).to.deep.equal(statements[1]);
  });

  it("takes what the account's quotas allow, of the stack or of the binding", () => {
    const quotas = { managedPoliciesPerRole: 25, trustPolicyCharacters: 4096 };
    const config = binding({ policies: managed(25), otherSubjects: subjects });
    expect(parse({ ...config, quotas }).bindings[0]?.quotas).to.deep.equal(quotas);
    expect(parse(binding({ policies: managed(25), quotas })).bindings[0]?.policies).to.have.length(25);
    expect(errorsOf({ ...existing, quotas: { managedPoliciesPerRole: 26 } })[0]).to.match(
      /^eks-irsa:quotas\.managedPoliciesPerRole holds 26; it must be a whole number from 10 to 25/,
    );
  });

  it("gives a binding the tags of the stack beside its own", () => {
    const config = { ...binding({ tags: { team: "a", more: "x" } }), tags: { team: "all", env: "dev" } };
    expect(parse(config).bindings[0]?.tags).to.deep.equal({ team: "a", env: "dev", more: "x" });
  });

  it("builds for the architecture of the nodes, unless told", () => {
    const platform = (instanceTypes: string[], build = {}) =>
      parse({ cluster: { nodes: { instanceTypes } }, build }).build.platform;
    for (const type of [
      "t4g.medium",
      "m7g.large",
      "c6gn.large",
      "r8gd.large",
      "x2gd.large",
      "i4g.large",
      "im4gn.large",
      "is4gen.large",
      "hpc7g.4xlarge",
      "g5g.xlarge",
      "a1.large",
    ]) {
      expect(platform([type]), type).to.equal("linux/arm64");
    }
    for (const type of [
      "t3.medium",
      "m6i.large",
      "g4dn.xlarge",
      "g6e.xlarge",
      "m7i-flex.large",
      "p5en.48xlarge",
      "u7i-12tb.224xlarge",
      "inf2.xlarge",
    ]) {
      expect(platform([type]), type).to.equal("linux/amd64");
    }
    expect(platform(["t4g.medium"], { platform: "linux/amd64" })).to.equal("linux/amd64");
    expect(parse({}).build.platform).to.equal("linux/amd64");
  });
});
