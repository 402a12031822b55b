import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import fc from 'fast-check';
import { type LogicalClusterFacts, NOBODY, type RoleFacts } from '../index/facts.ts';
import { bindingFacts, logicalClusterFacts, roleFacts, workspaceFacts } from './parse-facts.ts';

const ENTER = { verbs: ['access'], nonResourceURLs: ['/'] };
const GET = { verbs: ['get'], apiGroups: ['tenancy.kcp.io'], resources: ['workspaces'] };
const NEITHER = undefined;

describe('a ClusterRole', () => {
  const accessOnly: RoleFacts = { access: true };
  const getAll: RoleFacts = { access: false, getWorkspaces: '*' };
  const getNames = (...names: string[]): RoleFacts => ({ access: false, getWorkspaces: names });

  test.each<[string, RoleFacts | undefined, unknown]>([
    ['gives access by the verb access on the root path', accessOnly, [ENTER]],
    ['gives access by every verb', accessOnly, [{ ...ENTER, verbs: ['*'] }]],
    ['gives access by one verb of several', accessOnly, [{ ...ENTER, verbs: ['get', 'access'] }]],
    ['gives access by /*', accessOnly, [{ ...ENTER, nonResourceURLs: ['/*'] }]],
    ['gives access by *', accessOnly, [{ ...ENTER, nonResourceURLs: ['*'] }]],
    ['gives access by /**', accessOnly, [{ ...ENTER, nonResourceURLs: ['/**'] }]],
    ['gives access by one path of several', accessOnly, [{ ...ENTER, nonResourceURLs: ['/api', '/'] }]],
    ['gives access by one rule of several', accessOnly, [{ ...GET, verbs: ['list'] }, ENTER]],
    ['gives no access by another verb', NEITHER, [{ ...ENTER, verbs: ['get'] }]],
    ['gives no access by a verb that only begins like it', NEITHER, [{ ...ENTER, verbs: ['accessory'] }]],
    ['gives no access by another path', NEITHER, [{ ...ENTER, nonResourceURLs: ['/api', '/api/*', '/healthz*', '//'] }]],
    ['gives no access by an empty path', NEITHER, [{ ...ENTER, nonResourceURLs: [''] }]],
    ['gives no access without a path', NEITHER, [{ verbs: ['access'] }]],
    ['gives no access by a resource', NEITHER, [{ verbs: ['access'], apiGroups: ['*'], resources: ['*'] }]],
    ['gives access by a path beside names of resources', accessOnly, [{ ...ENTER, resourceNames: ['a'] }]],

    ['gives every workspace', getAll, [GET]],
    ['gives every workspace by every verb', getAll, [{ ...GET, verbs: ['*'] }]],
    ['gives every workspace by every group', getAll, [{ ...GET, apiGroups: ['*'] }]],
    ['gives every workspace by every resource', getAll, [{ ...GET, resources: ['*'] }]],
    ['gives every workspace by an empty list of names', getAll, [{ ...GET, resourceNames: [] }]],
    ['gives every workspace by names that are null', getAll, [{ ...GET, resourceNames: null }]],
    ['gives the workspaces that it names', getNames('a', 'b'), [{ ...GET, resourceNames: ['b', 'a'] }]],
    ['gives the workspaces that any rule names, once', getNames('a', 'b', 'c'), [names('c', 'a'), names('b', 'a')]],
    ['gives every workspace when one rule has no names', getAll, [names('a'), GET, names('b')]],
    ['takes * among names for a name', getNames('*'), [names('*')]],
    ['gives no workspace by a name that is empty', NEITHER, [names('')]],
    ['gives the other workspaces beside a name that is empty', getNames('a'), [names('', 'a')]],
    ['gives no workspace by another verb', NEITHER, [{ ...GET, verbs: ['list', 'watch'] }]],
    ['gives no workspace by another group', NEITHER, [{ ...GET, apiGroups: ['', 'core.kcp.io'] }]],
    ['gives no workspace by another resource', NEITHER, [{ ...GET, resources: ['workspacetypes'] }]],
    ['gives no workspace by what is below it', NEITHER, [{ ...GET, resources: ['workspaces/content', '*/status'] }]],
    ['gives no workspace without a group', NEITHER, [{ verbs: ['get'], resources: ['workspaces'] }]],
    ['gives no workspace by a name of another resource', NEITHER, [{ ...names('a'), resources: ['secrets'] }]],

    ['gives both by one rule', { access: true, getWorkspaces: '*' }, [{ ...GET, ...ENTER, verbs: ['*'] }]],
    ['gives both by two rules', { access: true, getWorkspaces: ['a'] }, [ENTER, names('a')]],
    ['gives neither without rules', NEITHER, []],
    ['gives neither when its rules are null', NEITHER, null],
    ['gives neither when it has no list of rules', NEITHER, 'all'],
    ['gives neither by a rule that is none', NEITHER, [null, 'access', 7, []]],
    ['gives nothing by verbs that are no list', NEITHER, [{ ...ENTER, verbs: '*' }]],
    ['gives nothing by verbs that are no texts', NEITHER, [{ ...ENTER, verbs: ['access', 7] }]],
    // Read as absent it would give every workspace.
    ['gives nothing by names that are no list', NEITHER, [{ ...GET, resourceNames: 'a' }]],
    ['gives what its other rules give', accessOnly, [null, { ...GET, resourceNames: {} }, ENTER]],
  ])('%s', (_, facts, rules) => {
    expect(roleFacts({ metadata: { name: 'role' }, rules })).toEqual(facts);
  });

  function names(...resourceNames: string[]) {
    return { ...GET, resourceNames };
  }
});

describe('a ClusterRoleBinding', () => {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'role' };
  const user = (name: unknown) => ({ kind: 'User', name });

  test.each<[string, readonly string[], unknown]>([
    ['a user', ['u:alice'], [user('alice')]],
    ['a group', ['g:team'], [{ kind: 'Group', name: 'team' }]],
    [
      'a service account as the user that it is',
      ['u:system:serviceaccount:default:bot'],
      [{ kind: 'ServiceAccount', namespace: 'default', name: 'bot' }],
    ],
    ['several, each once', ['u:alice', 'g:alice'], [user('alice'), { kind: 'Group', name: 'alice' }, user('alice')]],
    ['a name with colons', ['u:kcp:alice'], [user('kcp:alice')]],
    ['whatever group the kind is said to be of', ['u:alice'], [{ ...user('alice'), apiGroup: 'example.dev' }]],
    ['the others beside one that is none', ['u:bob'], [null, 'alice', [], user(7), user('bob')]],
  ])('names %s', (_, subjects, given) => {
    expect(bindingFacts({ roleRef, subjects: given })).toEqual({ role: 'role', subjects });
  });

  test.each<[string, unknown]>([
    ['a service account without a namespace', [{ kind: 'ServiceAccount', name: 'bot' }]],
    ['a service account with an empty namespace', [{ kind: 'ServiceAccount', namespace: '', name: 'bot' }]],
    ['an empty name', [user(''), { kind: 'Group', name: '' }]],
    ['another kind', [{ kind: 'Robot', name: 'bot' }, { name: 'bot' }]],
    ['nobody', []],
    ['no list', { 0: user('alice') }],
    ['nothing', undefined],
    ['null', null],
  ])('with %s gives nothing', (_, subjects) => {
    expect(bindingFacts({ roleRef, subjects })).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['a Role', { ...roleRef, kind: 'Role' }],
    ['no kind', { name: 'role' }],
    ['no name', { kind: 'ClusterRole' }],
    ['an empty name', { kind: 'ClusterRole', name: '' }],
    ['no reference', undefined],
    ['a text', 'role'],
  ])('to %s gives nothing', (_, given) => {
    expect(bindingFacts({ roleRef: given, subjects: [user('alice')] })).toBeUndefined();
  });
});

describe('a LogicalCluster', () => {
  const annotated = (annotations: unknown) => ({ metadata: { name: 'cluster', annotations: annotations as never } });
  const owner = { apiVersion: 'tenancy.kcp.io/v1alpha1', resource: 'workspaces', cluster: 'root', name: 'org', uid: 'u1' };

  const requiring = (annotation: unknown) =>
    logicalClusterFacts(annotated({ 'authorization.kcp.io/required-groups': annotation })).requiredGroups;

  test.each(['a', 'a,b;c,d', '', 'a;', ',', ' a ; b', 'a:b/c'])('requires groups as "%s" says it', annotation => {
    expect(requiring(annotation)).toBe(annotation);
  });

  test.each([
    ['alternatives', ';'],
    ['groups in one', ','],
  ])('requires a thousand %s, and of more what nobody has', (_, between) => {
    const groups = Array.from({ length: 1000 }, () => 'g').join(between);
    expect(requiring(groups)).toBe(groups);
    expect(requiring(`${groups}${between}`)).toBe(NOBODY);
  });

  test('requires what nobody has by an annotation that is too long', () => {
    const longest = 'g'.repeat(64 * 1024);
    expect(requiring(longest)).toBe(longest);
    expect(requiring(`${longest}g`)).toBe(NOBODY);
  });

  test('requires no groups without the annotation, and what nobody has by one that is no text', () => {
    expect(logicalClusterFacts(annotated({ other: 'a' }))).toEqual({ phase: '' });
    expect(requiring(7)).toBe(NOBODY);
  });

  test('tells its phase, its path and the workspace that it is of', () => {
    const object = { ...annotated({ 'kcp.io/path': 'root:org' }), spec: { owner }, status: { phase: 'Ready' } };
    expect(logicalClusterFacts(object)).toEqual({
      phase: 'Ready',
      path: 'root:org',
      owner: { cluster: 'root', name: 'org', uid: 'u1' },
    });
  });

  test.each<[string, unknown]>([
    ['another resource', { ...owner, resource: 'things' }],
    ['another group', { ...owner, apiVersion: 'example.dev/v1' }],
    ['a group that begins like it', { ...owner, apiVersion: 'tenancy.kcp.io.example.dev/v1' }],
    ['no uid', { ...owner, uid: undefined }],
    ['an empty name', { ...owner, name: '' }],
    ['a cluster that is no text', { ...owner, cluster: 7 }],
    ['a text', 'root:org'],
  ])('with an owner of %s is of no workspace', (_, given) => {
    expect(logicalClusterFacts({ spec: { owner: given } })).toEqual({ phase: '' });
  });

  test.each<[unknown, LogicalClusterFacts]>([
    [{}, { phase: '' }],
    [{ metadata: null, spec: null, status: null }, { phase: '' }],
    [{ metadata: { annotations: 'a' }, spec: [], status: 'Ready' }, { phase: '' }],
    [{ status: { phase: 7 } }, { phase: '' }],
  ])('that is %j has no phase', (object, facts) => {
    expect(logicalClusterFacts(object as never)).toEqual(facts);
  });
});

describe('a Workspace', () => {
  test('is kept as it is, with all that a client sees of it', () => {
    const workspace = {
      apiVersion: 'tenancy.kcp.io/v1alpha1',
      kind: 'Workspace',
      metadata: { name: 'org', labels: { region: 'eu' }, managedFields: [{ manager: 'kubectl' }], annotations: { a: 'b' } },
      spec: { cluster: 'x', URL: 'https://x', type: { name: 'universal', path: 'root' }, mount: { ref: {} }, further: [1] },
      status: { phase: 'Ready', conditions: [{ type: 'A' }] },
    };
    expect(workspaceFacts(workspace)).toBe(workspace);
    expect(workspaceFacts({ metadata: { name: 'young' } })).toEqual({ metadata: { name: 'young' } });
  });

  test.each<[string, KubeObject]>([
    ['a spec that is no object', { spec: 'x' }],
    ['a logical cluster that is no text', { spec: { cluster: {} } }],
    ['a URL that is no text', { spec: { URL: 7 } }],
    ['a type that is no object', { spec: { type: 'universal' } }],
    ["a type's name that is no text", { spec: { type: { name: [] } } }],
    ['a phase that is no text', { status: { phase: null } }],
    ['a status that is no object', { status: [] }],
    ['annotations that are no texts', { metadata: { name: 'org', annotations: { a: {} as never } } }],
    ['labels that are no object', { metadata: { name: 'org', labels: ['a'] as never } }],
  ])('with %s is shown to nobody', (_, object) => {
    expect(workspaceFacts(object)).toBeUndefined();
  });
});

test('no object stops the reading of others, whatever is in it', () => {
  const anything = fc.record(
    {
      metadata: fc.record({ annotations: fc.anything() }),
      rules: fc.oneof(
        fc.anything(),
        fc.array(fc.dictionary(fc.constantFrom('verbs', 'resources', 'resourceNames'), fc.anything())),
      ),
      roleRef: fc.oneof(fc.anything(), fc.constant({ kind: 'ClusterRole', name: 'role' })),
      subjects: fc.oneof(fc.anything(), fc.array(fc.anything())),
      spec: fc.oneof(fc.anything(), fc.record({ owner: fc.anything(), type: fc.anything() })),
      status: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anything, object => {
      for (const parse of [roleFacts, bindingFacts, logicalClusterFacts, workspaceFacts]) parse(object as never);
    }),
  );
});
