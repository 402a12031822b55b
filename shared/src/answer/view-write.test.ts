import { describe, expect, test } from '@jest/globals';
import { forbiddenBecause } from '../kube/errors.ts';
import { ask, JSON_PATCH, STRATEGIC, shown, stored, storingShard, THING, THINGS, trail, VIEW } from './view-write.fixture.ts';

const OF = { apiVersion: 'g.io/v1', kind: 'Thing', group: 'g.io', resource: 'things', columns: [] };

describe('an update through a view', () => {
  test('is sent step by step, each made of what the one before has answered', async () => {
    const shard = storingShard();
    const body = shown('new', { status: { phase: 'New' } });
    const exchange = await ask(shard, 'PUT', `${THING}?dryRun=&fieldManager=me&fieldValidation=Strict&pretty=true`, { body });
    const options = '?dryRun=&fieldManager=me&fieldValidation=Strict';
    expect(trail(shard)).toEqual(['GET ', `PUT ${options}`, `PUT /status${options}`]);
    expect(shard.object).toMatchObject({ metadata: { annotations: { note: 'new' } }, status: { phase: 'New' } });
    expect(exchange.status).toBe(200);
    expect(exchange.json).toEqual(
      shown('new', { status: { phase: 'New' }, metadata: { ...body.metadata, resourceVersion: '7' } }),
    );
  });

  test('of a status reads and writes the main object, too', async () => {
    const shard = storingShard();
    const exchange = await ask(shard, 'PUT', `${THING}/status/`, { body: shown('new', { status: { phase: 'New' } }) });
    expect([exchange.status, trail(shard)]).toEqual([200, ['GET ', 'PUT ', 'PUT /status']]);
  });

  test('of an identity is sent to that, wherever its steps go', async () => {
    const shard = storingShard();
    const plan = { ...VIEW, identity: 'h4sh', as: { name: 'bob', uid: '', groups: [], extra: {} } };
    await ask(shard, 'PUT', THING, { plan, body: shown('new', { status: {} }) });
    expect(trail(shard)).toEqual(['GET *:h4sh/a', 'PUT *:h4sh/a', 'PUT *:h4sh/a/status']);
    expect(shard.requests.every(({ headers }) => headers.join().toLowerCase().includes('impersonate-user,bob'))).toBe(true);
  });

  test('that finds everything as it wants it is answered from what is stored', async () => {
    const shard = storingShard();
    const exchange = await ask(shard, 'PUT', THING, { body: shown() });
    expect([exchange.status, exchange.json, trail(shard)]).toEqual([200, shown(), ['GET ']]);
  });

  test('keeps numbers that no double holds', async () => {
    const shard = storingShard();
    const body = JSON.stringify(shown('old', { status: { count: 0 } })).replace('"count":0', '"count":12345678901234567890');
    const exchange = await ask(shard, 'PUT', THING, { body });
    expect(shard.requests[1]?.body).toContain('"count":12345678901234567890');
    expect(exchange.text).toContain('"count":12345678901234567890');
  });

  test('ends with the first error of the shard, which is the answer', async () => {
    const shard = storingShard();
    const body = { kind: 'Status', code: 422, message: 'bad note' };
    shard.meanwhile = ({ method }) => (method === 'PUT' ? { status: 422, body } : undefined);
    const exchange = await ask(shard, 'PUT', THING, { body: shown('new', { status: {} }) });
    expect([exchange.status, exchange.json, trail(shard)]).toEqual([422, body, ['GET ', 'PUT ']]);
  });

  test('passes a conflict on, at once', async () => {
    const shard = storingShard();
    shard.meanwhile = ({ method }) => (method === 'PUT' ? { status: 409, body: { kind: 'Status', code: 409 } } : undefined);
    expect((await ask(shard, 'PUT', THING, { body: shown('new') })).status).toBe(409);
    expect(trail(shard)).toEqual(['GET ', 'PUT ']);
  });

  test('of what is missing, or hidden by the plan, is not found', async () => {
    const missing = storingShard();
    missing.object = undefined;
    expect((await ask(missing, 'PUT', THING, { body: shown('new') })).status).toBe(404);
    const hidden = storingShard(stored({ metadata: { ...stored().metadata, annotations: { hidden: 'yes' } } }));
    // Not even that it has another uid.
    const body = shown('new', { metadata: { ...shown().metadata, uid: 'other' } });
    expect((await ask(hidden, 'PUT', THING, { body })).status).toBe(404);
    expect(trail(hidden)).toEqual(['GET ']);
  });

  test('of another object of that name is a conflict', async () => {
    const shard = storingShard();
    const exchange = await ask(shard, 'PUT', THING, { body: shown('new', { metadata: { ...shown().metadata, uid: 'u2' } }) });
    expect([exchange.status, exchange.text]).toEqual([409, expect.stringContaining('UID in precondition: u2')]);
    expect(trail(shard)).toEqual(['GET ']);
  });

  test.each([
    ['apiVersion', { apiVersion: 'v1' }],
    ['kind', { kind: 'Other' }],
    ['name', { metadata: { ...shown().metadata, name: 'b' } }],
    ['namespace', { metadata: { ...shown().metadata, namespace: 'y' } }],
  ])('of something with another %s is refused before anything is asked', async (_, change) => {
    const shard = storingShard();
    const exchange = await ask(shard, 'PUT', THING, { body: shown('new', change) });
    expect([exchange.status, exchange.text, trail(shard)]).toEqual([400, expect.stringContaining('does not match'), []]);
  });

  test('is taken in YAML, and answered in it', async () => {
    const body = [
      'apiVersion: g.io/v1',
      'kind: Thing',
      'metadata: {name: a, resourceVersion: "5"}',
      'spec: {size: 1, note: new}',
      'status: {phase: Old}',
    ].join('\n');
    const headers = ['content-type', 'application/yaml', 'accept', 'application/yaml'];
    for (const plan of [VIEW, { ...VIEW, of: OF }]) {
      const exchange = await ask(storingShard(), 'PUT', THING, { headers, body, plan });
      expect([exchange.status, exchange.responseHeader('content-type')]).toEqual([200, 'application/yaml']);
      expect(exchange.text).toContain('\n  note: new\n');
    }
  });

  test('is answered as a Table or as metadata to who asks for that, with the shard’s warnings', async () => {
    const plan = { ...VIEW, of: OF };
    const as = (kind: string) => ['accept', `application/json;as=${kind};v=v1;g=meta.k8s.io`];
    const body = shown('new', { status: {} });
    const table = await ask(storingShard(), 'PUT', THING, { plan, body, headers: as('Table') });
    expect(table.json).toMatchObject({ kind: 'Table', rows: [{ cells: ['a'] }] });
    expect(table.responseHeaders.filter(value => value.startsWith('299'))).toEqual(['299 - "main"', '299 - "status"']);
    const partial = await ask(storingShard(), 'PUT', THING, { plan, body, headers: as('PartialObjectMetadata') });
    expect(partial.json).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { resourceVersion: '7' } });
    const other = storingShard();
    expect((await ask(other, 'PUT', THING, { plan, body, headers: ['accept', 'text/html'] })).status).toBe(406);
    expect(trail(other)).toEqual([]);
  });

  test.each([
    ['in protobuf', 'PUT', ['content-type', 'application/vnd.kubernetes.protobuf'], 'k8s', 415],
    ['that is no JSON', 'PUT', [], '{', 400],
    ['of a scale', 'PUT', [], '{}', 405, `${THING}/scale`],
    ['by a path with an encoded slash', 'PUT', [], '{}', 400, `${THINGS}/a%2Fstatus`],
    ['of a collection', 'PUT', [], '{}', 405, THINGS],
  ])('%s is refused', async (_, method, headers, body, code, path = THING) => {
    for (const customKind of ['Thing', undefined]) {
      const { customKind: __, ...builtIn } = VIEW;
      const shard = storingShard();
      const plan = customKind ? { ...builtIn, customKind } : builtIn;
      expect((await ask(shard, method, path, { headers, body, plan })).status).toBe(code);
      expect(trail(shard)).toEqual([]);
    }
  });

  test('of what is built in may leave out what it is', async () => {
    const { customKind: _, ...plan } = { ...VIEW, of: OF };
    const { apiVersion: __, kind: ___, ...body } = shown('new');
    expect((await ask(storingShard(), 'PUT', THING, { plan, body })).status).toBe(200);
    expect((await ask(storingShard(), 'PUT', THING, { body })).status).toBe(400);
  });

  test('that the plan throws over is answered with that', async () => {
    const plan = { ...VIEW, write: () => Promise.reject(forbiddenBecause('not today')) };
    const exchange = await ask(storingShard(), 'PUT', THING, { plan, body: shown('new') });
    expect([exchange.status, exchange.text]).toEqual([403, expect.stringContaining('not today')]);
  });
});

describe('a create through a view', () => {
  const { resourceVersion: _, uid: __, ...metadata } = shown().metadata ?? {};

  test('is one POST of what the plan makes of it', async () => {
    const shard = storingShard();
    const body = shown('new', { metadata: { ...metadata, namespace: undefined } });
    const exchange = await ask(shard, 'POST', `${THINGS}?dryRun=All&fieldManager=me`, { body });
    expect([exchange.status, trail(shard)]).toEqual([201, ['POST *?dryRun=All&fieldManager=me']]);
    expect(JSON.parse(shard.requests[0]?.body ?? '')).toMatchObject({
      metadata: { name: 'a', namespace: 'x', annotations: { note: 'new' } },
    });
    expect(exchange.json).toEqual(shown('new', { metadata }));
  });

  test('of something else is refused, and so is one that the plan refuses', async () => {
    const shard = storingShard();
    expect((await ask(shard, 'POST', THINGS, { body: shown('new', { kind: 'Other' }) })).status).toBe(400);
    const plan = { ...VIEW, write: () => ({ refusal: forbiddenBecause('not today') }) };
    expect((await ask(shard, 'POST', THINGS, { plan, body: shown('new') })).status).toBe(403);
    expect((await ask(shard, 'POST', `${THING}/status`, { body: shown('new') })).status).toBe(405);
    expect(trail(shard)).toEqual([]);
  });
});

test('a view that has no word on writes refuses them, and deletes', async () => {
  const { write: _, ...plan } = VIEW;
  for (const method of ['POST', 'PUT']) {
    expect((await ask(storingShard(), method, method === 'POST' ? THINGS : THING, { plan, body: shown() })).status).toBe(405);
  }
  expect((await ask(storingShard(), 'PATCH', THING, { plan, headers: JSON_PATCH, body: [] })).status).toBe(405);
  expect((await ask(storingShard(), 'DELETE', THING)).status).toBe(405);
  expect((await ask(storingShard(), 'PATCH', THING, { headers: STRATEGIC, body: {} })).status).toBe(415);
});
