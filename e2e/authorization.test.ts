/** Who gets at the workspaces that wait. How soon a change of that counts is in long/authorization-changes.test.ts. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { admin, anonymous, masters, mastersByToken, user } from './support/identities.ts';
import type { Status } from './support/kube.ts';
import { lifecycles } from './support/lifecycle.ts';
import { Scenario } from './support/scenario.ts';
import { listClusters } from './support/views.ts';
import { admit } from './support/workspaces.ts';

describe.each(lifecycles)('access to $view', lifecycle => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await Scenario.create(lifecycle);
    await admit(scenario.type.parent, 'user-1');
  });

  test('is refused with 403 on every part to an identity without the permission on the workspace type', async () => {
    const stranger = user(3);
    const refused = [
      await scenario.wildcard(stranger).get(''),
      await scenario.wildcard(stranger).get('?watch=true'),
      await scenario.view(stranger).get('/clusters/*/apis'),
      await scenario.single(stranger).get(''),
      await scenario.single(stranger).get('/status'),
      await scenario.single(stranger).mergePatch('/status', { status: { [lifecycle.list]: [] } }),
      await scenario.content(stranger).get('/api/v1/namespaces'),
      await scenario.content(stranger).post('/api/v1/namespaces', { metadata: { name: 'never' } }),
    ];
    for (const reply of refused) {
      const status = reply.expect(403).json<Status>();
      expect(status).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Forbidden', code: 403 });
      expect(status.message).toContain('User "user-3" cannot');
    }
  });

  test('is refused in the words and with the details of an API server', async () => {
    const list = (await scenario.wildcard(user(3)).get('')).expect(403).json<Status>();
    expect(list.message).toContain(
      'logicalclusters.core.kcp.io is forbidden: User "user-3" cannot list resource "logicalclusters" in API group "core.kcp.io" at the cluster scope',
    );
    expect(list.details).toEqual({ group: 'core.kcp.io', kind: 'logicalclusters' });
    const one = (await scenario.single(user(3)).get('')).expect(403).json<Status>();
    expect(one.message).toContain('logicalclusters.core.kcp.io "cluster" is forbidden: User "user-3" cannot get resource');
    expect(one.details).toEqual({ name: 'cluster', group: 'core.kcp.io', kind: 'logicalclusters' });
  });

  test('is refused to anonymous callers with 403, and with 401 to a token that nobody issued', async () => {
    const forbidden = (await scenario.wildcard(anonymous).get('')).expect(403).json<Status>();
    expect(forbidden.message).toContain('User "system:anonymous" cannot list resource "logicalclusters"');
    const unauthorized = (await scenario.wildcard({ name: 'a bad token', token: 'nobody-issued-this' }).get(''))
      .expect(401)
      .json<Status>();
    expect(unauthorized).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'Unauthorized', code: 401 });
    (await scenario.content({ name: 'a bad token', token: 'nobody-issued-this' }).get('/api/v1/namespaces')).expect(401);
  });

  test('is granted to masters and to whoever administers the workspace of the type', async () => {
    for (const credentials of [masters, mastersByToken, admin]) {
      expect(await listClusters(scenario.view(credentials))).toContain(scenario.cluster);
    }
  });

  test('does not need the token of a caller to be known when its certificate is', async () => {
    const both = {
      name: 'a certificate beside an unknown token',
      token: 'nobody-issued-this',
      ...(admin.keyPair && { keyPair: admin.keyPair }),
    };
    expect(await listClusters(scenario.view(both))).toContain(scenario.cluster);
  });

  test('is refused with 403 or 500 when the name is malformed or its workspace does not exist', async () => {
    for (const name of ['nocolon', 'nosuchcluster:type']) {
      const malformed = new Scenario(lifecycle, { ...scenario.type, lifecycleName: name }, scenario.workspace);
      (await malformed.wildcard(user(1)).get('')).expect(403, 500);
      (await malformed.wildcard(admin).get('')).expect(403, 500);
      (await malformed.wildcard(masters).get('')).expect(200);
    }
  });
});
