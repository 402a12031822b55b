import { FRONT_PROXY } from '../config/options.ts';
import type { KubeObject } from '../kube/objects.ts';
import { GROUP, namespaceOf, RESOURCE, type ServiceAccountReference, type VirtualWorkspace } from './virtual-workspace.ts';

/** Where the service accounts of the front proxies and of this project's own services are. */
export const ACCOUNTS_NAMESPACE = 'virtualworkspaces';
export const FRONT_PROXY_ACCOUNT: ServiceAccountReference = { namespace: ACCOUNTS_NAMESPACE, name: FRONT_PROXY };

const RBAC_GROUP = 'rbac.authorization.k8s.io';
const apiVersion = `${RBAC_GROUP}/v1`;
const FRONT_PROXY_ROLE = `virtualworkspaces:${FRONT_PROXY}`;
const LEASES_ROLE = 'virtualworkspaces:view';

/**
 * What the service accounts of a view may: its own object and the leases in its own namespace. No role lets them into the workspace:
 * kcp lets a service account into the one that it is of.
 */
export function rolesOfView({ metadata, spec }: VirtualWorkspace): readonly KubeObject[] {
  const view = metadata?.name ?? '';
  const namespace = namespaceOf(view);
  const accounts = spec.serviceAccounts ?? [];
  const name = `virtualworkspaces:view:${view}`;
  const resourceNames = [view];
  const clusterRole = {
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name },
    rules: [
      // List and watch are for those who ask with fieldSelector=metadata.name=<view>.
      { apiGroups: [GROUP], resources: [RESOURCE], resourceNames, verbs: ['get', 'list', 'watch'] },
      { apiGroups: [GROUP], resources: [`${RESOURCE}/status`], resourceNames, verbs: ['get', 'patch', 'update'] },
    ],
  };
  const leases = {
    apiVersion,
    kind: 'Role',
    metadata: { name: LEASES_ROLE, namespace },
    rules: [leaseRule('get', 'create', 'update', 'patch', 'delete')],
  };
  // The front proxy takes away what instances that are gone have left.
  const frontProxy = {
    apiVersion,
    kind: 'Role',
    metadata: { name: FRONT_PROXY_ROLE, namespace },
    rules: [leaseRule('delete')],
  };
  return [
    clusterRole,
    bindingOf(clusterRole, accounts),
    leases,
    bindingOf(leases, accounts),
    frontProxy,
    bindingOf(frontProxy, [FRONT_PROXY_ACCOUNT]),
  ];
}

/** What front proxies may: follow all views and all leases, and say in the status what they make of them. */
export function rolesOfFrontProxy(): readonly KubeObject[] {
  const role = {
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name: FRONT_PROXY_ROLE },
    rules: [
      { apiGroups: [GROUP], resources: [RESOURCE], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [GROUP], resources: [`${RESOURCE}/status`], verbs: ['get', 'patch', 'update'] },
      // Of all namespaces at once, since views come and go.
      leaseRule('get', 'list', 'watch'),
    ],
  };
  return [role, bindingOf(role, [FRONT_PROXY_ACCOUNT])];
}

const leaseRule = (...verbs: string[]) => ({ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs });

/** Has the name of its role, which no binding can change later. */
function bindingOf({ kind, metadata }: KubeObject, accounts: readonly ServiceAccountReference[]): KubeObject {
  return {
    apiVersion,
    kind: `${kind}Binding`,
    metadata: { ...metadata },
    roleRef: { apiGroup: RBAC_GROUP, kind, name: metadata?.name },
    subjects: accounts.map(({ namespace, name }) => ({ kind: 'ServiceAccount', namespace, name })),
  };
}
