/** A resource that is no APIResourceSchema's: of Kubernetes or of kcp itself, served by every shard without an identity. */
export interface ClaimableApi {
  readonly group: string;
  readonly versions: readonly string[];
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly status: boolean;
  /** A review is made, and never stored. */
  readonly createOnly: boolean;
}

type Row = readonly [resource: string, singular: string, kind: string, traits?: string];

/** `c`: cluster-scoped, `s`: has a status, `r`: a review. */
const rows = (group: string, versions: readonly string[], ...members: readonly Row[]): readonly ClaimableApi[] =>
  members.map(([resource, singular, kind, traits = '']) =>
    Object.freeze({
      ...{ group, versions, resource, singular, kind },
      namespaced: !traits.includes('c'),
      status: traits.includes('s'),
      createOnly: traits.includes('r'),
    }),
  );

/** What a claim without an identity may name: kcp's `apiexport/schemas/builtin`. */
const BUILT_IN: readonly ClaimableApi[] = [
  ...rows(
    '',
    ['v1'],
    ['configmaps', 'configmap', 'ConfigMap'],
    ['events', 'event', 'Event'],
    ['namespaces', 'namespace', 'Namespace', 'cs'],
    ['resourcequotas', 'resourcequota', 'ResourceQuota', 's'],
    ['secrets', 'secret', 'Secret'],
    ['serviceaccounts', 'serviceaccount', 'ServiceAccount'],
  ),
  ...rows(
    'admissionregistration.k8s.io',
    ['v1'],
    ['mutatingadmissionpolicies', 'mutatingadmissionpolicy', 'MutatingAdmissionPolicy', 'c'],
    ['mutatingadmissionpolicybindings', 'mutatingadmissionpolicybinding', 'MutatingAdmissionPolicyBinding', 'c'],
    ['mutatingwebhookconfigurations', 'mutatingwebhookconfiguration', 'MutatingWebhookConfiguration', 'c'],
    ['validatingadmissionpolicies', 'validatingadmissionpolicy', 'ValidatingAdmissionPolicy', 'cs'],
    ['validatingadmissionpolicybindings', 'validatingadmissionpolicybinding', 'ValidatingAdmissionPolicyBinding', 'c'],
    ['validatingwebhookconfigurations', 'validatingwebhookconfiguration', 'ValidatingWebhookConfiguration', 'c'],
  ),
  ...rows(
    'apiextensions.k8s.io',
    ['v1'],
    ['customresourcedefinitions', 'customresourcedefinition', 'CustomResourceDefinition', 'cs'],
  ),
  ...rows(
    'authorization.k8s.io',
    ['v1'],
    ['localsubjectaccessreviews', 'localsubjectaccessreview', 'LocalSubjectAccessReview', 'r'],
    ['subjectaccessreviews', 'subjectaccessreview', 'SubjectAccessReview', 'cr'],
  ),
  ...rows(
    'certificates.k8s.io',
    ['v1'],
    ['certificatesigningrequests', 'certificatesigningrequest', 'CertificateSigningRequest', 'cs'],
  ),
  ...rows('coordination.k8s.io', ['v1'], ['leases', 'lease', 'Lease']),
  ...rows('core.kcp.io', ['v1alpha1'], ['logicalclusters', 'logicalcluster', 'LogicalCluster', 'cs']),
  ...rows('events.k8s.io', ['v1'], ['events', 'event', 'Event']),
  ...rows(
    'rbac.authorization.k8s.io',
    ['v1'],
    ['clusterrolebindings', 'clusterrolebinding', 'ClusterRoleBinding', 'c'],
    ['clusterroles', 'clusterrole', 'ClusterRole', 'c'],
    ['rolebindings', 'rolebinding', 'RoleBinding'],
    ['roles', 'role', 'Role'],
  ),
];

export const APIS_GROUP = 'apis.kcp.io';

/** Every view of an export serves its bindings, also when it claims none. */
export const API_BINDINGS: ClaimableApi = Object.freeze({
  group: APIS_GROUP,
  versions: ['v1alpha1', 'v1alpha2'],
  resource: 'apibindings',
  singular: 'apibinding',
  kind: 'APIBinding',
  namespaced: false,
  status: true,
  createOnly: false,
});

/** Of kcp's own group these may be claimed. */
const APIS: readonly ClaimableApi[] = [
  API_BINDINGS,
  ...rows(APIS_GROUP, ['v1alpha1', 'v1alpha2'], ['apiexports', 'apiexport', 'APIExport', 'cs']),
  ...rows(APIS_GROUP, ['v1alpha1'], ['apiresourceschemas', 'apiresourceschema', 'APIResourceSchema', 'c']),
];

export const CLAIMABLE_APIS: readonly ClaimableApi[] = Object.freeze([...BUILT_IN, ...APIS]);

const nameOf = ({ group = '', resource }: { readonly group?: string; readonly resource: string }): string =>
  `${resource}.${group}`;

const CLAIMABLE: ReadonlyMap<string, ClaimableApi> = new Map(CLAIMABLE_APIS.map(api => [nameOf(api), api]));

const EVENTS: readonly string[] = ['events.', 'events.events.k8s.io'];

/**
 * What a claim to a group and resource opens, if it needs no identity; undefined: it is a resource of some APIExport.
 * Kubernetes serves the same events in two groups: a claim to either opens both (kcp#3894), the claimed one first.
 */
export function claimableApis(claim: {
  readonly group?: string;
  readonly resource: string;
}): readonly ClaimableApi[] | undefined {
  const name = nameOf(claim);
  const names = EVENTS.includes(name) ? [name, ...EVENTS.filter(other => other !== name)] : [name];
  const found = names.flatMap(one => CLAIMABLE.get(one) ?? []);
  return found.length > 0 ? found : undefined;
}

/** The group and resource that a binding's claim is looked up by: events are claimed as those of the legacy group. */
export function claimedAs(group: string, resource: string): { readonly group: string; readonly resource: string } {
  return resource === 'events' && group === 'events.k8s.io' ? { group: '', resource } : { group, resource };
}
