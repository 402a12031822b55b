import { describe, expect, test } from '@jest/globals';
import { settle } from '../informer/scripted.fixture.ts';
import { ADDED, COWBOYS, event, events, METADATA, serviceOf, shardWithout, TABLE, watches } from './until-served.fixture.ts';

describe('a watch of what is not served', () => {
  test('waits, and becomes a watch of all that is there', async () => {
    const { shard, status } = shardWithout();
    const { ask, clock } = serviceOf({ shard });
    await ask();
    const exchange = await ask('watch=true&resourceVersion=30&labelSelector=a%3Db&timeoutSeconds=100');
    expect([exchange.status, exchange.text, exchange.responseHeader('content-type')]).toEqual([200, '', 'application/json']);
    status.served = true;
    await clock.advance(2000);
    await settle();
    expect(exchange.text).toBe(ADDED);
    expect(watches(shard).at(-1)).toBe(`/clusters/*${COWBOYS}:h4sh?watch=true&labelSelector=claimed=yes,a=b&timeoutSeconds=98`);
  });

  test('is told that the initial events are complete, and not told so again', async () => {
    const { shard, status } = shardWithout();
    const { ask, clock } = serviceOf({ shard });
    const streamed = 'watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
    const exchange = await ask(streamed);
    const metadata = { resourceVersion: '30', annotations: { 'k8s.io/initial-events-end': 'true' } };
    const bookmark = { type: 'BOOKMARK', object: { apiVersion: 'wild.io/v1', kind: 'Cowboy', metadata } };
    expect(events(exchange)).toEqual([bookmark]);
    status.served = true;
    await clock.advance(2000);
    await settle();
    expect(exchange.text).toBe(event(bookmark.type, bookmark.object) + ADDED + ADDED);
    expect(watches(shard).at(-1)).toContain('sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan');
  });

  test.each([
    ['watch=true&allowWatchBookmarks=true', 1],
    ['watch=true&allowWatchBookmarks=true&resourceVersion=0', 1],
    ['watch=true&allowWatchBookmarks=true&resourceVersion=30', 0],
    ['watch=true', 0],
  ])('%s begins with as many bookmarks: %i', async (query, count) => {
    const { ask } = serviceOf(shardWithout());
    await ask();
    expect(events(await ask(query))).toHaveLength(count);
  });

  test('in another form has its bookmarks in it, and goes on in it', async () => {
    const { shard, status } = shardWithout();
    const { ask, clock } = serviceOf({ shard });
    const query = 'watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
    expect(events(await ask(query, TABLE))[0]?.object.kind).toBe('Table');
    expect(events(await ask(query, METADATA))[0]?.object.kind).toBe('PartialObjectMetadata');
    status.served = true;
    await clock.advance(2000);
    await settle();
    const accepts = shard.requests.slice(-2).map(({ headers }) => headers[headers.indexOf('accept') + 1]);
    // The shard is never asked for metadata: of all logical clusters it would give that of all identities.
    expect(accepts).toEqual([TABLE[1], 'application/json']);
  });

  // Objects that a client saw before the last binding went were deleted while nobody watched. It has to list again to hear of it.
  test('from a version older than the vacancy is told to list again', async () => {
    const { ask } = serviceOf(shardWithout());
    const exchange = await ask('watch=true&resourceVersion=29');
    expect([exchange.status, exchange.end_, events(exchange)]).toMatchObject([
      200,
      'complete',
      [{ type: 'ERROR', object: { code: 410 } }],
    ]);
  });

  test('gets a bookmark every minute, if it takes them', async () => {
    const { shard, status } = shardWithout();
    const { ask, clock } = serviceOf({ shard });
    await ask();
    const [with_, without] = [
      await ask('watch=true&resourceVersion=30&allowWatchBookmarks=true'),
      await ask('watch=true&resourceVersion=30'),
    ];
    status.version = '50';
    for (let i = 0; i < 32; i++) await clock.advance(2000);
    expect(events(with_).map(({ object }) => object.metadata)).toEqual([{ resourceVersion: '50' }]);
    expect(without.text).toBe('');
  });

  test('looks at once when the view says so', async () => {
    const { shard, status } = shardWithout();
    const { ask, clock, wake } = serviceOf({ shard });
    const exchange = await ask('watch=true');
    status.served = true;
    wake();
    await clock.advance(0);
    await settle();
    expect(exchange.text).toBe(ADDED);
  });

  test('begins when another request finds that it is served', async () => {
    const { shard, status } = shardWithout();
    const { ask } = serviceOf({ shard });
    const exchange = await ask('watch=true');
    status.served = true;
    await ask();
    expect(exchange.text).toBe(ADDED);
  });

  test('ends with its time', async () => {
    const { ask, clock, isListening } = serviceOf(shardWithout());
    const exchange = await ask('watch=true&timeoutSeconds=3');
    await clock.advance(3000);
    expect([exchange.end_, clock.pending, isListening()]).toEqual(['complete', [], false]);
  });

  test.each(['client', 'access', 'process'])('ends with the %s, and nothing of it is left', async what => {
    const { ask, clock, drain, endAccess, isListening } = serviceOf(shardWithout());
    const exchange = await ask('watch=true');
    if (what === 'client') exchange.leave();
    if (what === 'access') endAccess();
    if (what === 'process') drain.begin();
    expect([exchange.closed, exchange.end_ === 'aborted', clock.pending, isListening()]).toEqual([true, false, [], false]);
  });

  test.each(['ended', 'refused'])('ends when the shard’s is %s', async watch => {
    const { shard, status } = shardWithout();
    const { ask, clock } = serviceOf({ shard });
    const exchange = await ask('watch=true');
    Object.assign(status, { served: true, watch });
    await clock.advance(2000);
    await settle();
    expect([exchange.status, exchange.text, exchange.end_]).toEqual([200, watch === 'ended' ? ADDED : '', 'complete']);
  });

  // A shard lists from its store before its watch cache is filled, and refuses watches until then (ResilientWatchCacheInitialization).
  test.each(['gone', 'filling'])('waits on while the shard’s is %s', async watch => {
    const { shard, status } = shardWithout();
    const { ask, clock } = serviceOf({ shard });
    const exchange = await ask('watch=true');
    Object.assign(status, { served: true, watch });
    for (let i = 0; i < 3; i++) await clock.advance(2000);
    expect([exchange.text, exchange.end_, watches(shard).length > 2]).toEqual(['', undefined, true]);
    status.watch = 'open';
    await clock.advance(200);
    await settle();
    expect(exchange.text).toBe(ADDED);
  });

  // An exchange keeps its listeners until it is over: while a shard fills its watch cache, a client would have collected them by the round.
  test('does not listen anew for its client to leave with each time that it has to wait', async () => {
    const { shard, status } = shardWithout();
    const { ask, clock, isListening } = serviceOf({ shard });
    const exchange = await ask('watch=true');
    const { onClose } = exchange;
    let added = 0;
    Object.assign(exchange, {
      onClose(listener: () => void) {
        added += 1;
        onClose(listener);
      },
    });
    const before = watches(shard).length;
    Object.assign(status, { served: true, watch: 'filling' });
    for (let i = 0; i < 5; i++) await clock.advance(2000);
    const attempts = watches(shard).length - before;
    // Each attempt at the shard has one of its own.
    expect([attempts > 3, added]).toEqual([true, attempts]);
    exchange.leave();
    expect([clock.pending, isListening()]).toEqual([[], false]);
  });

  test('takes the shard’s with it when the client leaves', async () => {
    const { shard, status } = shardWithout();
    const { ask, clock } = serviceOf({ shard });
    const exchange = await ask('watch=true');
    status.served = true;
    await clock.advance(2000);
    await settle();
    exchange.leave();
    expect(shard.requests.at(-1)).toMatchObject({ longRunning: true, aborted: true });
  });
});
