import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { SPREAD_ANNOTATION } from '../running/placement-annotations.ts';
import { COMPUTE_VERBS, grant, type Subject, serviceRules } from './rbac.ts';

/** Whom the service asks kcp as: a service account of the workspace with the exports. */
export const ACCOUNT = { namespace: 'syncer-vw', name: 'syncer-vw' } as const;
export const ACCOUNT_SUBJECT: Subject = { kind: 'ServiceAccount', ...ACCOUNT };

const RBAC_VERSION = 'rbac.authorization.k8s.io/v1';
const LEASES_ROLE = { namespace: ACCOUNT.namespace, name: 'syncer-vw:leases' };

const NOWHERE = { [SPREAD_ANNOTATION]: '0' };

/** A namespace with the credentials of syncers, or of this service: wherever its workspace is synced, it goes to no cluster. */
export const credentialsNamespace = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, annotations: NOWHERE },
});

/** What kcp calls a service account in logical clusters that are not its own. */
export const globalNameOf = (
  cluster: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string => `system:kcp:serviceaccount:${cluster}:${namespace}:${name}`;

/** The account, and its right to be the leader: for its own workspace. */
export const accountObjects = (): readonly KubeObject[] => [
  credentialsNamespace(ACCOUNT.namespace),
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...ACCOUNT } },
  {
    apiVersion: RBAC_VERSION,
    kind: 'Role',
    metadata: LEASES_ROLE,
    rules: [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update', 'patch'] }],
  },
  {
    apiVersion: RBAC_VERSION,
    kind: 'RoleBinding',
    metadata: LEASES_ROLE,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: LEASES_ROLE.name },
    subjects: [ACCOUNT_SUBJECT],
  },
];

/** kcp asks for it before any other right of whoever is not of the workspace. */
const ENTER = { nonResourceURLs: ['/'], verbs: ['access'] };

/** For the workspace `root`: which shards there are. `cluster`: the logical cluster of the account, which may have namesakes elsewhere. */
export const shardsGrant = (cluster: string): readonly KubeObject[] =>
  grant(
    `syncer-vw:${cluster}:shards`,
    [ENTER, { apiGroups: ['core.kcp.io'], resources: ['shards'], verbs: ['get', 'list', 'watch'] }],
    [{ kind: 'User', name: globalNameOf(cluster, ACCOUNT) }],
  );

/** For the workspace of an export that somebody else provides: its objects may be synced. */
export const providerGrant = (cluster: string, exported: string): readonly KubeObject[] =>
  grant(
    `syncer-vw:${cluster}:${exported}`,
    [ENTER, ...serviceRules(exported, COMPUTE_VERBS)],
    [{ kind: 'User', name: globalNameOf(cluster, ACCOUNT) }],
  );
