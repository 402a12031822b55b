import { invalid } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { AGE, builtIn, CREATED_AT, text } from './built-in.ts';
import { ALL_VERBS, type ResourceDefinition } from './definition.ts';
import { EVENT_RESOURCES } from './kubernetes-events.ts';
import { POLICY_RESOURCES } from './kubernetes-policies.ts';

/** Held by this entry of its `spec.finalizers` until its contents are gone. */
export const NAMESPACE_FINALIZER = 'kubernetes';

export type Namespace = KubeObject & {
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: string };
};

/** A namespace as it is created: Active, with its name in a label, held by its contents. */
export const namespaceObject = (name: string, given: KubeObject = {}): KubeObject => ({
  ...namedInLabel({ ...given, metadata: { ...given.metadata, name } }),
  spec: { finalizers: [...new Set([...((given as Namespace).spec?.finalizers ?? []), NAMESPACE_FINALIZER])] },
  status: { phase: 'Active' },
});

/** Whatever a writer says, the label is the name. */
const namedInLabel = ({ metadata, ...rest }: KubeObject): KubeObject => ({
  ...rest,
  metadata: { ...metadata, labels: { ...metadata?.labels, 'kubernetes.io/metadata.name': metadata?.name ?? '' } },
});

function refuseWrongPhase(object: KubeObject, previous: KubeObject | undefined): void {
  const [phase, when] = previous?.metadata?.deletionTimestamp ? ['Terminating', 'is not'] : ['Active', 'is'];
  const given = (object as Namespace).status?.phase ?? '';
  if (given === phase) return;
  const detail = `may only be '${phase}' if \`deletionTimestamp\` ${when} empty`;
  throw invalid(NAMESPACES, object.metadata?.name ?? '', [{ field: 'status.Phase', value: given, detail }]);
}

export const NAMESPACES: ResourceDefinition = builtIn({
  ...{ group: '', resource: 'namespaces', singular: 'namespace', kind: 'Namespace', namespaced: false, shortNames: ['ns'] },
  ...{ statusSubresource: true, statusWithMetadata: true },
  verbs: ALL_VERBS.filter(verb => verb !== 'deletecollection'),
  columns: [text('Status', '.status.phase', 'The status of the namespace'), AGE],
  isHeld: object => ((object as Namespace).spec?.finalizers ?? []).length > 0,
  whenDeleting: object => ({ ...object, status: { ...(object as Namespace).status, phase: 'Terminating' } }),
  admit: (object, { verb, previous }) => {
    if (verb === 'create') return namespaceObject(object.metadata?.name ?? '', object);
    // Only `/finalize` lets go of a namespace.
    return verb === 'update' ? namedInLabel({ ...object, spec: previous?.spec }) : object;
  },
  validate: refuseWrongPhase,
});

const RBAC = 'rbac.authorization.k8s.io';
const ROLE = text('Role', '.roleRef.name');

/** Text that is given as such is stored like all other data. */
function admitSecret(object: KubeObject): KubeObject {
  const { stringData, ...secret } = object as KubeObject & { readonly stringData?: Readonly<Record<string, string>> };
  const given = Object.entries(stringData ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const data = given.length === 0 ? {} : { data: { ...(secret.data as object | undefined), ...Object.fromEntries(given) } };
  return { ...secret, ...data, type: secret.type ?? 'Opaque' };
}

/** The resources of Kubernetes that every logical cluster has, but for the reviews, which are computed. */
export const KUBERNETES_RESOURCES: readonly ResourceDefinition[] = [
  builtIn({ group: '', resource: 'configmaps', singular: 'configmap', kind: 'ConfigMap', namespaced: true, shortNames: ['cm'] }),
  ...EVENT_RESOURCES,
  NAMESPACES,
  builtIn({
    ...{ group: '', resource: 'resourcequotas', singular: 'resourcequota', kind: 'ResourceQuota', namespaced: true },
    ...{ shortNames: ['quota'], statusSubresource: true, statusWithMetadata: true },
  }),
  builtIn({
    ...{ group: '', resource: 'secrets', singular: 'secret', kind: 'Secret', namespaced: true },
    columns: [text('Type', '.type'), AGE],
    selectableFields: { type: (object: KubeObject) => String(object.type ?? '') },
    admit: admitSecret,
  }),
  builtIn({
    ...{ group: '', resource: 'serviceaccounts', singular: 'serviceaccount', kind: 'ServiceAccount', namespaced: true },
    shortNames: ['sa'],
  }),
  builtIn({
    group: RBAC,
    resource: 'clusterrolebindings',
    singular: 'clusterrolebinding',
    kind: 'ClusterRoleBinding',
    namespaced: false,
    columns: [ROLE, AGE],
  }),
  builtIn({
    group: RBAC,
    resource: 'clusterroles',
    singular: 'clusterrole',
    kind: 'ClusterRole',
    namespaced: false,
    columns: [CREATED_AT],
  }),
  builtIn({
    group: RBAC,
    resource: 'rolebindings',
    singular: 'rolebinding',
    kind: 'RoleBinding',
    namespaced: true,
    columns: [ROLE, AGE],
  }),
  builtIn({ group: RBAC, resource: 'roles', singular: 'role', kind: 'Role', namespaced: true, columns: [CREATED_AT] }),
  builtIn({
    ...{ group: 'coordination.k8s.io', resource: 'leases', singular: 'lease', kind: 'Lease', namespaced: true },
    columns: [text('Holder', '.spec.holderIdentity'), AGE],
  }),
  builtIn({
    ...{ group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', singular: 'customresourcedefinition' },
    ...{ kind: 'CustomResourceDefinition', namespaced: false, shortNames: ['crd', 'crds'], categories: ['api-extensions'] },
    ...{ statusSubresource: true, statusWithMetadata: true, tracksGeneration: true, columns: [CREATED_AT] },
  }),
  ...POLICY_RESOURCES,
];
