import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { admin, masters, user } from './support/identities.ts';
import type { List, PolicyRule } from './support/kube.ts';
import { initializing, lifecycles, terminating } from './support/lifecycle.ts';
import { Scenario } from './support/scenario.ts';
import { removeOwnName } from './support/views.ts';
import { adminIn, admit, grant, isReady, untilGone, workspaceWhere } from './support/workspaces.ts';

const RULES: PolicyRule[] = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'create', 'update', 'delete'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['allowed'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  { apiGroups: [''], resources: ['namespaces/status'], verbs: ['*'] },
  { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
  // What discovery needs, and what a path that is read in two ways could be taken for.
  { nonResourceURLs: ['/version', '/openapi/*', '/api/*', '/apis/*'], verbs: ['get'] },
];

const DEFAULT = '/api/v1/namespaces/default';

describe.each(lifecycles)('the content of a workspace in $view, for a type with permissions of its own', lifecycle => {
  let scenario: Scenario;

  /** What the refusal of a request must say, given what it says that no rule allows. */
  function denied(what: string): string {
    return `${lifecycle.noun} "${scenario.name}" denied by ${lifecycle.noun}Permissions: no rule allows ${what}`;
  }

  beforeAll(async () => {
    scenario = await Scenario.create(lifecycle, lifecycle.withPermissions(RULES));
    await admit(scenario.type.parent, 'user-1');
    await grant(scenario.type, 'user-1', lifecycle.verb);
    await eventually('access', async () => (await scenario.content(user(1)).get(`${DEFAULT}/configmaps`)).expect(200));
  });

  test('is open where a rule allows the verb on the resource', async () => {
    const content = scenario.content(user(1));
    expect((await content.get(`${DEFAULT}/configmaps`)).expect(200).json<List<object>>().items).toBeInstanceOf(Array);
    (await content.get('/api/v1/configmaps')).expect(200);
    (await content.get(`${DEFAULT}/configmaps/nosuchmap`)).expect(404);
    (await content.delete(`${DEFAULT}/configmaps/nosuchmap`)).expect(404);
    (await content.get(`${DEFAULT}/secrets/allowed`)).expect(404);
    (await content.get(`/version`)).expect(200);
  });

  const refusals: [string, string, string][] = [
    ['GET', `${DEFAULT}/secrets/other`, 'get on core/secrets (other) in namespace default'],
    ['GET', '/api/v1/secrets', 'list on core/secrets'],
    ['GET', `${DEFAULT}/configmaps?watch=true`, 'watch on core/configmaps in namespace default'],
    ['DELETE', `${DEFAULT}/configmaps`, 'deletecollection on core/configmaps in namespace default'],
    ['PATCH', `${DEFAULT}/configmaps/one`, 'patch on core/configmaps (one) in namespace default'],
    ['GET', '/api/v1/namespaces', 'list on core/namespaces'],
    ['GET', DEFAULT, 'get on core/namespaces (default) in namespace default'],
    ['GET', `${DEFAULT}/secrets?fieldSelector=metadata.name%3Dallowed`, 'list on core/secrets (allowed) in namespace default'],
    ['GET', '/apis/apps/v1/namespaces/default/deployments/x/scale', 'get on apps/deployments/scale (x) in namespace default'],
    ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles', 'list on rbac.authorization.k8s.io/clusterroles'],
    ['GET', '/', 'get on /'],
    ['GET', '/healthz', 'get on /healthz'],
  ];

  test.each(refusals)('is closed to %s %s with a text that says what no rule allows', async (method, path, what) => {
    const reply = (await scenario.content(user(1)).send(method, path)).expect(403);
    expect(reply.headers['content-type']).toContain('text/plain');
    expect(reply.text.trim()).toBe(denied(what));
  });

  const disguised = [
    '/api%2Fv1/secrets',
    '/api/v1%2Fsecrets',
    '/api%2Fv1%2Fsecrets',
    '/api/v1/namespaces%2Fdefault%2Fsecrets',
    '/%61pi/v1/secrets',
  ];

  // The shard decodes a path before it reads it: rules that are checked on another reading could be walked around.
  test.each(disguised)('is closed to secrets that are asked for as %s', async path => {
    const reply = (await scenario.content(user(1)).get(path)).expect(400, 403, 404);
    expect(reply.text).not.toContain('SecretList');
  });

  test('is closed by the same rules to masters and administrators', async () => {
    for (const credentials of [masters, admin]) {
      const reply = (await scenario.content(credentials).get('/api/v1/secrets')).expect(403);
      expect(reply.text.trim()).toBe(denied('list on core/secrets'));
    }
  });

  test('is changed in the name of the caller, who carries the group of the lifecycle and keeps its own groups', async () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const answer = (await scenario.content(user(1)).post('/apis/authentication.k8s.io/v1/selfsubjectreviews', review)).expect(
      201,
    );
    const { userInfo } = answer.json<{ status: { userInfo: { username: string; groups: string[] } } }>().status;
    expect(userInfo.username).toBe('user-1');
    expect(userInfo.groups).toEqual(expect.arrayContaining([lifecycle.group(scenario.name), 'team-1', 'system:authenticated']));
  });

  test('is refused with 503 when the type has been deleted, because then nothing says what is allowed', async () => {
    const orphaned = await Scenario.create(lifecycle, lifecycle.withPermissions(RULES), scenario.type.parent);
    (await adminIn(orphaned.type.parent).delete(`/apis/tenancy.kcp.io/v1alpha1/workspacetypes/${orphaned.type.name}`)).expect(
      200,
    );
    await eventually('the refusal', async () => {
      for (const credentials of [admin, masters]) {
        const reply = (await orphaned.content(credentials).get(`${DEFAULT}/configmaps`)).expect(503);
        expect(reply.headers['content-type']).toContain('text/plain');
        expect(reply.text).toContain(`${lifecycle.noun} "${orphaned.name}"`);
      }
    });
    (await orphaned.wildcard(admin).get('')).expect(200);
  });

  test('is refused when the own name has been removed', async () => {
    const leaving = await scenario.another();
    await removeOwnName(lifecycle, leaving.view(user(1)), leaving.cluster, leaving.name);
    const allowed = lifecycle === initializing ? [403] : [403, 404, 500];
    await eventually('the refusal', async () => {
      (await leaving.content(user(1)).get(`${DEFAULT}/configmaps`)).expect(...allowed);
    });
  });
});

describe('a workspace whose last name is removed through its view', () => {
  test('becomes Ready when it was initializing', async () => {
    const scenario = await Scenario.create(initializing);
    await removeOwnName(initializing, scenario.view(admin), scenario.cluster, scenario.name);
    await workspaceWhere('is Ready', scenario.type.parent, scenario.workspace.metadata.name, isReady);
  });

  test('disappears when it was terminating', async () => {
    const scenario = await Scenario.create(terminating);
    await removeOwnName(terminating, scenario.view(admin), scenario.cluster, scenario.name);
    await untilGone(scenario.type.parent, scenario.workspace.metadata.name);
  });
});
