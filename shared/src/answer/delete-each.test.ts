import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/objects.ts';
import { type FakeResponse, type FakeUpstream, fakeUpstream } from '../testing/fake-upstream.ts';
import { ask, headerIn, shown, stored, trail, WIDGETS } from './rewrite.fixture.ts';

const list = (...names: string[]) => ({
  apiVersion: 'example.dev/v1',
  kind: 'WidgetList',
  metadata: { resourceVersion: '7' },
  items: names.map(name => stored(name)),
});

const selectorOf = (path: string): string => new URL(path, 'http://shard').searchParams.get('fieldSelector') ?? '';
const nameIn = (path: string): string => selectorOf(path).replace('metadata.name=', '');

/** Deletes what is selected; `errors` by name. */
const deleting = (errors: Readonly<Record<string, FakeResponse>> = {}): FakeUpstream =>
  fakeUpstream(({ path }) => errors[nameIn(path)] ?? { body: list(nameIn(path)) });

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `w${String(i).padStart(2, '0')}`);
const refusal = (code: number, message = 'no') => ({ status: code, body: { kind: 'Status', message, code } });

describe('a deletecollection of what is named', () => {
  test('asks the shard for each name alone, with the caller’s options and without what he selects by', async () => {
    const shard = deleting();
    const query =
      'labelSelector=x&fieldSelector=spec.a%3Db&limit=1&continue=c&resourceVersion=5&dryRun=All&propagationPolicy=Orphan';
    const body = { gracePeriodSeconds: 0 };
    await ask(shard, { each: ['a', 'b'] }, 'DELETE', `${WIDGETS}?${query}`, { body });
    expect(trail(shard)).toEqual(
      ['a', 'b'].map(name => `DELETE ?dryRun=All&propagationPolicy=Orphan&fieldSelector=metadata.name%3D${name}`),
    );
    expect(shard.requests.map(request => JSON.parse(request.body))).toEqual([body, body]);
    expect(shard.requests.map(request => headerIn(request, 'impersonate-user'))).toEqual(['alice', 'alice']);
  });

  test('answers with one list of all that was deleted, as the caller sees it', async () => {
    const shard = fakeUpstream(({ path }) => ({
      headers: ['content-type', 'application/json', 'warning', '299 - "old"'],
      body: list(nameIn(path)),
    }));
    const exchange = await ask(shard, { each: ['a', 'b'], response: shown }, 'DELETE', WIDGETS);
    const items = await Promise.all(['a', 'b'].map(name => shown(stored(name))));
    expect([exchange.status, exchange.json]).toEqual([200, { ...list(), metadata: {}, items }]);
    expect(exchange.responseHeaders.filter(text => text.startsWith('299'))).toEqual(['299 - "old"']);
    const table = await ask(shard, { each: ['a', 'b'] }, 'DELETE', WIDGETS, {
      headers: ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io'],
    });
    expect(table.json).toMatchObject({ kind: 'Table', rows: [{ cells: ['a', 'red'] }, { cells: ['b', 'red'] }] });
  });

  test('waits for all that is to be shown at once', async () => {
    let waiting = 0;
    let go = (): void => undefined;
    const all = new Promise<void>(resolve => {
      go = resolve;
    });
    const response = async (object: KubeObject) => {
      waiting += 1;
      if (waiting === 20) go();
      await all;
      return object;
    };
    const exchange = await ask(deleting(), { each: names(20), response }, 'DELETE', WIDGETS);
    expect((exchange.json as { items: unknown[] }).items).toEqual(names(20).map(name => stored(name)));
  });

  test('answers with an empty list where the shard has a Status only', async () => {
    const shard = fakeUpstream(() => ({ body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } }));
    const exchange = await ask(shard, { each: ['a'] }, 'DELETE', WIDGETS);
    expect([exchange.status, exchange.json]).toMatchObject([200, { kind: 'WidgetList', items: [] }]);
  });

  test('has the options rewritten once, for all of them', async () => {
    const shard = deleting();
    let asked = 0;
    const request = (body: unknown) => {
      asked += 1;
      return { ...(body as object), propagationPolicy: 'Foreground' };
    };
    await ask(shard, { each: ['a', 'b'], request }, 'DELETE', WIDGETS);
    expect(shard.requests.map(({ body }) => JSON.parse(body))).toMatchObject(
      ['a', 'b'].map(() => ({ propagationPolicy: 'Foreground' })),
    );
    expect(asked).toBe(1);
  });

  test('asks for what no object can be where nothing is named, so that the shard says whether the caller may', async () => {
    const shard = fakeUpstream(() => ({ body: list() }));
    const exchange = await ask(shard, { each: [] }, 'DELETE', WIDGETS);
    expect([exchange.status, exchange.json]).toMatchObject([200, { kind: 'WidgetList', items: [] }]);
    expect(shard.requests.map(({ path }) => selectorOf(path))).toEqual(['metadata.name=-,metadata.name!=-']);
    const refused = await ask(
      fakeUpstream(() => refusal(403)),
      { each: [] },
      'DELETE',
      WIDGETS,
    );
    expect([refused.status, refused.json]).toEqual([403, refusal(403).body]);
  });

  test('goes over what is gone already', async () => {
    const gone = refusal(404, 'widgets.example.dev "a" not found');
    const exchange = await ask(deleting({ a: gone }), { each: ['a', 'b'] }, 'DELETE', WIDGETS);
    expect([exchange.status, (exchange.json as { items: unknown[] }).items]).toEqual([200, [stored('b')]]);
  });

  test('is not found where the whole collection is not', async () => {
    const notServed = refusal(404, 'the server could not find the requested resource');
    expect((await ask(deleting({ a: notServed }), { each: ['a'] }, 'DELETE', WIDGETS)).status).toBe(404);
  });

  test('has no more than a few under way', async () => {
    const shard = deleting();
    let most = 0;
    let open = 0;
    const { dispatch } = shard;
    shard.dispatch = (request, handler) => {
      most = Math.max(most, ++open);
      return dispatch.call(shard, request, {
        ...handler,
        onHead: handler.onHead,
        onData: handler.onData,
        onError: handler.onError,
        onEnd() {
          open -= 1;
          handler.onEnd();
        },
      });
    };
    const exchange = await ask(shard, { each: names(30) }, 'DELETE', WIDGETS);
    expect([most, (exchange.json as { items: unknown[] }).items.length]).toEqual([8, 30]);
  });

  test('ends with the first error, which is the answer', async () => {
    const shard = deleting({ w03: refusal(409, 'not that one') });
    const exchange = await ask(shard, { each: names(30) }, 'DELETE', WIDGETS);
    expect([exchange.status, exchange.json]).toEqual([409, refusal(409, 'not that one').body]);
    expect(shard.requests.length).toBeLessThan(30);
  });

  test('ends when the shard gives no answer', async () => {
    const shard = fakeUpstream(({ path }) => (nameIn(path) === 'w02' ? 'reset' : { body: list(nameIn(path)) }));
    const exchange = await ask(shard, { each: names(30) }, 'DELETE', WIDGETS);
    expect(exchange.status).toBe(502);
    expect(shard.requests.length).toBeLessThan(30);
  });

  test('begins nothing more when the client has left', async () => {
    const shard = fakeUpstream(() => ({ open: true }));
    const exchange = await ask(shard, { each: names(30) }, 'DELETE', WIDGETS, { leaves: true });
    expect([exchange.status, shard.requests.length]).toEqual([0, 8]);
    expect(shard.requests.every(({ aborted }) => aborted)).toBe(true);
  });
});
