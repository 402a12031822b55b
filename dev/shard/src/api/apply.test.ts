import { beforeEach, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { definitionFrom } from '../kcp/bound-definitions.ts';
import { CONFIGMAPS_PATH, TestShard } from './api.fixture.ts';

const PATH = '/apis/example.dev/v1/gadgets/g';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';

const text = { type: 'string' };
const endpoints = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['instance'],
  items: { type: 'object', required: ['instance'], properties: { instance: text, url: text, ready: { type: 'boolean' } } },
};
const GADGETS = definitionFrom(
  {
    ...{ group: 'example.dev', scope: 'Cluster', names: { kind: 'Gadget', plural: 'gadgets' } },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true, subresources: { status: {} } },
        schema: {
          type: 'object',
          properties: {
            spec: {
              type: 'object',
              properties: {
                x: { type: 'integer' },
                names: { type: 'array', items: text },
                tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
              },
            },
            status: { type: 'object', properties: { endpoints, phase: text } },
          },
        },
      },
    ],
  },
  { schemaCluster: 'a' },
);

let shard: TestShard;
beforeEach(() => {
  shard = new TestShard();
  shard.registry.add('a', GADGETS);
});

const gadget = (fields: object): object => ({ apiVersion: 'example.dev/v1', kind: 'Gadget', ...fields });

async function apply(manager: string, fields: object, { path = PATH, query = '' } = {}) {
  const reply = await shard.patch(`${path}?fieldManager=${manager}${query}`, gadget(fields), 'application/apply-patch+yaml');
  return { code: reply.status, ...reply.json<KubeObject & Record<'spec' | 'status', unknown>>() };
}
const applyStatus = (manager: string, instance: string, ready: boolean, query = '') =>
  apply(manager, { status: { endpoints: [{ instance, ready }] } }, { path: `${PATH}/status`, query });
const managers = ({ metadata }: KubeObject) =>
  ((metadata?.managedFields ?? []) as { manager: string; fieldsV1: object }[]).map(one => [one.manager, one.fieldsV1]);

describe('an apply', () => {
  test('creates what does not exist, under the name of the path, and says whose it is', async () => {
    const made = await apply('me', { spec: { x: 1 } });
    expect(made).toMatchObject({ code: 201, metadata: { name: 'g' }, spec: { x: 1 } });
    expect(made.metadata?.managedFields).toEqual([
      {
        manager: 'me',
        operation: 'Apply',
        apiVersion: 'example.dev/v1',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:x': {} } },
      },
    ]);
  });

  test('of the status of what does not exist is a 404', async () => {
    expect(await applyStatus('me', 'one', true)).toMatchObject({ code: 404 });
  });

  test('may be YAML', async () => {
    const body = 'apiVersion: example.dev/v1\nkind: Gadget\nspec:\n  x: 2\n';
    const reply = await shard.patch(`${PATH}?fieldManager=me`, body, 'application/apply-patch+yaml');
    expect(reply.json()).toMatchObject({ spec: { x: 2 } });
  });

  test('keeps the items of others in a list with keys, and takes back its own', async () => {
    await apply('owner', { spec: { x: 1 } });
    await applyStatus('a', 'a', true);
    const both = await applyStatus('b', 'b', false);
    expect(both.status).toEqual({
      endpoints: [
        { instance: 'a', ready: true },
        { instance: 'b', ready: false },
      ],
    });
    expect(managers(both)).toContainEqual([
      'b',
      { 'f:status': { 'f:endpoints': { 'k:{"instance":"b"}': { '.': {}, 'f:instance': {}, 'f:ready': {} } } } },
    ]);
    const left = await apply('a', {}, { path: `${PATH}/status` });
    expect(left.status).toEqual({ endpoints: [{ instance: 'b', ready: false }] });
    expect(managers(left).map(([manager]) => manager)).toEqual(['b', 'owner']);
  });

  test('removes a field that it leaves out, unless another has applied it too', async () => {
    await apply('a', { spec: { x: 1, names: ['n'] } });
    await apply('b', { spec: { x: 1 } });
    expect((await apply('a', { spec: { names: ['n'] } })).spec).toEqual({ x: 1, names: ['n'] });
    expect((await apply('b', {})).spec).toEqual({ names: ['n'] });
  });

  test('leaves what nobody has applied', async () => {
    await apply('a', { spec: { x: 1 } });
    await shard.patch(PATH, { spec: { names: ['n'] } });
    expect((await apply('a', {})).spec).toEqual({ names: ['n'] });
  });

  test('merges sets, and replaces other lists', async () => {
    await apply('a', { spec: { names: ['a'], tags: ['a'] } });
    const reply = await apply('b', { spec: { names: ['b'], tags: ['b'] } }, { query: '&force=true' });
    expect(reply.spec).toEqual({ names: ['b'], tags: ['a', 'b'] });
  });

  test('of what another manager has applied with another value is a conflict', async () => {
    await apply('owner', {});
    await applyStatus('a', 'one', true);
    expect(await applyStatus('b', 'one', false)).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Apply failed with 1 conflict: conflict with "a" with subresource "status": .status.endpoints[instance="one"].ready',
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.status.endpoints[instance="one"].ready' }] },
    });
    expect((await applyStatus('b', 'one', true)).code).toBe(200);
  });

  test('that is forced takes the field from the other manager', async () => {
    await apply('a', { spec: { x: 1, names: ['n'] } });
    const forced = await apply('b', { spec: { x: 2 } }, { query: '&force=true' });
    expect(forced.spec).toEqual({ x: 2, names: ['n'] });
    expect(managers(forced)).toEqual([
      ['a', { 'f:spec': { 'f:names': {} } }],
      ['b', { 'f:spec': { 'f:x': {} } }],
    ]);
  });

  test('of one subresource is not that of another, though the manager is the same', async () => {
    await apply('me', { spec: { x: 1 } });
    await applyStatus('me', 'one', true);
    const reply = await apply('me', { spec: { x: 1 }, status: { phase: 'ignored' } });
    expect(reply.status).toEqual({ endpoints: [{ instance: 'one', ready: true }] });
    expect(managers(reply)).toHaveLength(2);
  });

  test('that says what is there already changes nothing', async () => {
    const first = await apply('me', { spec: { x: 1 } });
    const again = await apply('me', { spec: { x: 1 } });
    expect(again.metadata).toEqual(first.metadata);
  });

  test('loses a field that an update changes', async () => {
    await apply('me', { spec: { x: 1, names: ['n'] } });
    const changed = (await shard.patch(PATH, { spec: { x: 2 } })).json();
    expect(managers(changed)).toEqual([['me', { 'f:spec': { 'f:names': {} } }]]);
  });

  test('is given the managers that an update hands back', async () => {
    const computed = await apply('me', { spec: { x: 1 } }, { query: '&dryRun=All' });
    expect((await shard.get(PATH)).status).toBe(404);
    const made = (await shard.post('/apis/example.dev/v1/gadgets', gadget({ metadata: { name: 'g' }, spec: { x: 1 } }))).json();
    expect(made.metadata?.managedFields).toBeUndefined();
    const { managedFields } = computed.metadata ?? {};
    const stored = (await shard.put(PATH, { ...made, metadata: { ...made.metadata, managedFields } })).json();
    expect(stored.metadata?.managedFields).toEqual(managedFields);
  });

  test('with a version that is over is a conflict', async () => {
    const { metadata } = await apply('me', { spec: { x: 1 } });
    await shard.patch(PATH, { spec: { x: 2 } });
    const { resourceVersion } = metadata ?? {};
    expect(await apply('me', { metadata: { resourceVersion }, spec: { x: 3 } })).toMatchObject({ code: 409 });
  });

  test.each([
    ['a field that the schema does not have', { spec: { extra: 1 } }, '.spec.extra: field not declared in schema'],
    ['an item without its key', { status: { endpoints: [{ ready: true }] } }, 'omits key field "instance"'],
    ['an item twice', { status: { endpoints: [{ instance: 'a' }, { instance: 'a' }] } }, 'duplicate entries'],
  ])('of %s is refused', async (_, fields, message) => {
    await apply('me', {});
    const reply = await apply('me', fields, { path: 'status' in fields ? `${PATH}/status` : PATH });
    expect(reply).toMatchObject({ code: 500, message: expect.stringContaining(message) });
  });

  test('says who applies', async () => {
    const reply = await shard.patch(PATH, gadget({}), 'application/apply-patch+yaml');
    const message = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch';
    expect(reply.json()).toMatchObject({ code: 422, message });
  });

  test('says what it applies', async () => {
    expect((await shard.patch(`${PATH}?fieldManager=me`, { spec: {} }, 'application/apply-patch+yaml')).status).toBe(400);
  });

  test('merges the conditions of built-in types by their type', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace' };
    const at = (manager: string) => `/api/v1/namespaces/default/status?fieldManager=${manager}`;
    const of = (type: string) => ({ ...namespace, status: { conditions: [{ type, status: 'True' }] } });
    await shard.patch(at('a'), of('A'), 'application/apply-patch+yaml');
    const reply = (await shard.patch(at('b'), of('B'), 'application/apply-patch+yaml')).json();
    expect(reply.status).toMatchObject({ conditions: [{ type: 'A' }, { type: 'B' }] });
  });

  test('of a map owns what is in it, entry by entry', async () => {
    const configMap = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', data });
    const at = (manager: string) => `${CONFIGMAPS_PATH}/m?fieldManager=${manager}`;
    await shard.patch(at('one'), configMap({ a: '1', b: '1' }), 'application/apply-patch+yaml');
    await shard.patch(at('two'), configMap({ c: '1' }), 'application/apply-patch+yaml');
    const reply = (await shard.patch(at('one'), configMap({ a: '1' }), 'application/apply-patch+yaml')).json();
    expect(reply.data).toEqual({ a: '1', c: '1' });
  });
});

test('leases are kept by apply, and seen of all namespaces at once', async () => {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    spec: { holderIdentity: 'one', leaseDurationSeconds: 15 },
  };
  const watch = await shard.watch('/apis/coordination.k8s.io/v1/leases');
  const at = `${LEASES}/one?fieldManager=one&force=true`;
  expect((await shard.patch(at, lease, 'application/apply-patch+yaml')).status).toBe(201);
  const renewed = { ...lease, spec: { ...lease.spec, renewTime: '2026-01-01T00:00:00.000000Z' } };
  expect((await shard.patch(at, renewed, 'application/apply-patch+yaml')).status).toBe(200);
  expect(watch.summary()).toEqual(['ADDED one', 'MODIFIED one']);
  expect((await shard.get('/apis/coordination.k8s.io/v1/leases')).json().items).toHaveLength(1);
});
