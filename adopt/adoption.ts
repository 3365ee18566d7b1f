import { annotationsOf } from "../components/irsa-annotations.ts";
import { type IdentityArgs, phaseOf } from "../components/irsa-identity.ts";
import { ConfigError, type ConfigInput, parseConfig, project } from "../config.ts";
import { partitionOfArn } from "../iam/partition.ts";
import { awsManagedPolicyArn, type PolicyReference, resolvePolicies } from "../iam/policies.ts";
import { statementsOf } from "../iam/policy-reader.ts";
import { managedPoliciesPerRole, trustPolicyCharacters } from "../iam/quotas.ts";
import { pathInPolicyArn } from "../iam/role.ts";
import { stsAudience } from "../iam/trust-policy.ts";
import type { AssociationFacts, Estate, RoleFacts, ServiceAccountFacts } from "./estate.ts";
import { sameDocument } from "./same-document.ts";
import { type Said, trustWords } from "./trust-words.ts";

// From what is there to the words that would make it, so that the program, told these words, changes nothing.

/** A binding as a person writes it. */
export type BindingWords = NonNullable<ConfigInput["bindings"]>[number];

/** A ServiceAccount with a role that a binding describes. */
export interface Described {
  readonly binding: BindingWords;
  readonly roleArn: string;
  /** The role that the stack takes over; undefined where the binding only refers to it, and `reference` says why. */
  readonly role?: RoleFacts;
  readonly reference?: string;
  /** Whether the stack takes the ServiceAccount over; `left` says why where it does not. */
  readonly takesServiceAccount: boolean;
  readonly left?: string;
  readonly association?: AssociationFacts;
}

/** What no binding describes. */
export interface Undescribed {
  /** `namespace/name` of a ServiceAccount, or the ARN of a role. */
  readonly what: string;
  readonly roleArn?: string;
  readonly why: string;
}

export interface Adoption {
  readonly estate: Estate;
  readonly described: readonly Described[];
  readonly undescribed: readonly Undescribed[];
}

const roleAnnotation = "eks.amazonaws.com/role-arn";

/** What `kubectl apply` leaves behind. Pulumi's provider looks past it. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** A ServiceAccount with a role, and how it comes to it. */
interface Found {
  readonly namespace: string;
  readonly name: string;
  readonly account?: ServiceAccountFacts;
  readonly annotation?: string;
  readonly association?: AssociationFacts;
}

/** Describes every ServiceAccount of the estate that has a role. */
export function adoptionOf(estate: Estate): Adoption {
  const roles = new Map(estate.roles.map((role) => [role.arn, role]));
  const owners = new Map<string, string>();
  const resources = new Set<string>();
  const described: Described[] = [];
  const undescribed: Undescribed[] = [];
  for (const found of withRoles(estate)) {
    const key = `${found.namespace}/${found.name}`;
    const roleArn = found.association?.roleArn ?? found.annotation ?? "";
    const owner = owners.get(roleArn);
    const shared = owner && `the role is shared, and the binding of ${owner} describes it`;
    const outcome = describe(found, roleArn, roles.get(roleArn), { shared, resources }, estate);
    if ("why" in outcome) undescribed.push({ what: key, roleArn, why: outcome.why });
    else {
      described.push(outcome.said);
      if (outcome.said.role) owners.set(roleArn, key);
    }
  }
  return { estate, described, undescribed: [...undescribed, ...rolesWithoutUser(estate)] };
}

function withRoles({ serviceAccounts, associations }: Estate): Found[] {
  const found = new Map<string, Found>();
  for (const account of serviceAccounts) {
    const { namespace, name } = account;
    const annotation = account.annotations[roleAnnotation];
    found.set(`${namespace}/${name}`, { namespace, name, account, ...(annotation && { annotation }) });
  }
  for (const association of associations) {
    const { namespace, serviceAccount: name } = association;
    const key = `${namespace}/${name}`;
    found.set(key, { ...(found.get(key) ?? { namespace, name }), association });
  }
  return [...found]
    .filter(([, { annotation, association }]) => annotation !== undefined || association !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, one]) => one);
}

function describe(
  found: Found,
  roleArn: string,
  role: RoleFacts | undefined,
  others: { readonly shared: string | undefined; readonly resources: Set<string> },
  estate: Estate,
): Said<Described> {
  const { namespace, name, annotation, association } = found;
  const obstacle = obstacleOf(found, roleArn, role, estate);
  if (obstacle !== undefined) return { why: obstacle };
  const names = {
    namespace,
    serviceAccount: name,
    ...(association && { identity: identityOf(found), ...associationWords(association) }),
  };
  const account = accountWords(found, estate, annotation === undefined ? undefined : roleArn);
  const audience = found.account?.annotations["eks.amazonaws.com/audience"];
  const words =
    others.shared !== undefined
      ? { why: others.shared }
      : role === undefined
        ? { why: "it is in another account" }
        : unlessTaken(roleWords(role, found, audience, estate), found, others.resources);
  if ("why" in words && "why" in account) {
    return {
      why: `${account.why}; and of the role, ${words.why}: there is nothing left for a stack to hold`,
    };
  }
  const referred = {
    role: { arn: roleArn },
    ...(association && tagsWords(association.tags)),
    ...(audience !== undefined && { audience }),
  };
  return {
    said: {
      binding: {
        ...names,
        ...("why" in words ? referred : words.said),
        ...("why" in account ? { roleOnly: true } : account.said),
      },
      roleArn,
      ...("why" in words ? { reference: words.why } : { role }),
      takesServiceAccount: !("why" in account),
      ...("why" in account && { left: account.why }),
      ...(association && { association }),
    },
  };
}

/** How a ServiceAccount comes to its role. With both, it is on its way to the association, which the webhook prefers. */
const identityOf = ({ annotation, association }: Found): IdentityArgs =>
  association === undefined
    ? "irsa"
    : annotation === undefined
      ? "pod-identity"
      : { mechanism: "pod-identity", migrating: true };

const associationWords = ({ targetRoleArn, disableSessionTags, policy }: AssociationFacts) => ({
  ...(targetRoleArn !== undefined && { targetRole: { arn: targetRoleArn } }),
  ...(disableSessionTags && {
    session: { disableTags: true, ...(policy !== undefined && { policy: JSON.parse(policy) }) } as const,
  }),
});

/** Refuses policies which Pulumi would know by the names of another binding's: `a` with `b-c`, and `a-b` with `c`. */
function unlessTaken(
  words: Said<Partial<BindingWords>>,
  { namespace, name }: Found,
  resources: Set<string>,
): Said<Partial<BindingWords>> {
  if ("why" in words) return words;
  const { policies = [], quotas } = words.said;
  const names = resolvePolicies(policies, quotas)
    .filter(({ kind }) => kind === "inline")
    .map((policy) => `${namespace}.${name}-${policy.name}`);
  const taken = names.find((one) => resources.has(one));
  if (taken !== undefined)
    return { why: `Pulumi would know one of its policies as ${taken}, as it knows another's` };
  for (const one of names) resources.add(one);
  return words;
}

/** Why neither the role nor the ServiceAccount can be taken over, whatever the words. */
function obstacleOf(
  { annotation, association }: Found,
  roleArn: string,
  role: RoleFacts | undefined,
  { cluster }: Estate,
): string | undefined {
  if (annotation !== undefined && association !== undefined && annotation !== association.roleArn) {
    return `it has the annotation for ${annotation} and the Pod Identity association ${association.id} for ${association.roleArn}; a binding is for one role`;
  }
  const [, account] = /^arn:aws[a-z-]*:iam::(\d{12}):role\/\S+$/.exec(roleArn) ?? [];
  if (account === undefined) return `its annotation holds ${roleArn}, which is no role's ARN`;
  if (role === undefined && account === cluster.arn.split(":")[4]) return `there is no role ${roleArn}`;
  if (association?.ownerArn !== undefined) {
    return `its association belongs to the add-on ${association.ownerArn}, which goes on keeping it`;
  }
  return undefined;
}

const tagsWords = (tags: Readonly<Record<string, string>>): { tags?: Record<string, string> } => {
  // AWS's own are none of the stack's: no provider shows or changes them.
  const own = Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith("aws:")));
  return Object.keys(own).length === 0 ? {} : { tags: own };
};

/** What of a binding describes the role. */
function roleWords(
  role: RoleFacts,
  found: Found,
  audience: string | undefined,
  estate: Estate,
): Said<Partial<BindingWords>> {
  const { namespace, name, association } = found;
  const own = { namespace, serviceAccount: name };
  const identity = identityOf(found);
  if (association?.targetRoleArn !== undefined) {
    return { why: "its association goes on to another role, for which a binding writes a policy of its own" };
  }
  const trust = trustWords(role.trustPolicy, {
    ...own,
    identity,
    sessionTags: association?.disableSessionTags !== true,
    oidcProviderArn: estate.oidcProviderArn,
    clusterName: estate.cluster.name,
  });
  if ("why" in trust) return trust;
  const { otherSubjects, long } = trust.said;
  const { webIdentity } = phaseOf(identity);
  if (webIdentity && trust.said.audience !== (audience ?? stsAudience)) {
    return {
      why: `its trust policy takes tokens for ${trust.said.audience}, and the ServiceAccount's are for ${audience ?? stsAudience}`,
    };
  }
  if (association && !sameDocument(tagsWords(role.tags), tagsWords(association.tags))) {
    return { why: "its tags differ from those of the association, and a binding's are for both" };
  }
  const policies = policyWords(role, partitionOfArn(estate.cluster.arn));
  const managed = role.attachedPolicies.length;
  const quotas = {
    ...(managed > managedPoliciesPerRole.default && { managedPoliciesPerRole: managed }),
    ...(long && { trustPolicyCharacters: trustPolicyCharacters.max }),
  };
  const words: Partial<BindingWords> = {
    role: {
      name: role.name,
      ...(role.path !== "/" && { path: role.path }),
      ...(role.permissionsBoundary && { permissionsBoundary: role.permissionsBoundary }),
      ...(role.maxSessionDuration !== 3600 && { maxSessionDuration: role.maxSessionDuration }),
    },
    description: role.description,
    ...(policies.length > 0 && { policies }),
    ...(otherSubjects.length > 0 && { otherSubjects }),
    ...(webIdentity && trust.said.audience !== stsAudience && { audience: trust.said.audience }),
    ...(Object.keys(quotas).length > 0 && { quotas }),
    ...tagsWords(role.tags),
  };
  const refused = refusalOf(
    { ...own, identity, ...(association && associationWords(association)), ...words, roleOnly: true },
    estate,
  );
  return refused === undefined ? { said: words } : { why: `a binding cannot say it: ${refused}` };
}

/** The role's policies as references, no two of one name. */
function policyWords(role: RoleFacts, partition: string): PolicyReference[] {
  const ofAws = awsManagedPolicyArn(partition, "");
  const names = new Set(role.inlinePolicies.map(({ name }) => name.toLowerCase()));
  return [
    ...role.attachedPolicies.map((arn): PolicyReference => {
      const name = (pathInPolicyArn(arn) ?? arn).replaceAll("/", "-");
      let own = name;
      for (let number = 2; names.has(own.toLowerCase()); number++) own = `${name}-${number}`;
      names.add(own.toLowerCase());
      if (own !== name) return { name: own, arn };
      return arn.startsWith(ofAws) ? arn.slice(ofAws.length) : arn;
    }),
    ...role.inlinePolicies.map(({ name, document }) => ({ name, document: JSON.parse(document) })),
  ];
}

/** What of a binding describes the ServiceAccount, or why the stack has to leave it alone. */
function accountWords(
  found: Found,
  estate: Estate,
  roleArn: string | undefined,
): Said<Partial<BindingWords>> {
  const { namespace, name, account, association } = found;
  if (account === undefined) return { why: "there is no such ServiceAccount yet" };
  const keeper = keeperOf(account);
  if (keeper !== undefined) return { why: keeper };
  if (account.otherMetadata.length > 0) {
    return {
      why: `the ServiceAccount has ${account.otherMetadata.join(", ")}, which a binding has no word for`,
    };
  }
  const {
    [roleAnnotation]: _,
    [lastApplied]: applied,
    "eks.amazonaws.com/audience": audience,
    "eks.amazonaws.com/token-expiration": expiration,
    "eks.amazonaws.com/sts-regional-endpoints": regional,
    ...annotations
  } = account.annotations;
  const identity = identityOf(found);
  // Where `kubectl apply` left an annotation and nobody another, the provider sees a map with nothing in it.
  const emptied = applied !== undefined && roleArn === undefined && Object.keys(annotations).length === 0;
  const words = {
    ...(Object.keys(account.labels).length > 0 && { labels: { ...account.labels } }),
    ...((Object.keys(annotations).length > 0 || emptied) && { annotations }),
    ...(audience !== undefined && { audience }),
    ...(expiration !== undefined && { tokenExpirationSeconds: Number(expiration) }),
    ...(regional !== undefined && { stsRegionalEndpoints: regional === "true" }),
    ...(account.automountToken !== false && { automountToken: account.automountToken ?? ("unset" as const) }),
  };
  const { [lastApplied]: __, ...live } = account.annotations;
  if (!sameDocument(annotationsOf({ identity, ...words }, roleArn ?? "") ?? {}, live)) {
    return {
      why: `a binding cannot write the ServiceAccount's annotations as they are: ${JSON.stringify(live)}`,
    };
  }
  const refused = refusalOf(
    {
      namespace,
      serviceAccount: name,
      identity,
      role: { arn: roleArn ?? association?.roleArn ?? "" },
      ...words,
    },
    estate,
  );
  if (refused !== undefined) return { why: `a binding cannot say the ServiceAccount: ${refused}` };
  // Beside a role that is described, the audience is the role's word.
  const { audience: ___, ...own } = words;
  return { said: own };
}

/** Who goes on applying a ServiceAccount, so that a stack would fight over it; undefined where nobody does. */
function keeperOf({ name, labels, annotations, owners }: ServiceAccountFacts): string | undefined {
  const [owner] = owners;
  if (owner !== undefined) return `the ServiceAccount belongs to ${owner}`;
  if (name === "default") return "Kubernetes itself makes the ServiceAccount default of each namespace";
  const release = annotations["meta.helm.sh/release-name"];
  if (release !== undefined || labels["app.kubernetes.io/managed-by"] === "Helm") {
    return `the ServiceAccount belongs to ${release === undefined ? "a Helm chart" : `the Helm release ${release}`}`;
  }
  for (const [key, tool] of [
    ["argocd.argoproj.io/tracking-id", "Argo CD"],
    ["argocd.argoproj.io/instance", "Argo CD"],
    ["kustomize.toolkit.fluxcd.io/name", "Flux"],
    ["helm.toolkit.fluxcd.io/name", "Flux"],
  ] as const) {
    if (key in labels || key in annotations) return `${tool} applies the ServiceAccount`;
  }
  return undefined;
}

/** Why the configuration does not take a binding; undefined where it does. */
function refusalOf(binding: BindingWords, { cluster }: Estate): string | undefined {
  const config = {
    "aws:region": cluster.region,
    [`${project}:app`]: "none",
    [`${project}:cluster`]: JSON.stringify({ name: cluster.name, existing: true }),
    [`${project}:bindings`]: JSON.stringify([binding]),
  };
  try {
    parseConfig("adopted", config);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues
      .map(({ key, problem }) => `${key.replace(`${project}:bindings[0].`, "")}: ${problem}`)
      .join("; ");
  }
}

/** Roles that trust the cluster's issuer, and that nothing which was read comes to. */
function rolesWithoutUser({ roles, serviceAccounts, associations, oidcProviderArn }: Estate): Undescribed[] {
  const used = new Set([
    ...serviceAccounts.map(({ annotations }) => annotations[roleAnnotation]),
    ...associations.map(({ roleArn }) => roleArn),
  ]);
  return roles
    .filter(({ arn }) => !used.has(arn))
    .filter(({ trustPolicy }) =>
      statementsOf(trustPolicy).some(
        ({ Principal }) =>
          oidcProviderArn !== undefined &&
          typeof Principal === "object" &&
          [Principal.Federated].flat().includes(oidcProviderArn),
      ),
    )
    .map(({ arn }) => ({
      what: arn,
      why: "it trusts the cluster's issuer, and no ServiceAccount that was looked at names it",
    }));
}
