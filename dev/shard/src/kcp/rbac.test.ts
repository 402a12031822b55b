import { describe, expect, test } from '@jest/globals';
import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import type { RequestRef } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { clusterRoleBinding } from './bootstrap-policy.ts';
import { shardIdentity } from './identity.ts';
import { type RbacObjects, rbacAllows } from './rbac.ts';

const READ_SECRETS = [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }];
const EVERY_PATH = [{ verbs: ['get'], nonResourceURLs: ['*'] }];

const getSecret = (namespace: string): RequestRef => ({
  isResourceRequest: true,
  path: '',
  verb: 'get',
  apiGroup: '',
  resource: 'secrets',
  subresource: '',
  namespace,
  name: 'x',
});
const getPath: RequestRef = { ...getSecret(''), isResourceRequest: false, path: '/version', resource: '' };

interface Given {
  readonly clusterRoles?: Readonly<Record<string, unknown>>;
  readonly clusterRoleBindings?: readonly KubeObject[];
  readonly roles?: Readonly<Record<string, unknown>>;
  readonly roleBindings?: Readonly<Record<string, readonly KubeObject[]>>;
}

const objectsOf = ({ clusterRoles = {}, clusterRoleBindings = [], roles = {}, roleBindings = {} }: Given): RbacObjects => ({
  clusterRole: name => (name in clusterRoles ? { rules: clusterRoles[name] } : undefined),
  clusterRoleBindings: () => clusterRoleBindings,
  role: (namespace, name) => (`${namespace}/${name}` in roles ? { rules: roles[`${namespace}/${name}`] } : undefined),
  roleBindings: namespace => roleBindings[namespace] ?? [],
});

const bindingOf = (kind: 'Role' | 'ClusterRole', name: string, subject: object): KubeObject => ({
  roleRef: { kind, name },
  subjects: [subject],
});

const ada = shardIdentity('ada', ['team-1']);
const allows = (given: Given, request: RequestRef, ...users: Identity[]): boolean =>
  rbacAllows(objectsOf(given), users.length > 0 ? users : [ada], request);

describe('a binding of a cluster role', () => {
  const clusterRoles = { reader: READ_SECRETS };

  test('gives the user that it names the role in every namespace', () => {
    const given = { clusterRoles, clusterRoleBindings: [clusterRoleBinding('b', 'reader', [{ kind: 'User', name: 'ada' }])] };
    expect(allows(given, getSecret('a'))).toBe(true);
    expect(allows(given, getSecret('b'))).toBe(true);
    expect(allows(given, { ...getSecret('a'), verb: 'delete' })).toBe(false);
    expect(allows(given, getSecret('a'), shardIdentity('bob', []))).toBe(false);
  });

  test('gives it to every member of the group that it names', () => {
    const given = { clusterRoles, clusterRoleBindings: [clusterRoleBinding('b', 'reader', [{ kind: 'Group', name: 'team-1' }])] };
    expect(allows(given, getSecret('a'))).toBe(true);
    expect(allows(given, getSecret('a'), shardIdentity('bob', ['team-2']))).toBe(false);
  });

  test('gives nothing when the role does not exist', () => {
    expect(
      allows({ clusterRoleBindings: [clusterRoleBinding('b', 'none', [{ kind: 'User', name: 'ada' }])] }, getSecret('a')),
    ).toBe(false);
  });

  test('counts when it is about any one of several identities', () => {
    const given = { clusterRoles, clusterRoleBindings: [clusterRoleBinding('b', 'reader', [{ kind: 'User', name: 'ada' }])] };
    expect(allows(given, getSecret('a'), shardIdentity('bob', []), ada)).toBe(true);
  });
});

describe('a binding in a namespace', () => {
  test('gives a role there and nowhere else', () => {
    const subject = { kind: 'User', name: 'ada' };
    const given = { roles: { 'a/reader': READ_SECRETS }, roleBindings: { a: [bindingOf('Role', 'reader', subject)] } };
    expect(allows(given, getSecret('a'))).toBe(true);
    expect(allows(given, getSecret('b'))).toBe(false);
  });

  test('restricts a cluster role to the namespace, and gives no paths', () => {
    const subject = { kind: 'User', name: 'ada' };
    const clusterRoles = { reader: [...READ_SECRETS, ...EVERY_PATH] };
    const given = { clusterRoles, roleBindings: { a: [bindingOf('ClusterRole', 'reader', subject)] } };
    expect(allows(given, getSecret('a'))).toBe(true);
    expect(allows(given, getSecret(''))).toBe(false);
    expect(allows(given, getPath)).toBe(false);
  });

  test('finds a service account without a namespace in its own', () => {
    const subject = { kind: 'ServiceAccount', name: 'robot' };
    const given = { roles: { 'a/reader': READ_SECRETS }, roleBindings: { a: [bindingOf('Role', 'reader', subject)] } };
    expect(allows(given, getSecret('a'), shardIdentity('system:serviceaccount:a:robot', []))).toBe(true);
    expect(allows(given, getSecret('a'), shardIdentity('system:serviceaccount:b:robot', []))).toBe(false);
  });
});
