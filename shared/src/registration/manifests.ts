import { SERVICES } from '../config/options.ts';
import type { KubeObject } from '../kube/objects.ts';
import { CUSTOM_RESOURCE_DEFINITION } from './crd.ts';
import { ACCOUNTS_NAMESPACE, FRONT_PROXY_ACCOUNT, rolesOfFrontProxy, rolesOfView } from './manifests-rbac.ts';
import {
  GROUP,
  KIND,
  namespaceOf,
  type ServiceAccountReference,
  VERSION,
  type VirtualWorkspace,
  type VirtualWorkspaceSpec,
} from './virtual-workspace.ts';

/** The views that this project ships. */
export const shippedViews = (): string[] =>
  Object.values(SERVICES)
    .flatMap(({ views }) => views)
    .sort();

/** The service account of a view if no other is asked for: one per shipped service, and for others one in the view's namespace. */
export function defaultAccountOf(view: string): ServiceAccountReference {
  const service = Object.entries(SERVICES).find(([, { views }]) => views.includes(view))?.[0];
  return service === undefined ? { namespace: namespaceOf(view), name: view } : { namespace: ACCOUNTS_NAMESPACE, name: service };
}

/** The object of a view as it is installed, its status left to others. */
export const virtualWorkspaceOf = (view: string, spec: Omit<VirtualWorkspaceSpec, 'path'>): VirtualWorkspace => ({
  apiVersion: `${GROUP}/${VERSION}`,
  kind: KIND,
  metadata: { name: view },
  spec: { path: `/services/${view}`, ...spec },
});

/** Everything that these views need, each object after those that it needs, and every object once. */
export function manifestsOf(views: readonly VirtualWorkspace[]): readonly KubeObject[] {
  const accounts = unique([FRONT_PROXY_ACCOUNT, ...accountsOf(views)]);
  const namespaces = [
    ...accounts.map(({ namespace }) => namespace),
    ...views.map(({ metadata }) => namespaceOf(metadata?.name ?? '')),
  ];
  return [
    CUSTOM_RESOURCE_DEFINITION,
    ...[...new Set(namespaces)].sort().map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...accounts.map(metadata => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata } })),
    ...rolesOfFrontProxy(),
    ...views.flatMap(rolesOfView),
    // The last: who may serve a view should be able to as soon as it is there.
    ...views,
  ];
}

/** The service accounts of these views, each once. */
export const accountsOf = (views: readonly VirtualWorkspace[]): readonly ServiceAccountReference[] =>
  unique(views.flatMap(({ spec }) => spec.serviceAccounts ?? []));

const unique = (accounts: readonly ServiceAccountReference[]): readonly ServiceAccountReference[] => [
  ...new Map(accounts.map(account => [`${account.namespace}/${account.name}`, account])).values(),
];
