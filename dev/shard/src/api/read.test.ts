import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Table } from '@kcp-vw/shared/kube/table.ts';
import { CONFIGMAPS_PATH, TestShard, WIDGETS, WIDGETS_PATH, widget } from './api.fixture.ts';

const TABLE = ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'];
const PARTIAL_LIST = ['accept', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'];

const names = ({ items }: { items: readonly KubeObject[] }): (string | undefined)[] =>
  items.map(({ metadata }) => metadata?.name);

async function withWidgets(...given: readonly string[]): Promise<TestShard> {
  const shard = new TestShard();
  for (const name of given) shard.store.create(WIDGETS, 'a', widget(name, { spec: { color: 'red' } }));
  return shard;
}

describe('get', () => {
  test('answers with the stored object in the version asked for', async () => {
    const shard = new TestShard();
    await shard.post('/apis/apis.kcp.io/v1alpha1/apiexports', {
      apiVersion: 'apis.kcp.io/v1alpha1',
      kind: 'APIExport',
      metadata: { name: 'x' },
    });
    for (const version of ['v1alpha1', 'v1alpha2']) {
      const reply = await shard.get(`/apis/apis.kcp.io/${version}/apiexports/x`);
      expect(reply.json()).toMatchObject({
        apiVersion: `apis.kcp.io/${version}`,
        metadata: { annotations: { 'kcp.io/cluster': 'a' } },
      });
    }
  });

  test('of what is not there is a 404 that names it', async () => {
    const shard = new TestShard();
    expect((await shard.get('/api/v1/namespaces/nope')).json()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'namespaces "nope" not found',
      reason: 'NotFound',
      details: { name: 'nope', kind: 'namespaces' },
      code: 404,
    });
  });

  test('does not see another logical cluster', async () => {
    const shard = await withWidgets('w');
    shard.cluster = 'b';
    shard.registry.add('b', WIDGETS);
    expect((await shard.get(`${WIDGETS_PATH}/w`)).status).toBe(404);
  });

  test('of a version still to come is a 504', async () => {
    const shard = await withWidgets('w');
    const reply = await shard.get(`${WIDGETS_PATH}/w?resourceVersion=99999`);
    expect(reply.json()).toMatchObject({ code: 504, details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
  });
});

describe('what is not served', () => {
  test.each([
    '/api/v1/nothing',
    '/apis/example.dev/v2/widgets',
    '/apis/example.dev/v1/others',
    '/apis/example.dev/v1/widgets:hash',
  ])('%s is the 404 of a path without a route', async path => {
    const reply = await new TestShard().get(path);
    expect(reply.status).toBe(404);
    expect(reply.text).toBe('404 page not found\n');
  });

  test('as a subresource is a 404 that names the object', async () => {
    const shard = await withWidgets('w');
    expect((await shard.get(`${WIDGETS_PATH}/w/scale`)).json().message).toBe('widgets.example.dev "w" not found');
  });
});

describe('list', () => {
  test('holds the objects of one logical cluster with the version it was made at', async () => {
    const shard = await withWidgets('w-1', 'w-2');
    const list = (await shard.get(WIDGETS_PATH)).json();
    expect(list).toMatchObject({
      kind: 'WidgetList',
      apiVersion: 'example.dev/v1',
      metadata: { resourceVersion: shard.store.resourceVersion },
    });
    expect(names(list)).toEqual(['w-1', 'w-2']);
  });

  test('is selected by labels and fields', async () => {
    const shard = await withWidgets();
    for (const [name, color] of [
      ['a', 'red'],
      ['b', 'blue'],
    ] as const)
      await shard.post(WIDGETS_PATH, widget(name, { metadata: { name, labels: { color } } }));
    expect(names((await shard.get(`${WIDGETS_PATH}?labelSelector=color%3Dred`)).json())).toEqual(['a']);
    expect(names((await shard.get(`${WIDGETS_PATH}?fieldSelector=metadata.name%3Db`)).json())).toEqual(['b']);
    const refused = await shard.get(`${WIDGETS_PATH}?fieldSelector=spec.x%3Db`);
    expect(refused.json()).toMatchObject({ code: 400, message: 'field label not supported: spec.x' });
  });

  test('is selected by the fields that its definition names', async () => {
    const shard = await withWidgets();
    const selectableFields = {
      'spec.color': (object: KubeObject) => String((object.spec as { color?: string } | undefined)?.color),
    };
    shard.registry.add('a', { ...WIDGETS, selectableFields });
    for (const color of ['red', 'blue']) await shard.post(WIDGETS_PATH, widget(color, { spec: { color } }));
    expect(names((await shard.get(`${WIDGETS_PATH}?fieldSelector=spec.color%3Dblue`)).json())).toEqual(['blue']);
  });

  test('comes in pages of one version, whatever happens between them', async () => {
    const shard = await withWidgets('w-1', 'w-2', 'w-3');
    const first = (await shard.get(`${WIDGETS_PATH}?limit=2`)).json();
    expect(names(first)).toEqual(['w-1', 'w-2']);
    expect(first.metadata).toMatchObject({ remainingItemCount: 1 });
    await shard.delete(`${WIDGETS_PATH}/w-3`);
    await shard.post(WIDGETS_PATH, widget('w-4'));
    const second = (await shard.get(`${WIDGETS_PATH}?limit=2&continue=${first.metadata?.continue}`)).json();
    expect(names(second)).toEqual(['w-3']);
    expect(second.metadata).toEqual({ resourceVersion: first.metadata?.resourceVersion });
  });

  test('cannot be continued after a compaction', async () => {
    const shard = await withWidgets('w-1', 'w-2');
    const { metadata } = (await shard.get(`${WIDGETS_PATH}?limit=1`)).json();
    await shard.post(WIDGETS_PATH, widget('w-3'));
    shard.store.compact();
    const reply = await shard.get(`${WIDGETS_PATH}?limit=1&continue=${metadata?.continue}`);
    expect(reply.json()).toMatchObject({ code: 410, reason: 'Expired' });
  });

  test('of exactly one version shows the past', async () => {
    const shard = await withWidgets('w-1');
    const { resourceVersion } = shard.store;
    await shard.post(WIDGETS_PATH, widget('w-2'));
    const at = (match: string) => shard.get(`${WIDGETS_PATH}?resourceVersion=${resourceVersion}&resourceVersionMatch=${match}`);
    expect(names((await at('Exact')).json())).toEqual(['w-1']);
    expect(names((await at('NotOlderThan')).json())).toEqual(['w-1', 'w-2']);
  });

  test('refuses options that do not go together, with 422', async () => {
    expect((await new TestShard().get(`/api/v1/namespaces?resourceVersionMatch=Exact`)).status).toBe(422);
  });

  test('over 128 KiB is compressed for who takes gzip, and for nobody else', async () => {
    const shard = await withWidgets();
    for (let i = 0; i < 100; i += 1) shard.store.create(WIDGETS, 'a', widget(`w-${i}`, { spec: { text: 'x'.repeat(2000) } }));
    const compressed = await shard.get(WIDGETS_PATH, ['accept-encoding', 'gzip']);
    expect(compressed.header('content-encoding')).toBe('gzip');
    expect(compressed.bytesWritten).toBeLessThan(20_000);
    expect(compressed.json().items).toHaveLength(100);
    for (const coding of ['identity', 'gzip;q=0']) {
      expect((await shard.get(WIDGETS_PATH, ['accept-encoding', coding])).header('content-encoding')).toBeUndefined();
    }
    const small = await shard.get(`${WIDGETS_PATH}/w-1`, ['accept-encoding', 'gzip']);
    expect(small.header('content-encoding')).toBeUndefined();
  });

  test('is written no faster than it is read', async () => {
    const shard = await withWidgets();
    for (let i = 0; i < 400; i += 1) shard.store.create(WIDGETS, 'a', widget(`w-${i}`, { spec: { text: 'x'.repeat(2000) } }));
    const pending = shard.ask('GET', WIDGETS_PATH, { blocked: true });
    await new Promise(resolve => setImmediate(resolve));
    let isOver = false;
    void pending.then(() => {
      isOver = true;
    });
    await new Promise(resolve => setImmediate(resolve));
    expect(isOver).toBe(false);
  });
});

describe('a Table', () => {
  test('has the columns of the definition, and objects reduced to their metadata', async () => {
    const table = (await (await withWidgets('w')).get(WIDGETS_PATH, TABLE)).json<
      Omit<Table, 'columnDefinitions'> & { columnDefinitions: { name: string }[] }
    >();
    expect(table.kind).toBe('Table');
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Color']);
    expect(table.rows).toMatchObject([{ cells: ['w', 'red'], object: { kind: 'PartialObjectMetadata' } }]);
  });
});

describe('all logical clusters at once', () => {
  async function everywhere(): Promise<TestShard> {
    const shard = await withWidgets('w');
    shard.registry.add('b', WIDGETS);
    shard.store.create(WIDGETS, 'b', widget('w'));
    shard.cluster = '*';
    return shard;
  }

  test('are listed with each object naming its own', async () => {
    const { items } = (await (await everywhere()).get(WIDGETS_PATH)).json();
    expect(items.map(({ metadata }) => metadata?.annotations?.['kcp.io/cluster'])).toEqual(['a', 'b']);
  });

  test('have nothing to be found by name', async () => {
    const shard = await everywhere();
    expect((await shard.get(`${WIDGETS_PATH}?fieldSelector=metadata.name%3Dw`)).json().items).toEqual([]);
    for (const reply of [
      await shard.get(`${WIDGETS_PATH}/w`),
      await shard.post(WIDGETS_PATH, widget('x')),
      await shard.delete(WIDGETS_PATH),
    ]) {
      expect(reply.json()).toMatchObject({ code: 404, message: 'the server could not find the requested resource' });
    }
  });

  test('show what comes from an API export under its identity only, or its metadata', async () => {
    const shard = await everywhere();
    for (const cluster of ['a', 'b']) shard.registry.add(cluster, { ...WIDGETS, identity: 'hash' });
    expect((await shard.get(`${WIDGETS_PATH}:hash`)).json().items).toHaveLength(2);
    expect((await shard.get(WIDGETS_PATH)).status).toBe(404);
    expect((await shard.get(`${WIDGETS_PATH}:other`)).status).toBe(404);
    const [item] = (await shard.get(WIDGETS_PATH, PARTIAL_LIST)).json().items;
    expect(item?.metadata?.annotations?.['kcp.io/original-api-version']).toBe('example.dev/v1');
  });
});

describe('discovery', () => {
  test('names every resource with its verbs, and the status apart', async () => {
    const { resources } = (await new TestShard().get('/apis/core.kcp.io/v1alpha1')).json<{
      resources: { name: string; verbs: string[] }[];
    }>();
    expect(resources.map(({ name }) => name)).toEqual(['logicalclusters', 'logicalclusters/status', 'shards', 'shards/status']);
    expect(resources[1]?.verbs).toEqual(['get', 'patch', 'update']);
  });

  test('hashes stored versions as Kubernetes does', async () => {
    const { resources } = (await new TestShard().get('/api/v1')).json<{
      resources: { name: string; storageVersionHash?: string }[];
    }>();
    expect(resources.find(({ name }) => name === 'configmaps')?.storageVersionHash).toBe('BcsYVNKF43M=');
  });

  test('differs from one logical cluster to another', async () => {
    const shard = new TestShard();
    expect((await shard.get('/apis/example.dev')).status).toBe(200);
    shard.cluster = 'b';
    expect((await shard.get('/apis/example.dev')).status).toBe(404);
  });

  test('of an unknown group version is empty, as on kcp', async () => {
    expect((await new TestShard().get('/apis/unknown.dev/v1')).json()).toMatchObject({ kind: 'APIResourceList', resources: [] });
  });

  test('is not sent again to who has it', async () => {
    const shard = new TestShard();
    const etag = (await shard.get('/openapi/v3')).header('etag') ?? '';
    const again = await shard.get('/openapi/v3', ['if-none-match', etag]);
    expect([again.status, again.text]).toEqual([304, '']);
  });

  test.each(['/', '/api', '/apis', '/version', '/openapi/v3/apis/example.dev/v1', '/healthz'])('answers at %s', async path => {
    expect((await new TestShard().get(path)).status).toBe(200);
  });
});

test('a method that a path does not know is a 405', async () => {
  const shard = await withWidgets('w');
  const replies = [
    await shard.post(`${WIDGETS_PATH}/w`, widget('w')),
    await shard.put(WIDGETS_PATH, {}),
    await shard.delete(`${WIDGETS_PATH}/w/status`),
  ];
  for (const reply of replies) expect(reply.json().reason).toBe('MethodNotAllowed');
  expect((await shard.delete('/api/v1/namespaces')).json().message).toBe(
    'deletecollection is not supported on resources of kind "namespaces"',
  );
  expect((await shard.get(CONFIGMAPS_PATH)).status).toBe(200);
});
