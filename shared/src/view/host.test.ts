import { describe, expect, test } from '@jest/globals';
import { createDrain } from '../answer/drain.ts';
import { createEngine } from '../answer/engine.ts';
import type { Caller } from '../authn/identity.ts';
import type { ApiResource } from '../kube/discovery.ts';
import { serviceUnavailable } from '../kube/errors.ts';
import { parseTarget } from '../target/target.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import { createApiDocuments } from './documents.ts';
import { createViewHost } from './host.ts';
import type { RequestRecord } from './record.ts';
import { allow, deny, forward, type View } from './view.ts';

const SECRETS: readonly ApiResource[] = [
  {
    group: '',
    version: 'v1',
    name: 'secrets',
    singularName: 'secret',
    kind: 'Secret',
    namespaced: true,
    verbs: ['get', 'list', 'watch'],
  },
];
const alice: Caller = { name: 'alice', uid: '', groups: ['team-blue'], extra: {}, method: 'token' };
const masters: Caller = { ...alice, groups: ['system:masters'] };

const teamSecrets: View = {
  name: 'team-secrets',
  path: '/:team/clusters/:cluster',
  apis: () => SECRETS,
  authorize: async ({ caller, scope }) =>
    caller.groups.includes(`team-${scope.team}`) ? allow('a member') : deny('only members of the team'),
  answer: async ({ scope }) => forward({ select: `team=${scope.team}`, because: 'secrets of the team' }),
};

async function ask(method: string, path: string, { view = teamSecrets, caller = alice, headers = [] as string[] } = {}) {
  const shard = fakeUpstream(() => ({ body: { kind: 'SecretList' } }));
  const errors: unknown[] = [];
  const host = createViewHost({
    views: [view],
    engine: createEngine({ shard, drain: createDrain() }),
    documents: createApiDocuments('127.0.0.1:6443'),
    onError: error => errors.push(error),
  });
  const exchange = fakeExchange(method, path, { headers });
  const record: RequestRecord = {};
  await host(exchange, caller, parseTarget(path), record);
  return { exchange, shard, record, errors };
}

const BLUE = '/services/team-secrets/blue/clusters';

describe('a request to a view', () => {
  test('is forwarded with the view’s selector added to the caller’s', async () => {
    const { exchange, shard, record } = await ask('GET', `${BLUE}/*/api/v1/secrets?limit=5&labelSelector=a%3Db`);
    expect(exchange.status).toBe(200);
    expect(shard.requests.map(request => decodeURIComponent(request.path))).toEqual([
      '/clusters/*/api/v1/secrets?limit=5&labelSelector=team=blue,a=b',
    ]);
    expect(record).toEqual({
      view: 'team-secrets',
      cluster: '*',
      verb: 'list',
      resource: 'secrets',
      because: 'secrets of the team',
    });
  });

  test('never takes the caller’s own identity headers along', async () => {
    const forged = ['X-Remote-User', 'admin', 'Authorization', 'Bearer x', 'X-Remote-Group', 'system:masters', 'Cookie', 'c'];
    const { shard } = await ask('GET', `${BLUE}/c1/api/v1/secrets`, { headers: [...forged, 'Accept', 'application/json'] });
    const names = shard.requests[0]?.headers.filter((_, i) => i % 2 === 0);
    expect(names).toEqual(['accept', 'x-forwarded-for', 'x-kcp-virtual-resource-hops']);
  });

  test('is refused with the view’s reason', async () => {
    const { exchange, shard, record } = await ask('GET', '/services/team-secrets/red/clusters/*/api/v1/secrets');
    expect(exchange.status).toBe(403);
    expect(exchange.json).toMatchObject({ reason: 'Forbidden', message: expect.stringContaining('only members of the team') });
    expect(record.because).toBe('only members of the team');
    expect(shard.requests).toEqual([]);
  });

  test.each([
    ['a verb that the API set does not have', 'DELETE', `${BLUE}/c1/api/v1/namespaces/n/secrets/s`, 405],
    ['a resource that it does not have', 'GET', `${BLUE}/c1/api/v1/configmaps`, 404],
    ['a subresource that it does not have', 'GET', `${BLUE}/c1/api/v1/namespaces/n/secrets/s/status`, 404],
    ['a version that it does not have', 'GET', `${BLUE}/c1/api/v2/secrets`, 404],
    ['a path outside of the API', 'GET', `${BLUE}/c1/metrics`, 404],
    ['a write to discovery', 'POST', `${BLUE}/c1/api/v1`, 405],
  ])('is refused for %s', async (_, method, path, code) => {
    const { exchange, shard } = await ask(method, path);
    expect(exchange.status).toBe(code);
    expect(shard.requests).toEqual([]);
  });

  test('for a subresource that its resource has not is answered as for an object that is not there', async () => {
    const { exchange } = await ask('GET', `${BLUE}/c1/api/v1/namespaces/n/secrets/s/nosuch`);
    expect(exchange.json).toMatchObject({ code: 404, message: 'secrets "s" not found', details: { name: 's', kind: 'secrets' } });
  });

  test.each(['healthz', 'livez', 'readyz'])('for %s is not found, whoever asks', async path => {
    const asked = await ask('GET', `/services/team-secrets/red/clusters/c1/${path}`);
    expect([asked.exchange.status, asked.shard.requests]).toEqual([404, []]);
    const everything: View = { ...teamSecrets, apis: () => undefined, healthIsForwarded: () => true };
    const forwarded = await ask('GET', `${BLUE}/c1/${path}`, { view: everything });
    expect(forwarded.shard.requests).toHaveLength(1);
    const refused = await ask('GET', `/services/team-secrets/red/clusters/c1/${path}`, { view: everything });
    expect(refused.exchange.status).toBe(403);
  });

  // Health is for whoever asks: by what it took or found, anyone could have learned which exports there are, and kept views busy.
  test.each(['healthz', 'livez', 'readyz'])('for %s asks the view for nothing', async path => {
    const asked: string[] = [];
    const refusing = (what: string) => () => {
      asked.push(what);
      throw serviceUnavailable('it takes its time');
    };
    const view: View = { ...teamSecrets, apis: refusing('apis'), authorize: refusing('authorize'), answer: refusing('answer') };
    const { exchange } = await ask('GET', `/services/team-secrets/red/clusters/c1/${path}`, { view });
    expect([exchange.status, asked]).toEqual([404, []]);
  });

  test('for discovery is answered here, and by 304 to who has it', async () => {
    const { exchange } = await ask('GET', `${BLUE}/c1/api/v1`);
    expect(exchange.json).toMatchObject({
      kind: 'APIResourceList',
      resources: [{ name: 'secrets', verbs: ['get', 'list', 'watch'] }],
    });
    const etag = exchange.responseHeader('etag') ?? '';
    const again = await ask('GET', `${BLUE}/c1/api/v1`, { headers: ['If-None-Match', `W/${etag}, "x"`] });
    expect([again.exchange.status, again.exchange.text]).toEqual([304, '']);
  });
});

// With the identity that a view sends upstream, the shard's `/services/` would open every other view: a caller of one workspace's content
// would act as that workspace's owner everywhere.
test.each([
  'services/team-secrets/blue/clusters/c/api',
  '%73ervices/x',
  'clusters/c2/api/v1/secrets',
  'metrics',
  'debug/pprof',
  'apisx',
])('a path below a view that begins with %s is not forwarded', async path => {
  const everything: View = { ...teamSecrets, apis: () => undefined };
  const { exchange, shard } = await ask('GET', `${BLUE}/c1/${path}`, { view: everything });
  expect([exchange.status, shard.requests]).toEqual([404, []]);
});

describe('a path that no view takes', () => {
  const PATHS = [
    '/',
    '/services',
    '/services/other/x',
    '/services/team-secrets/blue',
    '/services/TEAM-SECRETS/blue/clusters/c',
    `${BLUE}/a%2Fb/api`,
  ];
  test.each(PATHS)('%s is forbidden to a user and not found for masters', async path => {
    expect((await ask('GET', path)).exchange.status).toBe(403);
    expect((await ask('GET', path, { caller: masters })).exchange.status).toBe(404);
  });

  test('but whose last parameter is empty is not found', async () => {
    expect((await ask('GET', '/services/team-secrets/blue/clusters/')).exchange.status).toBe(404);
  });

  test('is named in the refusal as it was decoded', async () => {
    const { exchange } = await ask('GET', '/services/oth%65r/x');
    expect(exchange.json).toMatchObject({
      message: 'forbidden: User "alice" cannot get path "/services/other/x": Path not resolved to a valid virtual workspace',
    });
  });
});

test('a view that fails is answered with its Status, and one that breaks with a 500 that tells nothing', async () => {
  const failing = { ...teamSecrets, answer: async () => Promise.reject(serviceUnavailable('not yet')) };
  const { exchange } = await ask('GET', `${BLUE}/c1/api/v1/secrets`, { view: failing });
  expect([exchange.status, exchange.responseHeader('retry-after')]).toEqual([503, '1']);

  const broken = { ...teamSecrets, answer: async () => Promise.reject(new Error('password=hunter2')) };
  const answer = await ask('GET', `${BLUE}/c1/api/v1/secrets`, { view: broken });
  expect(answer.exchange.status).toBe(500);
  expect(answer.exchange.text).not.toContain('hunter2');
  expect(answer.errors).toHaveLength(1);
});
