import { describe, expect, test } from '@jest/globals';
import { badRequest, expired, serviceUnavailable } from '../kube/errors.ts';
import { ask, BASE, newCollection, widget } from './serve.fixture.ts';

const WATCH = `${BASE}?watch=1&allowWatchBookmarks=true`;

/** Milliseconds after which the only timer that is no bookmark's ends a watch. */
const endOf = (watch: Awaited<ReturnType<typeof ask>>): number => watch.clock.pending.at(-1) ?? 0;

describe('the longest that a watch may last', () => {
  const settings = { watchSeconds: { min: 300, max: 600 } };

  test.each(['', '&timeoutSeconds=0', '&timeoutSeconds=601', '&timeoutSeconds=86400'])(
    'is drawn at random where the client says nothing or more (%s)',
    async query => {
      const ends = await Promise.all(
        Array.from({ length: 20 }, async () => endOf(await ask(newCollection(), WATCH + query, { settings }))),
      );
      for (const end of ends) {
        expect(end).toBeGreaterThanOrEqual(300_000);
        expect(end).toBeLessThanOrEqual(600_000);
      }
      expect(new Set(ends).size).toBeGreaterThan(1);
    },
  );

  test('is what the client says where that is less', async () => {
    expect(endOf(await ask(newCollection(), `${WATCH}&timeoutSeconds=120`, { settings }))).toBe(120_000);
  });

  test('ends the watch cleanly, with a bookmark to go on from', async () => {
    const collection = newCollection();
    const watch = await ask(collection, WATCH, { settings: { watchSeconds: { min: 20, max: 20 } } });
    collection.set(widget('a'));
    await watch.clock.advance(20_000);
    expect([watch.complete, watch.summary()]).toEqual([true, ['ADDED a@101', 'BOOKMARK @101']]);
  });
});

describe('a collection that does not know', () => {
  const unknowing = (method: 'list' | 'get' | 'watch', error: Error) =>
    Object.assign(newCollection(), {
      [method]: () => {
        throw error;
      },
    });
  const unavailable = serviceUnavailable('the access to workspaces is not known now', 5);

  test.each([
    ['list', BASE],
    ['list', `${BASE}?watch=1`],
    ['list', `${BASE}/a?resourceVersion=1`],
    ['get', `${BASE}/a`],
    ['watch', `${BASE}?watch=1`],
    ['watch', `${BASE}?watch=1&resourceVersion=100`],
  ] as const)('answers as it says, with when to ask again: %s of %s', async (method, url) => {
    const got = await ask(unknowing(method, unavailable), url);
    expect([got.status, got.header('retry-after'), got.complete]).toEqual([503, '5', true]);
    expect(got.json()).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable', details: { retryAfterSeconds: 5 } });
  });

  test.each(['list', 'watch'] as const)('any more is 410, which a watch is told on its stream: %s', async method => {
    const got = await ask(unknowing(method, expired('too old')), `${BASE}?watch=1`);
    expect([got.status, got.complete]).toEqual([200, true]);
    expect(got.events()).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired', message: 'too old' } }]);
  });

  test('any more is 410 for a list', async () => {
    expect((await ask(unknowing('list', expired('too old')), BASE)).status).toBe(410);
  });

  test('for a page’s version says why, if it is not that it is too old', async () => {
    const collection = newCollection();
    collection.set(widget('a'));
    const refusing = Object.assign(collection, {
      watch: () => {
        throw badRequest('not now');
      },
    });
    const got = await ask(refusing, `${BASE}?resourceVersion=100&resourceVersionMatch=Exact`);
    expect([got.status, got.json().message]).toEqual([400, 'not now']);
  });
});

describe('what many are shown', () => {
  test('is made once or twice, for lists and events', async () => {
    const collection = newCollection();
    let made = 0;
    const counted = () => ({ ...widget('a'), spec: { toJSON: () => ++made } });
    collection.set(counted());
    const watches = await Promise.all(Array.from({ length: 50 }, () => ask(collection, `${BASE}?watch=1&resourceVersion=101`)));
    for (let i = 0; i < 50; i++) await ask(collection, BASE);
    expect(made).toBe(2);
    collection.set(counted());
    expect(made).toBe(4);
    expect(watches.map(watch => watch.summary())).toEqual(watches.map(() => ['MODIFIED a@102']));
    expect(watches[49]?.text).toBe(watches[1]?.text);
  });
});
