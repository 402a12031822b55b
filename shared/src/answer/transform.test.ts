import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { fakeUpstream } from '../testing/fake-upstream.ts';
import { transform } from '../view/view.ts';
import { ask, hidden, PLAN, THINGS, visible } from './transform.fixture.ts';

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
