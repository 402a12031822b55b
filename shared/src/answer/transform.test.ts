import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { Caller } from '../authn/identity.ts';
import { badRequest, toStatusError } from '../kube/errors.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { type FakeUpstream, fakeUpstream } from '../testing/fake-upstream.ts';
import { type Call, transform } from '../view/view.ts';
import { createDrain } from './drain.ts';
import { sendStatus } from './send.ts';
import { executeTransform } from './transform.ts';
import { createVacancies } from './vacancies.ts';

const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };
const visible = (name: string) => ({ metadata: { name, labels: { visible: 'yes' } } });
const hidden = (name: string) => ({ metadata: { name } });
const PLAN = transform({
  reads: 'metadata',
  object: object => (object.metadata?.labels?.visible ? object : undefined),
  admit: (_, proposed) => (proposed.spec === 'bad' ? badRequest('bad spec') : undefined),
  because: 'test',
});

async function ask(
  shard: FakeUpstream,
  method: string,
  path: string,
  { headers = [] as string[], body = undefined as string | undefined, leave = false, plan = PLAN } = {},
) {
  const exchange = fakeExchange(method, path, { headers, ...(body !== undefined && { body }) });
  const rest = parseTarget(path);
  const call: Call = { caller, scope: { cluster: 'c1' }, request: requestInfo(method, rest), query: rest.query };
  const done = executeTransform({ exchange, shard, drain: createDrain(), vacancies: createVacancies(shard), call, rest }, plan);
  if (leave) setTimeout(() => exchange.leave(), 20);
  await done.catch(error => sendStatus(exchange, toStatusError(error)));
  return exchange;
}

const THINGS = '/apis/g.io/v1/things';

describe('a transformed read', () => {
  test('of a list leaves out what is hidden, and the count that would tell of it', async () => {
    const list = {
      kind: 'ThingList',
      metadata: { resourceVersion: '7', remainingItemCount: 3, continue: 'c' },
      items: [visible('a'), hidden('b')],
    };
    const exchange = await ask(
      fakeUpstream(() => ({ body: list })),
      'GET',
      THINGS,
    );
    expect(exchange.json).toEqual({
      kind: 'ThingList',
      metadata: { resourceVersion: '7', continue: 'c' },
      items: [visible('a')],
    });
  });

  // The kind and the fields of an object are its author's to choose: they would have shown him what the view hides.
  test.each([
    ['items', `${THINGS}/a`, { kind: 'Playlist', items: [visible('b')] }],
    ['a kind Table', `${THINGS}/a`, { apiVersion: 'db.io/v1', kind: 'Table', rows: [{ object: visible('b') }] }],
  ])('of a hidden object is not found, also where it has %s', async (_, path, fields) => {
    const shard = fakeUpstream(() => ({ body: { ...hidden('a'), ...fields } }));
    expect((await ask(shard, 'GET', path)).status).toBe(404);
    const accept = ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io'];
    expect((await ask(shard, 'GET', path, { headers: accept })).status).toBe(404);
    const event = fakeUpstream(() => ({ body: `${JSON.stringify({ type: 'ADDED', object: { ...hidden('a'), ...fields } })}\n` }));
    expect((await ask(event, 'GET', `${THINGS}?watch=true`)).text).toBe('');
  });

  test('of a hidden object as a Table is not found: an empty one would tell that it is there', async () => {
    const rows = [{ cells: ['a'], object: hidden('a') }];
    const shard = fakeUpstream(() => ({ body: { apiVersion: 'meta.k8s.io/v1', kind: 'Table', metadata: {}, rows } }));
    const headers = ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io'];
    expect((await ask(shard, 'GET', `${THINGS}/a`, { headers })).status).toBe(404);
  });

  test('of a list of a kind Table is a list', async () => {
    const list = { apiVersion: 'db.io/v1', kind: 'Table', metadata: {}, items: [visible('a'), hidden('b')] };
    expect(
      (
        await ask(
          fakeUpstream(() => ({ body: list })),
          'GET',
          THINGS,
        )
      ).json,
    ).toEqual({ ...list, items: [visible('a')] });
  });

  // kcp's shards take metadata of all logical clusters from the objects of every identity.
  test('of metadata of all logical clusters by identity is refused, where the shard would be asked for it', async () => {
    const shard = fakeUpstream(() => ({ body: { kind: 'ThingList', items: [] } }));
    const headers = ['accept', 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'];
    const plan = { ...PLAN, cluster: '*', identity: 'h4sh' };
    expect((await ask(shard, 'GET', THINGS, { headers, plan })).status).toBe(406);
    expect((await ask(shard, 'GET', THINGS, { headers, plan: { ...plan, reads: 'object' } })).status).toBe(200);
    expect(shard.requests.map(request => request.headers.join())).toEqual([expect.stringContaining('accept,application/json,')]);
  });

  test('of a compressed list asks for gzip and answers in plain', async () => {
    const shard = fakeUpstream(() => ({
      headers: ['content-encoding', 'gzip'],
      body: gzipSync(JSON.stringify({ items: [visible('a'), hidden('b')] })),
    }));
    const exchange = await ask(shard, 'GET', THINGS, { headers: ['accept-encoding', 'br'] });
    expect(shard.requests[0]?.headers.join()).toContain('accept-encoding,gzip');
    expect(exchange.json).toMatchObject({ items: [visible('a')] });
    expect(exchange.responseHeader('content-encoding')).toBeUndefined();
  });

  test('of an empty list is empty, also where the shard says null', async () => {
    const list = { kind: 'PartialObjectMetadataList', metadata: { resourceVersion: '7' }, items: null };
    const exchange = await ask(
      fakeUpstream(() => ({ body: list })),
      'GET',
      THINGS,
    );
    expect([exchange.status, exchange.json]).toEqual([200, { ...list, items: [] }]);
  });

  test('of a hidden object is not found, and of a visible one is the object', async () => {
    expect(
      (
        await ask(
          fakeUpstream(() => ({ body: hidden('a') })),
          'GET',
          `${THINGS}/a`,
        )
      ).status,
    ).toBe(404);
    expect(
      (
        await ask(
          fakeUpstream(() => ({ body: visible('a') })),
          'GET',
          `${THINGS}/a`,
        )
      ).json,
    ).toEqual(visible('a'));
  });

  test('of a Table leaves out rows, and asks for the objects that a client did not want', async () => {
    const rows = [
      { cells: ['a'], object: visible('a') },
      { cells: ['b'], object: hidden('b') },
    ];
    const shard = fakeUpstream(() => ({ body: { apiVersion: 'meta.k8s.io/v1', kind: 'Table', metadata: {}, rows } }));
    const accept = ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'];
    expect((await ask(shard, 'GET', THINGS, { headers: accept })).json).toMatchObject({ rows: [rows[0]] });
    const without = await ask(shard, 'GET', `${THINGS}?includeObject=None&limit=1`, { headers: accept });
    expect(without.json).toEqual({ apiVersion: 'meta.k8s.io/v1', kind: 'Table', metadata: {}, rows: [{ cells: ['a'] }] });
    expect(shard.requests[1]?.path).toBe(`/clusters/c1${THINGS}?includeObject=Metadata&limit=1`);
  });

  test('passes an error of the shard on as it is', async () => {
    const status = { kind: 'Status', code: 410, message: 'too old' };
    const exchange = await ask(
      fakeUpstream(() => ({ status: 410, body: status })),
      'GET',
      THINGS,
    );
    expect([exchange.status, exchange.json]).toEqual([410, status]);
  });
});

describe('a transformed watch', () => {
  test('that has left out what it should have shown is not to be resumed', async () => {
    const endings: ((reason: string, expired?: 'expired') => void)[] = [];
    const plan = transform({
      ...PLAN,
      reads: 'object',
      until(end) {
        endings.push(end);
        return () => undefined;
      },
    });
    const event = { type: 'ADDED', object: visible('a') };
    const shard = fakeUpstream(() => ({ body: `${JSON.stringify(event)}\n`, open: true }));
    const asked = ask(shard, 'GET', `${THINGS}?watch=true`, { plan });
    setTimeout(() => endings.at(-1)?.('there is more to see', 'expired'), 30);
    const [first, last] = (await asked).text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(first).toEqual(event);
    expect(last).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired', message: 'there is more to see' } });
  });

  test('leaves out hidden objects and passes bookmarks and errors, wherever the bytes are cut', async () => {
    const events = [
      { type: 'ADDED', object: visible('ä') },
      { type: 'ADDED', object: hidden('b') },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
      { type: 'ERROR', object: { kind: 'Status', code: 410 } },
    ];
    const bytes = Buffer.from(events.map(event => `${JSON.stringify(event)}\n`).join(''));
    const shard = fakeUpstream(() => ({ body: bytes }));
    const exchange = await ask(shard, 'GET', `${THINGS}?watch=true`);
    expect(
      exchange.text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual([events[0], events[2], events[3]]);
    expect(shard.requests[0]).toMatchObject({ longRunning: true });
  });

  test('ends upstream when the client leaves', async () => {
    const shard = fakeUpstream(() => ({ open: true }));
    await ask(shard, 'GET', `${THINGS}?watch=true`, { leave: true });
    expect(shard.requests[0]?.aborted).toBe(true);
  });
});

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
