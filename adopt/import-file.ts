import aws from "@pulumi/aws/package.json" with { type: "json" };
import kubernetes from "@pulumi/kubernetes/package.json" with { type: "json" };
import { kubeconfig } from "../components/kubeconfig.ts";
import { resolvePolicies } from "../iam/policies.ts";
import type { Adoption, Described } from "./adoption.ts";
import type { Estate } from "./estate.ts";

// What `pulumi import --file` takes: the resources that the program will register, each with the id of what is there.

/** A resource of an import file. Source: "Importing resources", Pulumi docs, and the engine's `importSpec`. */
export interface ImportEntry {
  readonly type: string;
  /** By which other entries name it; no two are the same. */
  readonly name: string;
  /** The resource's name in the program, where that is another. */
  readonly logicalName?: string;
  readonly id?: string;
  readonly parent?: string;
  readonly provider?: string;
  /** Of the provider: the one that the program's packages ask for. */
  readonly version?: string;
  readonly component?: true;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

export interface ImportFile {
  readonly resources: readonly ImportEntry[];
}

/** Marks a value of an import file as a secret. Source: the engine's `resource.SigKey` and `resource.SecretSig`. */
const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});

const cluster: ImportEntry = { type: "eks-irsa:index:ExistingCluster", name: "cluster", component: true };
const clusterProvider = "cluster-kubernetes";

/** Comes first: the engine (3.274) makes the providers of a file before their parents, and refuses one that has none yet. */
export const clusterImport: ImportFile = { resources: [cluster] };

/** Everything that the stack takes over. */
export function importFile({ estate, described }: Adoption): ImportFile {
  return {
    resources: [
      cluster,
      {
        type: "pulumi:providers:kubernetes",
        name: clusterProvider,
        parent: cluster.name,
        version: kubernetes.version,
        inputs: providerInputs(estate.cluster),
      },
      ...described.flatMap((one) => entriesOf(one, estate)),
    ],
  };
}

/** As the SDK sends what `ownObjectsProvider` is given. */
const providerInputs = ({ name, endpoint, certificateAuthority, region }: Estate["cluster"]) => ({
  kubeconfig: secret(kubeconfig({ cluster: name, endpoint, certificateAuthority, region })),
  enableServerSideApply: "false",
});

function entriesOf(
  { binding, role, takesServiceAccount, association }: Described,
  { cluster }: Estate,
): ImportEntry[] {
  const { namespace, serviceAccount, policies = [], quotas } = binding;
  const name = `${namespace}.${serviceAccount}`;
  // Told from its children, one of which may be called as another binding is.
  const parent = `${namespace}/${serviceAccount}`;
  const ofAws = (type: string, resource: string, id: string): ImportEntry => ({
    type,
    name: `${type} ${name}-${resource}`,
    logicalName: `${name}-${resource}`,
    id,
    parent,
    version: aws.version,
  });
  return [
    { type: "eks-irsa:index:IrsaServiceAccount", name: parent, logicalName: name, component: true },
    ...(role === undefined
      ? []
      : [
          // AWS knows nothing of it, so that no provider can read it; the state is to have it as the program says it.
          {
            ...ofAws("aws:iam/role:Role", `role-${role.name}`, role.name),
            inputs: { forceDetachPolicies: true },
          },
          {
            ...ofAws(
              "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
              "managed-policies",
              role.name,
            ),
            // None at all is read as if it were not said, and the provider asks for it.
            ...(role.attachedPolicies.length === 0 && { inputs: { policyArns: [] } }),
          },
          ...resolvePolicies(policies, quotas)
            .filter(({ kind }) => kind === "inline")
            .map((policy) =>
              ofAws("aws:iam/rolePolicy:RolePolicy", policy.name, `${role.name}:${policy.name}`),
            ),
        ]),
    ...(takesServiceAccount
      ? [
          {
            type: "kubernetes:core/v1:ServiceAccount",
            name: `${name}-service-account`,
            id: `${namespace}/${serviceAccount}`,
            parent,
            provider: clusterProvider,
            version: kubernetes.version,
          },
        ]
      : []),
    ...(association === undefined
      ? []
      : [
          ofAws(
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            "association",
            `${cluster.name},${association.id}`,
          ),
        ]),
  ];
}
