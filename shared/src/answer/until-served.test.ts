import { describe, expect, test } from '@jest/globals';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import { BINDINGS, COWBOYS, NOT_SERVED, serviceOf, shardWithout, TABLE } from './until-served.fixture.ts';

describe('a list of what is not served', () => {
  test('is empty, at a version of the shard', async () => {
    const { shard } = shardWithout();
    const exchange = await serviceOf({ shard }).ask('labelSelector=a%3Db&fieldSelector=spec.x%3Dy&limit=5');
    expect([exchange.status, exchange.json]).toEqual([
      200,
      { apiVersion: 'wild.io/v1', kind: 'CowboyList', metadata: { resourceVersion: '30' }, items: [] },
    ]);
    expect(shard.requests.map(({ path }) => path.split('?')[0])).toEqual([
      `/clusters/*${COWBOYS}:h4sh`,
      BINDINGS,
      `/clusters/*${COWBOYS}:h4sh`,
    ]);
  });

  test('is a Table or metadata where that is asked for', async () => {
    const { ask } = serviceOf(shardWithout());
    expect((await ask('', TABLE)).json).toMatchObject({ kind: 'Table', metadata: { resourceVersion: '30' }, rows: [] });
    const list = ['accept', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'];
    expect((await ask('', list)).json).toMatchObject({ kind: 'PartialObjectMetadataList', items: [] });
  });

  test('is the shard’s as soon as that serves it, also in between', async () => {
    const { shard, status } = shardWithout();
    const answer = shard.dispatch;
    Object.assign(shard, {
      dispatch: (...given: Parameters<typeof answer>) => {
        if (given[0].path.startsWith(BINDINGS)) status.served = true;
        return answer(...given);
      },
    });
    expect((await serviceOf({ shard }).ask()).json).toMatchObject({ items: [{}] });
  });

  test('is at a version that the client knows already, if the shard has come so far', async () => {
    const { shard, status } = shardWithout();
    const { ask } = serviceOf({ shard });
    await ask();
    status.version = '40';
    expect((await ask('resourceVersion=35')).json).toMatchObject({ metadata: { resourceVersion: '40' } });
    expect((await ask('resourceVersion=99')).status).toBe(504);
  });

  // The client has the first pages: an empty end would make them the whole list.
  test('is not found where it is the rest of another', async () => {
    const { shard } = shardWithout();
    expect((await serviceOf({ shard }).ask('limit=1&continue=abc')).status).toBe(404);
  });

  test.each([
    ['resourceVersionMatch=Exact', 422],
    ['fieldSelector=abc', 400],
    ['labelSelector=%3D%3D', 400],
  ])('%s is refused as ever', async (query, code) => {
    expect((await serviceOf(shardWithout()).ask(query)).status).toBe(code);
  });

  test('is an error where the shard does not say', async () => {
    const shard = fakeUpstream((_, index) => (index === 0 ? NOT_SERVED : { status: 503, body: {} }));
    expect((await serviceOf({ shard }).ask()).status).toBe(503);
  });

  // Each spelling was kept as a collection of its own, and looked for again by itself; that of a deprecated watch never answered.
  test('is looked for by one path, whatever bytes it was asked for in', async () => {
    const { shard } = shardWithout();
    const { ask } = serviceOf({ shard });
    for (const path of ['/apis/wild.io/v1/cow%62%6fys', '/apis/wild.io/v1/watch/cowboys', `${COWBOYS}/`, COWBOYS])
      await ask('', [], path);
    const own = shard.requests.filter(({ headers }) => headers.join().includes('PartialObjectMetadataList'));
    expect(own.map(({ path, longRunning }) => [path, longRunning])).toEqual([
      [`${BINDINGS}?limit=1`, false],
      [`/clusters/*${COWBOYS}:h4sh?limit=1`, false],
    ]);
  });

  test('that is another 404 is the shard’s', async () => {
    const status = { kind: 'Status', code: 404, message: 'namespaces "x" not found' };
    const shard = fakeUpstream(() => ({ status: 404, body: status }));
    expect((await serviceOf({ shard }).ask()).json).toEqual(status);
  });
});
