import { describe, expect, test } from '@jest/globals';
import { alice, masters, World } from './view.fixture.ts';
import { ask, assigned, SYNCER, UPSYNCER } from './view-host.fixture.ts';

async function statusOf(...request: Parameters<typeof ask>): Promise<number> {
  const { status, requests } = await ask(...request);
  expect(requests).toEqual([]);
  return status;
}

const BROKEN = { 'experimental.spec-diff.workload.kcp.io/W': 'nonsense' };

describe('what is refused before any shard is asked', () => {
  test.each([
    ['another uid', '/services/syncer/edge/west/uid-0/clusters/*/apis'],
    ['no uid', '/services/syncer/edge/west/clusters/*/apis'],
    ['an unknown SyncTarget', '/services/syncer/edge/east/uid-1/clusters/*/apis'],
    ['a path in place of the SyncTarget’s logical cluster', '/services/syncer/root:edge/west/uid-1/clusters/*/apis'],
    ['a path in place of the logical cluster', `${SYNCER}/root:consumer/apis`],
    ['a part of the way', '/services/syncer/edge/west/uid-1/apis'],
  ])('%s: like all that is not there', async (_, path) => {
    expect(await statusOf('GET', path)).toBe(403);
    expect(await statusOf('GET', path, { caller: masters })).toBe(404);
    expect(await statusOf('GET', path.replace('/syncer/', '/upsyncer/'))).toBe(403);
  });

  test('3: who may not sync, whatever he asks for', async () => {
    const world = new World();
    world.allows = ({ name }) => name === 'system:serviceaccount:default:bob';
    for (const path of ['/*/apis', '/*/api/v1/secrets', '/consumer/apis/no/v1/such', '/*/version']) {
      expect(await statusOf('GET', SYNCER + path, { world })).toBe(403);
    }
    const bob = { ...alice, name: 'system:serviceaccount:default:bob' };
    expect(await statusOf('GET', `${SYNCER}/*/apis`, { world, caller: bob })).toBe(200);
  });

  test('a logical cluster that has not let the target in, discovery included', async () => {
    const { status, json, record } = await ask('GET', `${SYNCER}/other/api/v1/secrets`);
    expect([status, json().message]).toEqual([
      403,
      'secrets is forbidden: User "system:serviceaccount:default:alice" cannot list resource "secrets" in API group "" at the cluster scope: logical cluster "other" does not let in SyncTargets of "edge", as "west" is',
    ]);
    expect(record.because).toContain('does not let in SyncTargets');
    expect(await statusOf('GET', `${SYNCER}/other/apis`)).toBe(403);
  });

  test.each([
    ['POST', `${SYNCER}/consumer/apis/apps/v1/namespaces/default/deployments`, 405],
    ['DELETE', `${SYNCER}/consumer/apis/apps/v1/namespaces/default/deployments/web`, 405],
    ['DELETE', `${SYNCER}/consumer/apis/apps/v1/namespaces/default/deployments`, 405],
    ['DELETE', `${UPSYNCER}/consumer/api/v1/persistentvolumes`, 405],
    ['POST', `${UPSYNCER}/consumer/api/v1/persistentvolumes/pv/status`, 405],
    ['GET', `${SYNCER}/consumer/apis/apps/v1/namespaces/default/deployments/web/scale`, 404],
    ['GET', `${SYNCER}/consumer/apis/apps/v1/deployments:kube`, 404],
    ['GET', `${SYNCER}/consumer/api/v1/pods`, 404],
    ['GET', `${SYNCER}/consumer/apis/apps/v2/deployments`, 404],
    ['GET', `${UPSYNCER}/consumer/api/v1/secrets`, 404],
    ['GET', `${UPSYNCER}/consumer/apis/apps/v1/deployments`, 404],
    ['GET', `${SYNCER}/consumer/healthz`, 404],
    ['GET', `${SYNCER}/*/apis/apps/v1/namespaces/default/deployments`, 400],
    ['GET', `${SYNCER}/*/apis/apps/v1/namespaces/default/deployments/web`, 400],
    ['PATCH', `${SYNCER}/*/api/v1/namespaces/default`, 400],
    ['DELETE', `${UPSYNCER}/*/api/v1/persistentvolumes/pv`, 400],
  ])('41: %s %s', async (method, path, code) => {
    expect(await statusOf(method, path)).toBe(code);
  });
});

describe('41: discovery', () => {
  test.each(['*', 'consumer', 'edge'])('of %s is the SyncTarget’s', async cluster => {
    const groups = (await ask('GET', `${SYNCER}/${cluster}/apis`)).json().groups as { name: string }[];
    expect(groups.map(({ name }) => name)).toEqual(['apps', 'networking.k8s.io']);
    const core = (await ask('GET', `${SYNCER}/${cluster}/api/v1`)).json().resources as { name: string }[];
    expect(core.map(({ name }) => name)).toContain('namespaces/status');
  });

  test('of what no target has accepted is not found', async () => {
    expect(await statusOf('GET', `${SYNCER}/*/apis/dev`)).toBe(404);
    expect(await statusOf('GET', `${SYNCER}/*/apis/dev/v1`)).toBe(404);
  });
});

describe('a list', () => {
  const list = (...items: object[]) => ({
    body: { apiVersion: 'apps/v1', kind: 'DeploymentList', metadata: { resourceVersion: '9', continue: 'more' }, items },
  });

  test.each([
    [`${SYNCER}/*/apis/apps/v1/deployments`, '/clusters/*/apis/apps/v1/deployments'],
    [
      `${SYNCER}/consumer/apis/apps/v1/namespaces/default/deployments`,
      '/clusters/consumer/apis/apps/v1/namespaces/default/deployments',
    ],
  ])('31: is one of the shard, by the label besides what the client selects: %s', async (path, asked) => {
    const { requests } = await ask('GET', `${path}?limit=5&labelSelector=app%3Dweb`, { answer: () => list() });
    expect(requests).toEqual([expect.stringContaining(`GET ${asked}?limit=5`)]);
    expect(requests[0]).toContain('labelSelector=state.workload.kcp.io/W=Sync,app=web');
  });

  // The original answered 500 to the whole list.
  test('31: is without what is hidden or broken, and has the shard’s version and page', async () => {
    const world = new World();
    const items = [
      assigned('web'),
      assigned('broken', { annotations: BROKEN }),
      assigned('pending', { labels: { 'state.workload.kcp.io/W': '' } }),
      assigned('foreign', { cluster: 'other' }),
    ];
    const answer = await ask('GET', `${SYNCER}/*/apis/apps/v1/deployments`, { world, answer: () => list(...items) });
    const seen = answer.json() as { items: { metadata: { name: string } }[]; metadata: object };
    expect(seen.items.map(({ metadata }) => metadata.name)).toEqual(['web']);
    expect(seen.metadata).toMatchObject({ resourceVersion: '9', continue: 'more' });
    expect(answer.text).not.toMatch(/others|of.:.kcp/);
    expect(world.broken).toHaveLength(1);
  });
});

describe('a watch', () => {
  const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
  const watch = async (body: string) => {
    const { text } = await ask('GET', `${SYNCER}/*/apis/apps/v1/deployments?watch=true`, { answer: () => ({ body }) });
    const events = text
      .split('\n')
      .filter(Boolean)
      .map(one => JSON.parse(one));
    return events as { type: string; object: { metadata: { name: string; finalizers?: string[] }; code?: number } }[];
  };

  test('28: shows what is added, modified and deleted as it is seen, and errors and bookmarks as they are', async () => {
    const [bookmark, error] = [{ metadata: { resourceVersion: '9' } }, { kind: 'Status', code: 410 }];
    const events = await watch(
      line('ADDED', assigned('web')) +
        line('MODIFIED', assigned('web')) +
        line('DELETED', assigned('web')) +
        line('BOOKMARK', bookmark) +
        line('ERROR', error),
    );
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);
    for (const { object } of events.slice(0, 3)) expect(object.metadata).not.toHaveProperty('finalizers');
    expect(events.slice(3).map(({ object }) => object)).toEqual([bookmark, error]);
  });

  test('34: is without events of what is hidden or broken', async () => {
    const events = await watch(
      line('ADDED', assigned('foreign', { cluster: 'other' })) +
        line('ADDED', assigned('broken', { annotations: BROKEN })) +
        line('ADDED', assigned('web')),
    );
    expect(events.map(({ object }) => object.metadata.name)).toEqual(['web']);
  });
});

describe('an object by its name', () => {
  const PATH = `${SYNCER}/consumer/apis/apps/v1/namespaces/default/deployments/web`;
  const get = (object: object) => ask('GET', PATH, { answer: () => ({ body: object }) });

  test('29: is that of its logical cluster, as it is seen', async () => {
    const { requests, json } = await get(assigned('web'));
    expect(requests).toEqual(['GET /clusters/consumer/apis/apps/v1/namespaces/default/deployments/web']);
    expect(json()).toMatchObject({ metadata: { uid: 'web' }, spec: { replicas: 7 } });
    expect(json()).not.toHaveProperty('status');
  });

  test('is not found when it is pending', async () => {
    expect((await get(assigned('web', { labels: { 'state.workload.kcp.io/W': '' } }))).status).toBe(404);
  });

  test('is a 500 that says why when it is broken', async () => {
    const { status, json } = await get(assigned('web', { annotations: BROKEN }));
    expect([status, json().message]).toEqual([500, expect.stringContaining('experimental.spec-diff.workload.kcp.io/W')]);
  });

  test.each([404, 403, 409])('30: is the shard’s error: %i', async code => {
    const answer = () => ({ status: code, body: { kind: 'Status', code, message: 'the shard’s' } });
    const { status, json } = await ask('GET', PATH, { answer });
    expect([status, json().message]).toEqual([code, 'the shard’s']);
  });
});

describe('a DELETE through the upsyncer view', () => {
  const PATH = `${UPSYNCER}/consumer/api/v1/persistentvolumes/pv`;
  const stored = (state: string) => ({
    ...{ apiVersion: 'v1', kind: 'PersistentVolume' },
    metadata: { name: 'pv', uid: 'u', resourceVersion: '7', labels: { 'state.workload.kcp.io/W': state } },
  });
  const remove = (state: string) =>
    ask('DELETE', PATH, { answer: ({ method }) => ({ body: method === 'GET' ? stored(state) : { kind: 'Status', code: 200 } }) });

  test('17, 32: deletes the very object that was looked at', async () => {
    const { status, requests, shard } = await remove('Upsync');
    expect(status).toBe(200);
    expect(requests).toEqual([
      'GET /clusters/consumer/api/v1/persistentvolumes/pv',
      'DELETE /clusters/consumer/api/v1/persistentvolumes/pv',
    ]);
    expect(JSON.parse(shard.requests[1]?.body ?? '')).toMatchObject({ preconditions: { uid: 'u', resourceVersion: '7' } });
  });

  test('of what is not its own is a 404, and deletes nothing', async () => {
    const { status, requests } = await remove('Sync');
    expect(status).toBe(404);
    expect(requests).toEqual(['GET /clusters/consumer/api/v1/persistentvolumes/pv']);
  });
});
