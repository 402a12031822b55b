import type { OutgoingHttpHeaders } from 'node:http';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client, Credentials, RequestOptions } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import {
  admin,
  anonymous,
  atFrontProxy,
  atShard,
  certified,
  masters,
  mastersByToken,
  trustedProxy,
  user,
} from './support/identities.ts';
import type { List, LogicalCluster, Status } from './support/kube.ts';
import { lifecycles } from './support/lifecycle.ts';
import type { Reply } from './support/reply.ts';
import { Scenario } from './support/scenario.ts';
import { deviationTest } from './support/suite.ts';
import { clustersIn } from './support/views.ts';
import { admit, grant, LOGICAL_CLUSTERS } from './support/workspaces.ts';

const NAMESPACES = '/api/v1/namespaces';

const AS_MASTERS: [string, OutgoingHttpHeaders][] = [
  ['X-Remote-User and X-Remote-Group', { 'X-Remote-User': 'root', 'X-Remote-Group': ['system:masters', 'system:authenticated'] }],
  [
    'the same in other spellings',
    { 'x-remote-user': 'root', 'X-REMOTE-GROUP': 'system:masters', X_Remote_User: 'root', X_Remote_Group: 'system:masters' },
  ],
  ['X-Remote-Extra', { 'X-Remote-User': 'user-1', 'X-Remote-Extra-Authentication.kcp.io%2Fscopes': 'cluster:root' }],
];

/** Sends the same request over HTTP/1.1 and over HTTP/2. */
async function overBoth(client: Client, path: string, options: RequestOptions = {}): Promise<Reply[]> {
  return [await client.send('GET', path, options), await client.sendHttp2('GET', path, options)];
}

describe.each(lifecycles)('identities at $view', lifecycle => {
  let scenario: Scenario;
  let scoped: Scenario;

  beforeAll(async () => {
    scenario = await Scenario.create(lifecycle);
    scoped = await Scenario.create(
      lifecycle,
      lifecycle.withPermissions([{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }]),
      scenario.type.parent,
    );
    await admit(scenario.type.parent, 'user-1');
    await grant(scenario.type, 'user-1', lifecycle.verb);
    await eventually('access', async () => (await scenario.wildcard(user(1)).get('')).expect(200));
  });

  const strangers: [string, () => Credentials][] = [
    ['an anonymous client', () => anonymous],
    ['a client with a token', () => user(3)],
    ['a client with a certificate', () => certified('mallory')],
    ['a client whose certificate names the trusted proxy, but is signed by the client CA', () => certified('kcp-front-proxy')],
  ];

  describe.each(strangers)('%s', (_, stranger) => {
    test.each(AS_MASTERS)('does not become another by sending %s', async (_header, headers) => {
      const credentials = stranger();
      const replies = [
        ...(await overBoth(scenario.wildcard(credentials), '', { headers })),
        ...(await overBoth(scenario.single(credentials), '', { headers })),
        ...(await overBoth(scenario.content(credentials), NAMESPACES, { headers })),
      ];
      for (const reply of replies) {
        const { message } = reply.expect(403).json<Status>();
        expect(message).not.toContain('"root"');
      }
    });

    test('does not become masters by Impersonate headers, alone or with groups', async () => {
      const credentials = stranger();
      const forged: OutgoingHttpHeaders[] = [
        { 'Impersonate-User': 'kcp-admin', 'Impersonate-Group': ['system:kcp:admin', 'system:authenticated'] },
        { 'Impersonate-User': 'root', 'Impersonate-Group': 'system:masters' },
        { 'Impersonate-User': 'user-1' },
      ];
      for (const headers of forged) {
        for (const reply of await overBoth(scenario.wildcard(credentials), '', { headers })) reply.expect(403);
        for (const reply of await overBoth(scenario.content(credentials), NAMESPACES, { headers })) reply.expect(403);
      }
    });

    test('gets no access from a claimed lifecycle group, in whatever header', async () => {
      const group = lifecycle.group(scoped.name);
      const forged: OutgoingHttpHeaders[] = [
        { 'X-Remote-User': 'x', 'X-Remote-Group': group },
        { 'Impersonate-User': 'x', 'Impersonate-Group': group },
      ];
      for (const headers of forged) {
        for (const reply of await overBoth(scoped.content(stranger()), '/api/v1/namespaces/default/configmaps', { headers }))
          reply.expect(403);
      }
    });
  });

  test('a certificate that carries the lifecycle group gives no access to content, nor to the workspace behind it', async () => {
    const mallory = certified('mallory', [lifecycle.group(scoped.name), lifecycle.group(scenario.name)]);
    for (const reply of await overBoth(scoped.content(mallory), '/api/v1/namespaces/default/configmaps')) reply.expect(403);
    for (const reply of await overBoth(scenario.content(mallory), NAMESPACES)) reply.expect(403);
    (await atFrontProxy(mallory).get(`/clusters/${scoped.cluster}/api/v1/namespaces/default/configmaps`)).expect(401, 403);
    const headers = { 'Impersonate-User': 'user-3', 'Impersonate-Group': lifecycle.group(scoped.name) };
    (await atFrontProxy(user(3)).get(`/clusters/${scoped.cluster}/api/v1/namespaces/default/configmaps`, headers)).expect(
      401,
      403,
    );
  });

  test('the trusted proxy speaks for whom it names, with the rights of that user only', async () => {
    const asUser1 = { headers: { 'X-Remote-User': 'user-1', 'X-Remote-Group': 'system:authenticated' } };
    for (const reply of await overBoth(scenario.wildcard(trustedProxy()), '', asUser1)) reply.expect(200);
    const asUser3 = { headers: { 'X-Remote-User': 'user-3', 'X-Remote-Group': ['team-3', 'system:authenticated'] } };
    for (const reply of await overBoth(scenario.wildcard(trustedProxy()), '', asUser3)) {
      expect(reply.expect(403).json<Status>().message).toContain('User "user-3" cannot list resource');
    }
  });

  test('the trusted proxy that names nobody is nobody', async () => {
    (await scenario.wildcard(trustedProxy()).get('')).expect(401, 403);
  });

  test('masters who impersonate a user get what that user gets, and no more', async () => {
    for (const credentials of [masters, mastersByToken]) {
      (await scenario.wildcard(credentials).get('', { 'Impersonate-User': 'user-1' })).expect(200);
      const refused = await scenario
        .wildcard(credentials)
        .get('', { 'Impersonate-User': 'user-3', 'Impersonate-Group': 'team-3' });
      expect(refused.expect(403).json<Status>().message).toContain('User "user-3" cannot list resource');
      const content = await scenario.content(credentials).get(NAMESPACES, { 'Impersonate-User': 'user-3' });
      content.expect(403);
    }
  });

  test('masters who impersonate groups without a user are refused with 400', async () => {
    (await scenario.wildcard(masters).get('', { 'Impersonate-Group': 'team-1' })).expect(400);
  });

  test('the shard passes the identity of its callers on', async () => {
    const path = `/services/${lifecycle.view}/${scenario.name}/clusters/*${LOGICAL_CLUSTERS}`;
    (await atShard(mastersByToken).get(path)).expect(200);
    (await atShard(user(1)).get(path)).expect(200);
    expect((await atShard(user(3)).get(path)).expect(403).json<Status>().message).toContain('User "user-3" cannot list resource');
    (await atShard(anonymous).get(path)).expect(401, 403);
  });

  // kcp's Go server asks the permission on the workspace type about impersonation, too, and so lets its holders become anyone.
  deviationTest('nobody but masters may impersonate, not even with every right in the view', async () => {
    for (const credentials of [admin, user(1)]) {
      for (const headers of [
        { 'Impersonate-User': 'user-1' },
        { 'Impersonate-User': 'x', 'Impersonate-Group': 'system:masters' },
      ]) {
        for (const reply of await overBoth(scenario.wildcard(credentials), '', { headers })) {
          expect(reply.expect(403).json<Status>()).toMatchObject({ kind: 'Status', reason: 'Forbidden' });
        }
        (await scenario.content(credentials).get(NAMESPACES, headers)).expect(403);
      }
    }
  });

  test('reads the same over HTTP/2 as over HTTP/1.1', async () => {
    for (const reply of await overBoth(scenario.wildcard(user(1)), '')) {
      expect(clustersIn(reply.expect(200).json<List<LogicalCluster>>())).toEqual([scenario.cluster]);
    }
    const versions = await overBoth(scenario.content(user(1)), '/version');
    expect(new Set(versions.map(reply => reply.expect(200).text)).size).toBe(1);
  });
});
