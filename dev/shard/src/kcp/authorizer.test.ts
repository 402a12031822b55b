import { describe, expect, test } from '@jest/globals';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import { KUBERNETES_RESOURCES } from '../store/kubernetes-resources.ts';
import { Registry } from '../store/registry.ts';
import { Store } from '../store/store.ts';
import { createAuthorizer } from './authorizer.ts';
import { bootstrapPolicy, clusterRoleBinding } from './bootstrap-policy.ts';
import { shardIdentity } from './identity.ts';
import { Loopback } from './loopback.ts';
import type { Phase } from './objects.ts';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, LOCAL_ADMIN_CLUSTER, LOGICAL_CLUSTERS } from './refs.ts';

const LIST = {
  isResourceRequest: true,
  path: '',
  verb: 'list',
  apiGroup: '',
  resource: 'namespaces',
  subresource: '',
  namespace: '',
  name: '',
};

function shard(phase: Phase = 'Ready') {
  const objects = new Loopback(new Store(), new Registry([...KUBERNETES_RESOURCES, ...KCP_RESOURCES]), []);
  const { clusterRoles, clusterRoleBindings } = bootstrapPolicy();
  for (const role of clusterRoles) objects.create(CLUSTER_ROLES, LOCAL_ADMIN_CLUSTER, role);
  for (const binding of clusterRoleBindings) objects.create(CLUSTER_ROLE_BINDINGS, LOCAL_ADMIN_CLUSTER, binding);
  objects.create(LOGICAL_CLUSTERS, 'abc', { metadata: { name: 'cluster' }, status: { phase } });
  const bind = (name: string, role: string, user: string): void => {
    objects.create(CLUSTER_ROLE_BINDINGS, 'abc', clusterRoleBinding(name, role, [{ kind: 'User', name: user }]));
  };
  const authorize = createAuthorizer(objects);
  const may = (name: string, groups: readonly string[] = [], cluster = 'abc') =>
    authorize(cluster, shardIdentity(name, groups), LIST);
  return { authorize, bind, may };
}

describe('a workspace', () => {
  test('is open to masters, whatever its phase, and to the administrators of kcp', () => {
    expect(shard('Scheduling').may('x', ['system:masters']).allowed).toBe(true);
    expect(shard().may('x', ['system:kcp:admin']).allowed).toBe(true);
  });

  test('is closed to everyone else, in words that explain nothing', () => {
    expect(shard().may('ada')).toEqual({ allowed: false, reason: 'access denied' });
  });

  test('is open to its administrator', () => {
    const { bind, may } = shard();
    bind('workspace-admin', 'cluster-admin', 'ada');
    expect(may('ada')).toEqual({ allowed: true, reason: 'access granted' });
  });

  test('can be entered by its members, who may do nothing by that alone', () => {
    const { authorize, bind, may } = shard();
    bind('access', 'system:kcp:workspace:access', 'ada');
    expect(may('ada').allowed).toBe(false);
    const discovery = { ...LIST, isResourceRequest: false, path: '/apis', verb: 'get', resource: '' };
    expect(authorize('abc', shardIdentity('ada', []), discovery).allowed).toBe(true);
    expect(authorize('abc', shardIdentity('bob', []), discovery).allowed).toBe(false);
  });

  test('that does not exist is refused explicitly', () => {
    expect(shard().may('ada', [], 'nowhere')).toEqual({ allowed: false, denied: true, reason: 'access denied' });
  });

  test('is closed before it initializes', () => {
    expect(shard('Scheduling').may('x', ['system:kcp:admin']).allowed).toBe(false);
  });

  test('of the system is for masters only', () => {
    expect(shard().may('x', ['system:kcp:admin'], 'system:admin').allowed).toBe(false);
  });
});

describe('a lifecycle group', () => {
  const group = ['system:kcp:initializer:root:a'];

  test.each<Phase>(['Initializing', 'Terminating', 'Deleting'])('opens a workspace that is %s', phase => {
    expect(shard(phase).may('ada', group).allowed).toBe(true);
  });

  test('is worth nothing when the workspace is Ready', () => {
    expect(shard('Ready').may('ada', group).allowed).toBe(false);
  });
});

describe('a deep review', () => {
  test('asks for permissions alone, and not for access to the workspace', () => {
    const { authorize, bind } = shard('Scheduling');
    bind('admin', 'cluster-admin', 'ada');
    expect(authorize('abc', shardIdentity('ada', []), LIST, { deep: true }).allowed).toBe(true);
    expect(authorize('abc', shardIdentity('bob', []), LIST, { deep: true }).allowed).toBe(false);
  });
});
