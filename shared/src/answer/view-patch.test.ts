import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/objects.ts';
import { transform } from '../view/view.ts';
import { ask, JSON_PATCH, MERGE, STRATEGIC, shown, stored, storingShard, THING, trail, VIEW } from './view-write.fixture.ts';

const note = (value: string) => ({ spec: { note: value } });

describe('a patch through a view', () => {
  test.each([
    ['merge', MERGE, note('new')],
    [
      'JSON',
      JSON_PATCH,
      [
        { op: 'test', path: '/spec/note', value: 'old' },
        { op: 'replace', path: '/spec/note', value: 'new' },
      ],
    ],
  ])('of the type %s is applied to what the caller is shown', async (_, headers, body) => {
    const shard = storingShard();
    const exchange = await ask(shard, 'PATCH', `${THING}?fieldManager=me&force=true`, { headers, body });
    expect(trail(shard)).toEqual(['GET ', 'PUT ?fieldManager=me']);
    expect(exchange.status).toBe(200);
    expect(exchange.json).toEqual(shown('new', { metadata: { ...shown().metadata, resourceVersion: '6' } }));
  });

  test('of a status goes where its plan says', async () => {
    const shard = storingShard();
    await ask(shard, 'PATCH', `${THING}/status`, { headers: MERGE, body: { status: { phase: 'New' } } });
    expect([trail(shard), shard.object?.status]).toEqual([['GET ', 'PUT /status'], { phase: 'New' }]);
  });

  test('of a hidden or missing object is not found', async () => {
    const hidden = storingShard(stored({ metadata: { ...stored().metadata, annotations: { hidden: 'yes' } } }));
    const missing = storingShard();
    missing.object = undefined;
    for (const shard of [hidden, missing]) {
      expect((await ask(shard, 'PATCH', THING, { headers: MERGE, body: note('new') })).status).toBe(404);
      expect(trail(shard)).toEqual(['GET ']);
    }
  });

  test('is applied again to what another has stored meanwhile', async () => {
    const shard = storingShard();
    shard.meanwhile = ({ method }, index) => {
      if (method === 'PUT' && index === 1)
        shard.object = stored({ spec: { size: 2 }, metadata: { ...stored().metadata, resourceVersion: '6' } });
      return undefined;
    };
    const exchange = await ask(shard, 'PATCH', THING, { headers: MERGE, body: note('new') });
    expect([exchange.status, trail(shard)]).toEqual([200, ['GET ', 'PUT ', 'GET ', 'PUT ']]);
    expect(exchange.json).toMatchObject({ spec: { size: 2, note: 'new' }, metadata: { resourceVersion: '7' } });
  });

  test('gives up after some conflicts', async () => {
    const shard = storingShard();
    shard.meanwhile = ({ method }) => (method === 'PUT' ? { status: 409, body: { kind: 'Status', code: 409 } } : undefined);
    expect((await ask(shard, 'PATCH', THING, { headers: MERGE, body: note('new') })).status).toBe(409);
    expect(shard.requests.filter(({ method }) => method === 'PUT')).toHaveLength(5);
  });

  test.each([
    ['merge', MERGE, { metadata: { resourceVersion: '4' }, ...note('new') }],
    ['JSON', JSON_PATCH, [{ op: 'add', path: '/metadata/resourceVersion', value: '4' }]],
  ])('of the type %s that names another version is a conflict, at once', async (_, headers, body) => {
    const shard = storingShard();
    expect((await ask(shard, 'PATCH', THING, { headers, body })).status).toBe(409);
    expect(trail(shard)).toEqual(['GET ']);
  });

  test('without a version is one of the version that is there', async () => {
    const shard = storingShard();
    const body = { metadata: { resourceVersion: null, namespace: null }, ...note('new') };
    expect((await ask(shard, 'PATCH', THING, { headers: MERGE, body })).status).toBe(200);
  });

  test('for another object of that name is a conflict, at once', async () => {
    const shard = storingShard();
    const exchange = await ask(shard, 'PATCH', THING, { headers: MERGE, body: { metadata: { uid: 'u2' } } });
    expect([exchange.status, trail(shard)]).toEqual([409, ['GET ']]);
  });

  test.each([
    ['name', { metadata: { name: 'b' } }],
    ['namespace', { metadata: { namespace: 'y' } }],
    ['kind', { kind: 'Other' }],
    ['apiVersion', { apiVersion: 'v2' }],
  ])('of the %s is refused', async (_, body) => {
    const shard = storingShard();
    const exchange = await ask(shard, 'PATCH', THING, { headers: MERGE, body });
    expect([exchange.status, exchange.text, trail(shard)]).toEqual([400, expect.stringContaining('does not match'), ['GET ']]);
  });

  test.each([
    ['that fails its test', JSON_PATCH, [{ op: 'test', path: '/spec/note', value: 'other' }], 422],
    ['of a path that is not there', JSON_PATCH, [{ op: 'remove', path: '/nowhere' }], 422],
    ['that makes no object', JSON_PATCH, [{ op: 'replace', path: '', value: 1 }], 422],
    ['that makes no metadata', JSON_PATCH, [{ op: 'replace', path: '/metadata', value: [] }], 400],
    ['that makes metadata of other types', MERGE, { metadata: { labels: { a: 1 } } }, 400],
    ['that nests too deeply', JSON_PATCH, `[{"op":"add","path":"/x","value":${'['.repeat(9000)}${']'.repeat(9000)}}]`, 'refused'],
  ])('%s is rejected and stores nothing', async (_, headers, body, code) => {
    const shard = storingShard();
    const { status } = await ask(shard, 'PATCH', THING, { headers, body });
    expect(code === 'refused' ? [400, 422] : [code]).toContain(status);
    expect(shard.object).toEqual(stored());
  });

  test.each([
    ['of operations that are none', JSON_PATCH, [1], 400],
    ['of no JSON', JSON_PATCH, '[', 400],
    ['of a list', MERGE, [], 400],
    ['of no JSON either', MERGE, '{', 400],
    ['that applies', ['content-type', 'application/apply-patch+yaml'], '{}', 415],
    ['that applies in CBOR', ['content-type', 'application/apply-patch+cbor'], '{}', 415],
    ['without a type', [], '{}', 415],
    ['that is strategic, of a custom resource', STRATEGIC, {}, 415],
  ])('%s is refused before anything is asked', async (_, headers, body, code) => {
    const shard = storingShard();
    const exchange = await ask(shard, 'PATCH', THING, { headers, body });
    expect([exchange.status, trail(shard)]).toEqual([code, []]);
    if (code === 415) expect(exchange.text).toContain('include: application/json-patch+json, application/merge-patch+json"');
  });

  test('keeps numbers that no double holds, its own and others', async () => {
    const shard = storingShard();
    const digits = '12345678901234567890';
    shard.meanwhile = ({ method }) =>
      method === 'GET' ? { body: JSON.stringify(stored()).replace('"size":1', `"size":${digits}`) } : undefined;
    const exchange = await ask(shard, 'PATCH', THING, {
      headers: MERGE,
      body: `{"status":{"count":${digits}},"spec":{"note":"new"}}`,
    });
    expect(exchange.text).toContain(`"size":${digits}`);
    expect(exchange.text).toContain(`"count":${digits}`);
  });
});

test('a strategic patch of what is built in merges as its type says', async () => {
  const account = (...names: readonly string[]): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'a', namespace: 'x', uid: 'u1', resourceVersion: '5' },
    secrets: names.map(name => ({ name })),
  });
  const plan = transform({
    ...VIEW,
    object: object => object,
    write: ({ submitted }) => ({ steps: [{ subresource: '', object: () => submitted }], answer: final => final }),
  });
  const { customKind: _, ...builtIn } = plan;
  const shard = storingShard(account('s', 't'));
  const body = { secrets: [{ name: 'u' }, { name: 's', $patch: 'delete' }] };
  const path = '/api/v1/namespaces/x/serviceaccounts/a';
  expect((await ask(shard, 'PATCH', path, { plan: builtIn, headers: STRATEGIC, body })).status).toBe(200);
  expect(shard.object?.secrets).toEqual([{ name: 'u' }, { name: 't' }]);
  const unknown = await ask(storingShard(), 'PATCH', THING, { plan: builtIn, headers: STRATEGIC, body });
  expect(unknown.status).toBe(415);
});
