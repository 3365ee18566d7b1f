import { type Aws, type AwsOptions, clients } from "../../../../../local/pulumi/providers/aws/clients.ts";

/** What a command is given and answers, as the SDK has them. */
// biome-ignore lint/suspicious/noExplicitAny: the fake takes the inputs of a hundred commands
type Any = any;
type Handlers = Record<string, (input: Any) => object | undefined>;

export const region = "eu-central-1";
const account = "111122223333";

const failure = (name: string, message = name): Error => Object.assign(new Error(message), { name });

/** Things by name; asking for one that is not there fails as the service does. */
class Store {
  readonly #things = new Map<string, Any>();
  readonly #gone: string;
  readonly #taken: string;

  constructor(gone: string, taken: string) {
    this.#gone = gone;
    this.#taken = taken;
  }

  get(name: string): Any {
    const thing = this.#things.get(name);
    if (thing === undefined) throw failure(this.#gone, `there is no ${name}`);
    return thing;
  }
  make<T extends object>(name: string, thing: T): T {
    if (this.#things.has(name)) throw failure(this.#taken, `${name} is there already`);
    this.#things.set(name, thing);
    return thing;
  }
  delete(name: string): Any {
    const thing = this.get(name);
    this.#things.delete(name);
    return thing;
  }
  all(): Any[] {
    return [...this.#things.values()];
  }
}

const toTags = (list: { Key?: string; Value?: string }[] = []): Record<string, string> =>
  Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
const toList = (tags: Record<string, string> = {}) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const without = (tags: Record<string, string>, keys: string[]) =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)));

/**
 * As much of AWS, in memory, as the resource types ask for. It stands in the SDK's own clients, behind what serialises a
 * request and before what sends it: so a request that the SDK refuses fails here too.
 */
export class FakeAws {
  /** Names of the commands that came, but for those that only read. */
  readonly changes: string[] = [];
  /** Every command that came, with what it was given. */
  readonly requests: { command: string; input: Any }[] = [];
  /** Answers in the place of the fake's own, by command. */
  readonly instead: Handlers = {};
  #number = 0;

  readonly #roles = new Store("NoSuchEntityException", "EntityAlreadyExistsException");
  readonly #policies = new Store("NoSuchEntityException", "EntityAlreadyExistsException");
  readonly #providers = new Store("NoSuchEntityException", "EntityAlreadyExistsException");
  readonly #eks = new Store("ResourceNotFoundException", "ResourceInUseException");
  readonly #repositories = new Store("RepositoryNotFoundException", "RepositoryAlreadyExistsException");
  readonly #templates = new Store(
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateName.AlreadyExists",
  );
  readonly #groups = new Store("InvalidGroup.NotFound", "InvalidGroup.Duplicate");
  readonly #logGroups = new Store("ResourceNotFoundException", "ResourceAlreadyExistsException");
  readonly #buckets = new Store("NotFound", "BucketAlreadyExists");
  readonly #ec2Tags = new Map<string, Record<string, string>>();

  /** Clients that ask this. */
  readonly clients = (options: AwsOptions, region: string): Omit<Aws, "defaultTags"> => {
    const made = clients(options, region);
    for (const client of Object.values(made)) {
      if (typeof client === "string") continue;
      const { middlewareStack } = client as {
        middlewareStack: { add(middleware: Any, options: object): void };
      };
      middlewareStack.add(
        (_: unknown, { commandName }: { commandName: string }) =>
          async ({ input }: { input: Any }) => ({ output: this.#answer(commandName, input), response: {} }),
        { step: "finalizeRequest", priority: "low" },
      );
    }
    return made;
  };

  #answer(commandName: string, input: Any): object {
    const command = commandName.replace(/Command$/, "");
    this.requests.push({ command, input });
    if (!/^(Get|List|Describe|Head)/.test(command)) this.changes.push(command);
    const handle = this.instead[command] ?? this.#handlers[command];
    if (handle === undefined) throw failure("InvalidAction", `the fake has no ${command}`);
    return { $metadata: {}, ...handle(input) };
  }

  /** Does to AWS what a person beside the engine does. */
  ask(command: string, input: object): object {
    const handle = this.#handlers[command];
    if (handle === undefined) throw failure("InvalidAction", `the fake has no ${command}`);
    return handle(input) ?? {};
  }

  /** The next such command is done, but its answer gets lost: the SDK sends it again. */
  loseAnswer(command: string): void {
    this.instead[command] = (input) => {
      delete this.instead[command];
      this.#handlers[command]?.(input);
      throw Object.assign(failure("TimeoutError", "socket hang up"), { $retryable: {} });
    };
  }

  /** What a command was given, the last time that it came. */
  given(command: string): Any {
    return this.requests.findLast((one) => one.command === command)?.input;
  }

  #id(prefix: string): string {
    this.#number += 1;
    return `${prefix}-${this.#number.toString(16).padStart(17, "0")}`;
  }

  #eksThing(arn: string): Any {
    const thing = this.#eks.all().find((one) => one.arn === arn);
    if (thing === undefined) throw failure("NotFoundException", `there is no ${arn}`);
    return thing;
  }

  #rules(groupId: string): Any[] {
    return this.#groups.get(groupId).rules;
  }
  #authorize({ GroupId, IpPermissions }: Any, IsEgress: boolean): object {
    for (const permission of IpPermissions) {
      const { IpProtocol } = permission;
      // As EC2: a rule on every protocol has no ports.
      const [FromPort, ToPort] = IpProtocol === "-1" ? [-1, -1] : [permission.FromPort, permission.ToPort];
      const common = { IsEgress, IpProtocol, FromPort, ToPort, GroupId };
      for (const peer of [
        ...(permission.IpRanges ?? []).map(({ CidrIp, Description }: Any) => ({
          CidrIpv4: CidrIp,
          Description,
        })),
        ...(permission.Ipv6Ranges ?? []),
        ...(permission.PrefixListIds ?? []),
        ...(permission.UserIdGroupPairs ?? []).map(({ GroupId, Description }: Any) => ({
          ReferencedGroupInfo: { GroupId },
          Description,
        })),
      ]) {
        this.#rules(GroupId).push({ ...common, ...peer, SecurityGroupRuleId: this.#id("sgr") });
      }
    }
    return {};
  }
  #revoke({ GroupId, SecurityGroupRuleIds }: Any): object {
    const group = this.#groups.get(GroupId);
    group.rules = group.rules.filter((rule: Any) => !SecurityGroupRuleIds.includes(rule.SecurityGroupRuleId));
    return {};
  }

  readonly #handlers: Handlers = {
    GetCallerIdentity: () => ({
      Account: account,
      Arn: `arn:aws:iam::${account}:user/admin`,
      UserId: "AIDA",
    }),

    // IAM
    CreateRole: (input) => ({
      Role: this.#roles.make(input.RoleName, {
        ...input,
        Path: input.Path ?? "/",
        MaxSessionDuration: input.MaxSessionDuration ?? 3600,
        Arn: `arn:aws:iam::${account}:role${input.Path ?? "/"}${input.RoleName}`,
        RoleId: "AROA",
        CreateDate: new Date(),
        AssumeRolePolicyDocument: encodeURIComponent(input.AssumeRolePolicyDocument),
        PermissionsBoundary: input.PermissionsBoundary && {
          PermissionsBoundaryArn: input.PermissionsBoundary,
        },
        attached: [] as string[],
        inline: {} as Record<string, string>,
      }),
    }),
    GetRole: ({ RoleName }) => ({ Role: this.#roles.get(RoleName) }),
    UpdateRole: ({ RoleName, ...more }) => Object.assign(this.#roles.get(RoleName), more) && {},
    UpdateAssumeRolePolicy: ({ RoleName, PolicyDocument }) => {
      this.#roles.get(RoleName).AssumeRolePolicyDocument = encodeURIComponent(PolicyDocument);
      return {};
    },
    PutRolePermissionsBoundary: ({ RoleName, PermissionsBoundary }) => {
      this.#roles.get(RoleName).PermissionsBoundary = { PermissionsBoundaryArn: PermissionsBoundary };
      return {};
    },
    DeleteRolePermissionsBoundary: ({ RoleName }) => {
      this.#roles.get(RoleName).PermissionsBoundary = undefined;
      return {};
    },
    TagRole: ({ RoleName, Tags }) => this.#tag(this.#roles.get(RoleName), Tags),
    UntagRole: ({ RoleName, TagKeys }) => this.#untag(this.#roles.get(RoleName), TagKeys),
    DeleteRole: ({ RoleName }) => {
      const { attached, inline } = this.#roles.get(RoleName);
      if (attached.length > 0 || Object.keys(inline).length > 0) {
        throw failure("DeleteConflictException", "Cannot delete entity, must detach all policies first.");
      }
      return this.#roles.delete(RoleName);
    },
    AttachRolePolicy: ({ RoleName, PolicyArn }) => void this.#roles.get(RoleName).attached.push(PolicyArn),
    ListAttachedRolePolicies: ({ RoleName }) => ({
      AttachedPolicies: this.#roles.get(RoleName).attached.map((PolicyArn: string) => ({ PolicyArn })),
    }),
    DetachRolePolicy: ({ RoleName, PolicyArn }) => {
      const role = this.#roles.get(RoleName);
      if (!role.attached.includes(PolicyArn)) throw failure("NoSuchEntityException");
      role.attached = role.attached.filter((arn: string) => arn !== PolicyArn);
      return {};
    },
    PutRolePolicy: ({ RoleName, PolicyName, PolicyDocument }) => {
      this.#roles.get(RoleName).inline[PolicyName] = PolicyDocument;
      return {};
    },
    GetRolePolicy: ({ RoleName, PolicyName }) => {
      const document = this.#roles.get(RoleName).inline[PolicyName];
      if (document === undefined) throw failure("NoSuchEntityException");
      return { RoleName, PolicyName, PolicyDocument: encodeURIComponent(document) };
    },
    ListRolePolicies: ({ RoleName }) => ({ PolicyNames: Object.keys(this.#roles.get(RoleName).inline) }),
    DeleteRolePolicy: ({ RoleName, PolicyName }) => {
      const { inline } = this.#roles.get(RoleName);
      if (!(PolicyName in inline)) throw failure("NoSuchEntityException");
      delete inline[PolicyName];
      return {};
    },
    CreatePolicy: ({ PolicyName, Path = "/", Description, PolicyDocument, Tags }) => {
      const Arn = `arn:aws:iam::${account}:policy${Path}${PolicyName}`;
      const version = {
        VersionId: "v1",
        Document: PolicyDocument,
        CreateDate: new Date(),
        IsDefaultVersion: true,
      };
      return {
        Policy: this.#policies.make(Arn, {
          Arn,
          PolicyName,
          Path,
          Description,
          Tags,
          PolicyId: "ANPA",
          AttachmentCount: 0,
          DefaultVersionId: "v1",
          CreateDate: new Date(),
          versions: [version],
        }),
      };
    },
    GetPolicy: ({ PolicyArn }) => ({ Policy: this.#policies.get(PolicyArn) }),
    GetPolicyVersion: ({ PolicyArn, VersionId }) => {
      const version = this.#policies.get(PolicyArn).versions.find((one: Any) => one.VersionId === VersionId);
      return { PolicyVersion: { ...version, Document: encodeURIComponent(version.Document) } };
    },
    ListPolicyVersions: ({ PolicyArn }) => ({ Versions: this.#policies.get(PolicyArn).versions }),
    CreatePolicyVersion: ({ PolicyArn, PolicyDocument }) => {
      const policy = this.#policies.get(PolicyArn);
      if (policy.versions.length >= 5) throw failure("LimitExceededException");
      for (const version of policy.versions) version.IsDefaultVersion = false;
      this.#number += 1;
      policy.DefaultVersionId = `v${this.#number + 1}`;
      policy.versions.push({
        VersionId: policy.DefaultVersionId,
        Document: PolicyDocument,
        CreateDate: new Date(Date.now() + this.#number),
        IsDefaultVersion: true,
      });
      return {};
    },
    DeletePolicyVersion: ({ PolicyArn, VersionId }) => {
      const policy = this.#policies.get(PolicyArn);
      policy.versions = policy.versions.filter((one: Any) => one.VersionId !== VersionId);
      return {};
    },
    DeletePolicy: ({ PolicyArn }) => {
      if (this.#policies.get(PolicyArn).versions.length > 1) throw failure("DeleteConflictException");
      return this.#policies.delete(PolicyArn);
    },
    TagPolicy: ({ PolicyArn, Tags }) => this.#tag(this.#policies.get(PolicyArn), Tags),
    UntagPolicy: ({ PolicyArn, TagKeys }) => this.#untag(this.#policies.get(PolicyArn), TagKeys),
    CreateOpenIDConnectProvider: ({ Url, ClientIDList, ThumbprintList, Tags }) => {
      const url = Url.replace("https://", "");
      const OpenIDConnectProviderArn = `arn:aws:iam::${account}:oidc-provider/${url}`;
      this.#providers.make(OpenIDConnectProviderArn, {
        Url: url,
        ClientIDList: [...ClientIDList],
        ThumbprintList,
        Tags,
        CreateDate: new Date(),
      });
      return { OpenIDConnectProviderArn };
    },
    GetOpenIDConnectProvider: ({ OpenIDConnectProviderArn }) => this.#providers.get(OpenIDConnectProviderArn),
    ListOpenIDConnectProviders: () => ({
      OpenIDConnectProviderList: this.#providers.all().map(({ Url }) => ({
        Arn: `arn:aws:iam::${account}:oidc-provider/${Url}`,
      })),
    }),
    AddClientIDToOpenIDConnectProvider: ({ OpenIDConnectProviderArn, ClientID }) =>
      void this.#providers.get(OpenIDConnectProviderArn).ClientIDList.push(ClientID),
    RemoveClientIDFromOpenIDConnectProvider: ({ OpenIDConnectProviderArn, ClientID }) => {
      const provider = this.#providers.get(OpenIDConnectProviderArn);
      provider.ClientIDList = provider.ClientIDList.filter((one: string) => one !== ClientID);
      return {};
    },
    UpdateOpenIDConnectProviderThumbprint: ({ OpenIDConnectProviderArn, ThumbprintList }) => {
      this.#providers.get(OpenIDConnectProviderArn).ThumbprintList = ThumbprintList;
      return {};
    },
    TagOpenIDConnectProvider: ({ OpenIDConnectProviderArn, Tags }) =>
      this.#tag(this.#providers.get(OpenIDConnectProviderArn), Tags),
    UntagOpenIDConnectProvider: ({ OpenIDConnectProviderArn, TagKeys }) =>
      this.#untag(this.#providers.get(OpenIDConnectProviderArn), TagKeys),
    DeleteOpenIDConnectProvider: ({ OpenIDConnectProviderArn }) =>
      this.#providers.delete(OpenIDConnectProviderArn),

    // EKS
    CreateCluster: ({ name, ...input }) => ({
      cluster: this.#eks.make(`cluster ${name}`, {
        version: "1.34",
        deletionProtection: false,
        ...defined(input),
        name,
        arn: `arn:aws:eks:${region}:${account}:cluster/${name}`,
        status: "ACTIVE",
        endpoint: "https://example",
        createdAt: new Date(0),
        certificateAuthority: { data: "Q0E=" },
        identity: { oidc: { issuer: `https://oidc.eks.${region}.amazonaws.com/id/ABC` } },
        resourcesVpcConfig: {
          endpointPublicAccess: true,
          endpointPrivateAccess: false,
          publicAccessCidrs: ["0.0.0.0/0"],
          ...input.resourcesVpcConfig,
          vpcId: "vpc-1",
          clusterSecurityGroupId: "sg-eks",
        },
      }),
    }),
    DescribeCluster: ({ name }) => ({ cluster: this.#eks.get(`cluster ${name}`) }),
    UpdateClusterVersion: ({ name, version }) => {
      this.#eks.get(`cluster ${name}`).version = version;
      return {};
    },
    UpdateClusterConfig: ({ name, ...change }) => {
      const { computeConfig, storageConfig, kubernetesNetworkConfig, ...others } = change;
      const autoMode = { computeConfig, storageConfig, kubernetesNetworkConfig };
      const kinds = [
        ...Object.values(others),
        ...(Object.keys(defined(autoMode)).length > 0 ? [autoMode] : []),
      ];
      if (kinds.filter((value) => value !== undefined).length !== 1) {
        throw failure("InvalidParameterException", "only one type of update can be allowed");
      }
      const cluster = this.#eks.get(`cluster ${name}`);
      for (const [key, value] of Object.entries(change)) {
        cluster[key] = typeof value === "object" ? { ...cluster[key], ...defined(value ?? {}) } : value;
      }
      return {};
    },
    DeleteCluster: ({ name }) => this.#eks.delete(`cluster ${name}`),
    CreateNodegroup: ({ nodegroupName, clusterName, ...input }) => ({
      nodegroup: this.#eks.make(`nodegroup ${clusterName}/${nodegroupName}`, {
        amiType: "AL2023_x86_64_STANDARD",
        capacityType: "ON_DEMAND",
        version: "1.34",
        releaseVersion: "1.34.1-1",
        instanceTypes: ["t3.medium"],
        ...defined(input),
        nodegroupName,
        clusterName,
        arn: `arn:aws:eks:${region}:${account}:nodegroup/${clusterName}/${nodegroupName}/1`,
        nodegroupArn: `arn:aws:eks:${region}:${account}:nodegroup/${clusterName}/${nodegroupName}/1`,
        status: "ACTIVE",
        resources: { autoScalingGroups: [{ name: "asg" }] },
      }),
    }),
    DescribeNodegroup: ({ nodegroupName, clusterName }) => ({
      nodegroup: this.#eks.get(`nodegroup ${clusterName}/${nodegroupName}`),
    }),
    UpdateNodegroupConfig: ({ nodegroupName, clusterName, labels, ...change }) => {
      const group = this.#eks.get(`nodegroup ${clusterName}/${nodegroupName}`);
      const { addOrUpdateLabels = {}, removeLabels = [] } = labels ?? {};
      Object.assign(group, defined(change), {
        labels: { ...without(group.labels ?? {}, removeLabels), ...addOrUpdateLabels },
      });
      return {};
    },
    UpdateNodegroupVersion: ({ nodegroupName, clusterName, ...change }) =>
      Object.assign(this.#eks.get(`nodegroup ${clusterName}/${nodegroupName}`), defined(change)) && {},
    DeleteNodegroup: ({ nodegroupName, clusterName }) =>
      this.#eks.delete(`nodegroup ${clusterName}/${nodegroupName}`),
    CreateAddon: ({ addonName, clusterName, ...input }) => {
      const arn = `arn:aws:eks:${region}:${account}:addon/${clusterName}/${addonName}/1`;
      const addonVersion = input.addonVersion ?? "v1.0.0";
      return {
        addon: this.#eks.make(`addon ${clusterName}/${addonName}`, {
          ...input,
          addonName,
          clusterName,
          addonVersion,
          arn,
          addonArn: arn,
          status: "ACTIVE",
        }),
      };
    },
    DescribeAddonVersions: ({ addonName, kubernetesVersion: clusterVersion }) => {
      const version = (addonVersion: string, defaultVersion: boolean) => ({
        addonVersion,
        compatibilities: [{ clusterVersion, defaultVersion }],
      });
      const addonVersions = [version(`v${clusterVersion}.2`, false), version(`v${clusterVersion}.1`, true)];
      return { addons: addonName === "kube-proxy" ? [{ addonName, addonVersions }] : [] };
    },
    DescribeAddon: ({ addonName, clusterName }) => ({
      addon: this.#eks.get(`addon ${clusterName}/${addonName}`),
    }),
    UpdateAddon: ({ addonName, clusterName, ...change }) =>
      Object.assign(this.#eks.get(`addon ${clusterName}/${addonName}`), defined(change)) && {},
    DeleteAddon: ({ addonName, clusterName }) => this.#eks.delete(`addon ${clusterName}/${addonName}`),
    CreatePodIdentityAssociation: (input) => {
      const associationId = this.#id("a");
      const arn = `arn:aws:eks:${region}:${account}:podidentityassociation/${input.clusterName}/${associationId}`;
      return {
        association: this.#eks.make(`association ${associationId}`, {
          ...input,
          associationId,
          arn,
          associationArn: arn,
        }),
      };
    },
    DescribePodIdentityAssociation: ({ associationId }) => ({
      association: this.#eks.get(`association ${associationId}`),
    }),
    UpdatePodIdentityAssociation: ({ associationId, clusterName: _, ...change }) => {
      Object.assign(this.#eks.get(`association ${associationId}`), change);
      return {};
    },
    DeletePodIdentityAssociation: ({ associationId }) => this.#eks.delete(`association ${associationId}`),
    CreateAccessEntry: (input) => {
      const arn = `arn:aws:eks:${region}:${account}:access-entry/${input.clusterName}/1`;
      return {
        accessEntry: this.#eks.make(`access ${input.principalArn}`, {
          type: "STANDARD",
          kubernetesGroups: [],
          username: input.principalArn,
          ...defined(input),
          arn,
          accessEntryArn: arn,
          policies: [],
        }),
      };
    },
    DescribeAccessEntry: ({ principalArn }) => ({ accessEntry: this.#eks.get(`access ${principalArn}`) }),
    UpdateAccessEntry: ({ principalArn, kubernetesGroups, username }) =>
      Object.assign(this.#eks.get(`access ${principalArn}`), defined({ kubernetesGroups, username })) && {},
    DeleteAccessEntry: ({ principalArn }) => this.#eks.delete(`access ${principalArn}`),
    AssociateAccessPolicy: ({ principalArn, policyArn, accessScope }) =>
      void this.#eks.get(`access ${principalArn}`).policies.push({ policyArn, accessScope }),
    ListAssociatedAccessPolicies: ({ principalArn }) => ({
      associatedAccessPolicies: this.#eks.get(`access ${principalArn}`).policies,
    }),
    DisassociateAccessPolicy: ({ principalArn, policyArn }) => {
      const entry = this.#eks.get(`access ${principalArn}`);
      entry.policies = entry.policies.filter((one: Any) => one.policyArn !== policyArn);
      return {};
    },

    // ECR
    CreateRepository: ({ repositoryName, tags, ...input }) => ({
      repository: this.#repositories.make(repositoryName, {
        imageTagMutability: "MUTABLE",
        imageScanningConfiguration: { scanOnPush: false },
        encryptionConfiguration: { encryptionType: "AES256" },
        ...defined(input),
        repositoryName,
        repositoryArn: `arn:aws:ecr:${region}:${account}:repository/${repositoryName}`,
        registryId: account,
        repositoryUri: `${account}.dkr.ecr.${region}.amazonaws.com/${repositoryName}`,
        createdAt: new Date(),
        Tags: tags,
      }),
    }),
    DescribeRepositories: ({ repositoryNames: [name] }) => ({ repositories: [this.#repositories.get(name)] }),
    PutImageTagMutability: ({ repositoryName, imageTagMutability }) =>
      Object.assign(this.#repositories.get(repositoryName), { imageTagMutability }) && {},
    PutImageScanningConfiguration: ({ repositoryName, imageScanningConfiguration }) =>
      Object.assign(this.#repositories.get(repositoryName), { imageScanningConfiguration }) && {},
    DeleteRepository: ({ repositoryName }) => this.#repositories.delete(repositoryName),
    PutLifecyclePolicy: ({ repositoryName, lifecyclePolicyText }) =>
      Object.assign(this.#repositories.get(repositoryName), { lifecyclePolicyText }) && {},
    GetLifecyclePolicy: ({ repositoryName }) => {
      const { lifecyclePolicyText, registryId } = this.#repositories.get(repositoryName);
      if (!lifecyclePolicyText) throw failure("LifecyclePolicyNotFoundException");
      return { repositoryName, registryId, lifecyclePolicyText };
    },
    DeleteLifecyclePolicy: ({ repositoryName }) =>
      Object.assign(this.#repositories.get(repositoryName), { lifecyclePolicyText: undefined }) && {},
    GetAuthorizationToken: () => ({
      authorizationData: [
        {
          authorizationToken: Buffer.from("AWS:pass:word").toString("base64"),
          proxyEndpoint: `https://${account}.dkr.ecr.${region}.amazonaws.com`,
        },
      ],
    }),

    // EC2
    CreateLaunchTemplate: ({
      LaunchTemplateName,
      LaunchTemplateData,
      VersionDescription,
      TagSpecifications,
    }) => {
      const LaunchTemplateId = this.#id("lt");
      this.#ec2Tags.set(LaunchTemplateId, toTags(TagSpecifications?.[0]?.Tags));
      return {
        LaunchTemplate: this.#templates.make(LaunchTemplateId, {
          LaunchTemplateId,
          LaunchTemplateName,
          LatestVersionNumber: 1,
          DefaultVersionNumber: 1,
          versions: [{ LaunchTemplateData, VersionDescription }],
        }),
      };
    },
    DescribeLaunchTemplates: ({ LaunchTemplateIds: [id] }) => ({
      LaunchTemplates: [this.#templates.get(id)],
    }),
    DescribeLaunchTemplateVersions: ({ LaunchTemplateId }) => ({
      LaunchTemplateVersions: [this.#templates.get(LaunchTemplateId).versions.at(-1)],
    }),
    CreateLaunchTemplateVersion: ({ LaunchTemplateId, LaunchTemplateData, VersionDescription }) => {
      const template = this.#templates.get(LaunchTemplateId);
      template.versions.push({ LaunchTemplateData, VersionDescription });
      template.LatestVersionNumber += 1;
      return { LaunchTemplateVersion: { VersionNumber: template.LatestVersionNumber } };
    },
    ModifyLaunchTemplate: ({ LaunchTemplateId, DefaultVersion }) => {
      this.#templates.get(LaunchTemplateId).DefaultVersionNumber = Number(DefaultVersion);
      return {};
    },
    DeleteLaunchTemplate: ({ LaunchTemplateId }) => this.#templates.delete(LaunchTemplateId),
    CreateSecurityGroup: ({ GroupName, Description, VpcId, TagSpecifications }) => {
      const GroupId = this.#id("sg");
      this.#ec2Tags.set(GroupId, toTags(TagSpecifications?.[0]?.Tags));
      this.#groups.make(GroupId, {
        GroupId,
        GroupName,
        Description,
        VpcId: VpcId ?? "vpc-default",
        OwnerId: account,
        rules: [
          { IsEgress: true, IpProtocol: "-1", CidrIpv4: "0.0.0.0/0", SecurityGroupRuleId: this.#id("sgr") },
        ],
      });
      return { GroupId };
    },
    DescribeSecurityGroups: ({ GroupIds: [id] }) => ({
      SecurityGroups: [{ ...this.#groups.get(id), Tags: toList(this.#ec2Tags.get(id)) }],
    }),
    DescribeSecurityGroupRules: ({ Filters: [{ Values }] }) => ({
      SecurityGroupRules: this.#rules(Values[0]),
    }),
    AuthorizeSecurityGroupIngress: (input) => this.#authorize(input, false),
    AuthorizeSecurityGroupEgress: (input) => this.#authorize(input, true),
    RevokeSecurityGroupIngress: (input) => this.#revoke(input),
    RevokeSecurityGroupEgress: (input) => this.#revoke(input),
    ModifySecurityGroupRules: ({ GroupId, SecurityGroupRules }) => {
      for (const { SecurityGroupRuleId, SecurityGroupRule } of SecurityGroupRules) {
        const rule = this.#rules(GroupId).find((one) => one.SecurityGroupRuleId === SecurityGroupRuleId);
        rule.Description = SecurityGroupRule.Description;
      }
      return {};
    },
    DeleteSecurityGroup: ({ GroupId }) => this.#groups.delete(GroupId),
    DescribeTags: ({ Filters: [{ Values }] }) => ({ Tags: toList(this.#ec2Tags.get(Values[0])) }),
    CreateTags: ({ Resources: [id], Tags }) =>
      void this.#ec2Tags.set(id, { ...this.#ec2Tags.get(id), ...toTags(Tags) }),
    DeleteTags: ({ Resources: [id], Tags }) =>
      void this.#ec2Tags.set(id, without(this.#ec2Tags.get(id) ?? {}, Object.keys(toTags(Tags)))),
    DescribeVpcs: () => ({ Vpcs: [{ VpcId: "vpc-default", CidrBlock: "172.31.0.0/16", IsDefault: true }] }),
    DescribeSubnets: () => ({ Subnets: [{ SubnetId: "subnet-b" }, { SubnetId: "subnet-a" }] }),

    // CloudWatch Logs
    CreateLogGroup: ({ logGroupName, kmsKeyId, tags }) =>
      void this.#logGroups.make(logGroupName, {
        logGroupName,
        kmsKeyId,
        arn: `arn:aws:logs:${region}:${account}:log-group:${logGroupName}:*`,
        creationTime: Date.now(),
        Tags: toList(tags),
      }),
    DescribeLogGroups: ({ logGroupNamePrefix }) => ({
      logGroups: this.#logGroups.all().filter((one) => one.logGroupName.startsWith(logGroupNamePrefix)),
    }),
    PutRetentionPolicy: ({ logGroupName, retentionInDays }) =>
      Object.assign(this.#logGroups.get(logGroupName), { retentionInDays }) && {},
    DeleteRetentionPolicy: ({ logGroupName }) =>
      Object.assign(this.#logGroups.get(logGroupName), { retentionInDays: undefined }) && {},
    DeleteLogGroup: ({ logGroupName }) => this.#logGroups.delete(logGroupName),

    // S3
    CreateBucket: ({ Bucket }) => void this.#buckets.make(Bucket, { objects: ["one"] }),
    HeadBucket: ({ Bucket }) => this.#buckets.get(Bucket),
    PutBucketTagging: ({ Bucket, Tagging }) =>
      Object.assign(this.#buckets.get(Bucket), { TagSet: Tagging.TagSet }) && {},
    GetBucketTagging: ({ Bucket }) => {
      const { TagSet } = this.#buckets.get(Bucket);
      if (TagSet === undefined) throw failure("NoSuchTagSet");
      return { TagSet };
    },
    DeleteBucketTagging: ({ Bucket }) =>
      Object.assign(this.#buckets.get(Bucket), { TagSet: undefined }) && {},
    ListObjectsV2: ({ Bucket }) => ({
      Contents: this.#buckets.get(Bucket).objects.map((Key: string) => ({ Key })),
    }),
    DeleteObject: ({ Bucket, Key }) => {
      const bucket = this.#buckets.get(Bucket);
      bucket.objects = bucket.objects.filter((one: string) => one !== Key);
      return {};
    },
    DeleteBucket: ({ Bucket }) => {
      if (this.#buckets.get(Bucket).objects.length > 0) throw failure("BucketNotEmpty");
      return this.#buckets.delete(Bucket);
    },

    // Of several services, which have them under one name.
    ListTagsForResource: ({ resourceArn }) => {
      if (resourceArn.includes(":ecr:")) {
        return { tags: this.#repositories.get(resourceArn.split(":repository/")[1]).Tags };
      }
      return { tags: toTags(this.#logGroups.get(resourceArn.split(":log-group:")[1]).Tags) };
    },
    TagResource: ({ resourceArn, tags }) => {
      if (resourceArn.includes(":ecr:")) {
        return this.#tag(this.#repositories.get(resourceArn.split(":repository/")[1]), tags);
      }
      if (resourceArn.includes(":logs:")) {
        return this.#tag(this.#logGroups.get(resourceArn.split(":log-group:")[1]), toList(tags));
      }
      const thing = this.#eksThing(resourceArn);
      thing.tags = { ...thing.tags, ...tags };
      return {};
    },
    UntagResource: ({ resourceArn, tagKeys }) => {
      if (resourceArn.includes(":ecr:")) {
        return this.#untag(this.#repositories.get(resourceArn.split(":repository/")[1]), tagKeys);
      }
      if (resourceArn.includes(":logs:")) {
        return this.#untag(this.#logGroups.get(resourceArn.split(":log-group:")[1]), tagKeys);
      }
      const thing = this.#eksThing(resourceArn);
      thing.tags = without(thing.tags, tagKeys);
      return {};
    },
  };

  #tag(thing: Any, tags: { Key: string; Value: string }[]): object {
    thing.Tags = toList({ ...toTags(thing.Tags), ...toTags(tags) });
    return {};
  }
  #untag(thing: Any, keys: string[]): object {
    thing.Tags = toList(without(toTags(thing.Tags), keys));
    return {};
  }
}

const defined = (object: object): object =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
