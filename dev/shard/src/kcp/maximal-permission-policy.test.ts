import { describe, expect, test } from '@jest/globals';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import { KUBERNETES_RESOURCES } from '../store/kubernetes-resources.ts';
import { Registry } from '../store/registry.ts';
import { Store } from '../store/store.ts';
import { createAuthorizer } from './authorizer.ts';
import { bootstrapPolicy, clusterRoleBinding } from './bootstrap-policy.ts';
import { shardIdentity } from './identity.ts';
import { Loopback } from './loopback.ts';
import {
  API_BINDINGS,
  API_EXPORTS,
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  LOCAL_ADMIN_CLUSTER,
  LOGICAL_CLUSTERS,
} from './refs.ts';

const GET = { isResourceRequest: true, path: '', verb: 'get', subresource: '', namespace: '', name: '' };
const COWBOYS = { ...GET, apiGroup: 'wildwest.dev', resource: 'cowboys' };

/** A consumer in which ada may do anything, bound to an export. */
function shard(spec: object) {
  const objects = new Loopback(new Store(), new Registry([...KUBERNETES_RESOURCES, ...KCP_RESOURCES]), []);
  const { clusterRoles, clusterRoleBindings } = bootstrapPolicy();
  for (const role of clusterRoles) objects.create(CLUSTER_ROLES, LOCAL_ADMIN_CLUSTER, role);
  for (const binding of clusterRoleBindings) objects.create(CLUSTER_ROLE_BINDINGS, LOCAL_ADMIN_CLUSTER, binding);
  for (const cluster of ['provider', 'consumer']) {
    objects.create(LOGICAL_CLUSTERS, cluster, { metadata: { name: 'cluster' }, status: { phase: 'Ready' } });
  }
  objects.create(API_EXPORTS, 'provider', { metadata: { name: 'today' }, spec });
  objects.create(API_BINDINGS, 'consumer', {
    metadata: { name: 'bound' },
    spec: { reference: { export: { path: 'provider', name: 'today' } } },
    status: { boundResources: [{ group: 'wildwest.dev', resource: 'cowboys' }] },
  });
  const ada = [{ kind: 'User', name: 'ada' }] as const;
  objects.create(CLUSTER_ROLE_BINDINGS, 'consumer', clusterRoleBinding('admin', 'cluster-admin', ada));
  const allow = (verbs: readonly string[], name: string): void => {
    objects.create(CLUSTER_ROLES, 'provider', {
      metadata: { name: 'policy' },
      rules: [{ verbs, apiGroups: ['wildwest.dev'], resources: ['cowboys'] }],
    });
    const subject = [{ kind: 'User', name: `apis.kcp.io:binding:${name}` }] as const;
    objects.create(CLUSTER_ROLE_BINDINGS, 'provider', clusterRoleBinding('policy', 'policy', subject));
  };
  const authorize = createAuthorizer(objects);
  const may = (request: typeof COWBOYS, cluster = 'consumer'): boolean =>
    authorize(cluster, shardIdentity('ada', []), request).allowed;
  return { allow, authorize, may };
}

const POLICY = { maximalPermissionPolicy: { local: {} } };

describe('a maximal permission policy', () => {
  test('bounds the administrator of a consumer, in what is bound and in nothing else', () => {
    const { may } = shard(POLICY);
    expect(may(COWBOYS)).toBe(false);
    expect(may({ ...COWBOYS, apiGroup: '', resource: 'configmaps' })).toBe(true);
  });

  test('allows what roles beside the export give to the user under his name in policies', () => {
    const { allow, may } = shard(POLICY);
    allow(['get'], 'ada');
    expect(may(COWBOYS)).toBe(true);
    expect(may({ ...COWBOYS, verb: 'delete' })).toBe(false);
  });

  test('means nobody where the export has none', () => {
    expect(shard({}).may(COWBOYS)).toBe(true);
  });

  test('is what a deep review in the logical cluster of the export asks about', () => {
    const { allow, authorize } = shard(POLICY);
    allow(['get'], 'ada');
    const review = (name: string): boolean => authorize('provider', shardIdentity(name, []), COWBOYS, { deep: true }).allowed;
    expect(review('apis.kcp.io:binding:ada')).toBe(true);
    expect(review('ada')).toBe(false);
  });
});
