import { describe, expect, test } from '@jest/globals';
import type { PolicyRule } from '@kcp-vw/shared/kube/rbac.ts';
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

function shard(phase: Phase = 'Ready', annotations: Record<string, string> = {}) {
  const objects = new Loopback(new Store(), new Registry([...KUBERNETES_RESOURCES, ...KCP_RESOURCES]), []);
  const { clusterRoles, clusterRoleBindings } = bootstrapPolicy();
  for (const role of clusterRoles) objects.create(CLUSTER_ROLES, LOCAL_ADMIN_CLUSTER, role);
  for (const binding of clusterRoleBindings) objects.create(CLUSTER_ROLE_BINDINGS, LOCAL_ADMIN_CLUSTER, binding);
  objects.create(LOGICAL_CLUSTERS, 'abc', { metadata: { name: 'cluster', annotations }, status: { phase } });
  const bind = (name: string, role: string, user: string): void => {
    objects.create(CLUSTER_ROLE_BINDINGS, 'abc', clusterRoleBinding(name, role, [{ kind: 'User', name: user }]));
  };
  const create = (name: string, rules: readonly PolicyRule[]): void => {
    objects.create(CLUSTER_ROLES, 'abc', { metadata: { name }, rules });
  };
  const authorize = createAuthorizer(objects);
  const may = (name: string, groups: readonly string[] = [], cluster = 'abc') =>
    authorize(cluster, shardIdentity(name, groups), LIST);
  return { authorize, bind, create, may };
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

  test('that does not exist is refused, service accounts explicitly: only they get past who asks for groups', () => {
    expect(shard().may('ada', [], 'nowhere')).toEqual({ allowed: false, reason: 'access denied' });
    expect(shard().may('system:serviceaccount:default:bot', [], 'nowhere')).toMatchObject({ denied: true });
  });

  test('is open to those whom a role of its own lets in, though it is called like one that kcp brings along', () => {
    const { bind, create, may } = shard();
    create('system:kcp:tenancy:reader', [{ verbs: ['access'], nonResourceURLs: ['/'] }]);
    create('reading', [{ verbs: ['list'], apiGroups: [''], resources: ['namespaces'] }]);
    bind('reader', 'system:kcp:tenancy:reader', 'ada');
    expect(may('ada').allowed).toBe(false);
    bind('reading', 'reading', 'ada');
    expect(may('ada').allowed).toBe(true);
  });

  test('gives by a role of the same name what either of the two gives', () => {
    const { bind, create, may } = shard();
    create('system:kcp:workspace:access', [{ verbs: ['list'], apiGroups: [''], resources: ['namespaces'] }]);
    bind('access', 'system:kcp:workspace:access', 'ada');
    expect(may('ada').allowed).toBe(true);
  });

  test('is closed before it initializes', () => {
    expect(shard('Scheduling').may('x', ['system:kcp:admin']).allowed).toBe(false);
  });

  test('of the system is for masters only', () => {
    expect(shard().may('x', ['system:kcp:admin'], 'system:admin').allowed).toBe(false);
  });
});

describe('a workspace that requires groups', () => {
  const requiring = (groups: string) => {
    const made = shard('Ready', { 'authorization.kcp.io/required-groups': groups });
    made.bind('admin', 'cluster-admin', 'ada');
    return made;
  };

  test('is closed to its own administrator who has none of them, explicitly', () => {
    const { may } = requiring('a');
    expect(may('ada')).toEqual({ allowed: false, denied: true, reason: 'access denied' });
    expect(may('ada', ['b']).denied).toBe(true);
  });

  test.each([
    { required: 'a', has: ['a'], enters: true },
    { required: 'a;b', has: ['b'], enters: true },
    { required: 'a,b', has: ['b'], enters: false },
    { required: 'a,b', has: ['b', 'a', 'c'], enters: true },
    { required: 'a,b;c', has: ['c'], enters: true },
    { required: 'a, b', has: ['a', 'b'], enters: false },
    { required: '', has: ['a'], enters: false },
  ])('requires "$required", and somebody with $has enters: $enters', ({ required, has, enters }) => {
    expect(requiring(required).may('ada', has).allowed).toBe(enters);
  });

  test('counts the groups of warrants, and none that is out of scope', () => {
    const { authorize } = requiring('a');
    const may = (extra: Record<string, string[]>, groups: string[] = []) =>
      authorize('abc', shardIdentity('ada', groups, '', extra), LIST).allowed;
    expect(may({ 'authorization.kcp.io/warrant': [JSON.stringify({ user: 'bob', groups: ['a'] })] })).toBe(true);
    expect(may({ 'authentication.kcp.io/scopes': ['cluster:other'] }, ['a'])).toBe(false);
  });

  test('is open without them to the administrators of kcp, and to its service accounts', () => {
    const { authorize, bind, may } = requiring('a');
    expect(may('x', ['system:kcp:admin']).allowed).toBe(true);
    expect(may('x', ['system:kcp:tenancy:workspace-bootstrapper']).allowed).toBe(true);
    bind('bot', 'cluster-admin', 'system:serviceaccount:default:bot');
    const extra = { 'authentication.kcp.io/cluster-name': ['abc'] };
    expect(authorize('abc', shardIdentity('system:serviceaccount:default:bot', [], '', extra), LIST).allowed).toBe(true);
  });

  test.each(['system:kcp:logical-cluster-admin', 'system:kcp:external-logical-cluster-admin'])('asks none of %s', group => {
    const { authorize } = requiring('a');
    const get = { ...LIST, verb: 'get', apiGroup: 'core.kcp.io', resource: 'logicalclusters', name: 'cluster' };
    expect(authorize('abc', shardIdentity('x', [group]), get).allowed).toBe(true);
  });

  test('is not asked by deep reviews', () => {
    expect(requiring('a').authorize('abc', shardIdentity('ada', []), LIST, { deep: true }).allowed).toBe(true);
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
