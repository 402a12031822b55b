import { describe, expect, test } from '@jest/globals';
import { type FakeUpstream, fakeUpstream } from '../testing/fake-upstream.ts';
import { ask, hidden, THINGS } from './transform.fixture.ts';

describe('an admitted write', () => {
  const stored = {
    apiVersion: 'g.io/v1',
    kind: 'Thing',
    metadata: { name: 'a', resourceVersion: '5', labels: { visible: 'yes' } },
    spec: 'old',
  };
  const merge = ['content-type', 'application/merge-patch+json'];
  /** A shard with one object: patches set the spec, a PUT stores. */
  const shardWith = (puts: number[] = []) => {
    let put = 0;
    return fakeUpstream(({ method, body }) => {
      if (method === 'GET') return { body: stored };
      if (!body.startsWith('{') || !body.endsWith('}')) return { status: 400, body: { kind: 'Status', code: 400 } };
      if (method === 'PATCH') return { body: { ...stored, ...JSON.parse(body) } };
      const status = puts[put++] ?? 200;
      return { status, body: status === 200 ? JSON.parse(body) : { kind: 'Status', code: status } };
    });
  };
  const trail = (shard: FakeUpstream) =>
    shard.requests.map(({ method, path }) => `${method} ${path.replace(`/clusters/c1${THINGS}/a`, '')}`);

  test('by patch is computed by the shard, inspected, and stored on the version it was computed on', async () => {
    const shard = shardWith();
    const exchange = await ask(shard, 'PATCH', `${THINGS}/a?fieldManager=me&force=true`, {
      headers: merge,
      body: '{"spec":"new"}',
    });
    expect(trail(shard)).toEqual(['GET ', 'PATCH ?fieldManager=me&force=true&dryRun=All', 'PUT ?fieldManager=me']);
    expect(JSON.parse(shard.requests[2]?.body ?? '')).toMatchObject({ spec: 'new', metadata: { resourceVersion: '5' } });
    expect(exchange.status).toBe(200);
  });

  test('that is not admitted stores nothing', async () => {
    const patched = shardWith();
    expect((await ask(patched, 'PATCH', `${THINGS}/a`, { headers: merge, body: '{"spec":"bad"}' })).status).toBe(400);
    expect(trail(patched)).toEqual(['GET ', 'PATCH ?dryRun=All']);
    const updated = shardWith();
    expect((await ask(updated, 'PUT', `${THINGS}/a`, { body: JSON.stringify({ ...stored, spec: 'bad' }) })).status).toBe(400);
    expect(trail(updated)).toEqual(['GET ']);
  });

  test('by patch is tried again on a conflict, five times', async () => {
    const once = shardWith([409]);
    expect((await ask(once, 'PATCH', `${THINGS}/a`, { headers: merge, body: '{}' })).status).toBe(200);
    const always = shardWith(Array(9).fill(409));
    expect((await ask(always, 'PATCH', `${THINGS}/a`, { headers: merge, body: '{}' })).status).toBe(409);
    expect(always.requests.filter(({ method }) => method === 'PUT')).toHaveLength(5);
  });

  test('by update passes a conflict on', async () => {
    const shard = shardWith([409]);
    expect((await ask(shard, 'PUT', `${THINGS}/a`, { body: JSON.stringify(stored) })).status).toBe(409);
    expect(shard.requests).toHaveLength(2);
  });

  // The object inspected is the one at version 5. An update on version 6, valid by the time it is sent, would replace one never seen.
  test('by update on another version than the one inspected is a conflict', async () => {
    const shard = shardWith();
    const body = JSON.stringify({ ...stored, metadata: { ...stored.metadata, resourceVersion: '6' } });
    expect((await ask(shard, 'PUT', `${THINGS}/a`, { body })).status).toBe(409);
    expect(trail(shard)).toEqual(['GET ']);
  });

  test.each([
    ['apiVersion', { apiVersion: 'v1' }],
    ['kind', { kind: 'Other' }],
    ['name', { metadata: { ...stored.metadata, name: 'b' } }],
  ])('by update of something with another %s is refused before anything else', async (_, change) => {
    const shard = shardWith();
    expect(
      (await ask(shard, 'PUT', `${THINGS}/a`, { body: JSON.stringify({ ...stored, ...change, spec: 'bad' }) })).text,
    ).toContain('does not match');
    expect(trail(shard)).toEqual(['GET ']);
  });

  test.each([
    ['that is no object', 'PUT', '[]', [], 400],
    ['that is no JSON', 'PUT', '{', [], 400],
    ['of an unknown type', 'PUT', '{}', ['content-type', 'text/plain'], 415],
    ['by a patch of an unknown type', 'PATCH', '{}', ['content-type', 'application/json'], 415],
    ['by a patch without a type', 'PATCH', '{}', [], 415],
  ])('%s is refused', async (_, method, body, headers, code) => {
    expect((await ask(shardWith(), method, `${THINGS}/a`, { headers, body })).status).toBe(code);
  });

  test('to a hidden object is not found', async () => {
    const shard = fakeUpstream(() => ({ body: hidden('a') }));
    expect((await ask(shard, 'PATCH', `${THINGS}/a`, { headers: merge, body: '{}' })).status).toBe(404);
    expect(shard.requests).toHaveLength(1);
  });
});
