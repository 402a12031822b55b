import { describe, expect, test } from '@jest/globals';
import { names, PATH, setUp, setUpSynced } from './informer.fixture.ts';
import { thing } from './scripted.fixture.ts';

describe('reflector, streamed list', () => {
  test('asks for the initial events and is synced by the bookmark that ends them', async () => {
    const { upstream, informer } = setUp({ labelSelector: 'team=a,!b' });
    informer.start();
    const watch = await upstream.next();
    expect(watch.path).toBe(PATH);
    expect(watch.request.longRunning).toBe(true);
    expect(Object.fromEntries(watch.query)).toEqual({
      labelSelector: 'team=a,!b',
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
      resourceVersion: '',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
    });
    watch.head(200).event('ADDED', thing('a', '1'));
    expect(informer.synced()).toBe(false);
    expect(informer.list()).toEqual([]);
    watch.initialEnd('10');
    await informer.whenSynced();
    expect(names(informer)).toEqual(['a']);
    expect(informer.resourceVersion).toBe('10');
    expect(informer.status).toEqual({ connected: true, relists: 0 });
  });

  test('follows the same stream after the initial events', async () => {
    const { watch, events, informer } = await setUpSynced();
    watch.event('MODIFIED', thing('a', '11')).event('DELETED', thing('b', '12')).event('ADDED', thing('c', '13'));
    expect(events).toEqual(['MODIFIED a@11', 'DELETED b@12', 'ADDED c@13']);
    expect(names(informer)).toEqual(['a', 'c']);
    expect(informer.resourceVersion).toBe('13');
  });

  test('leaves out what is deleted again among the initial events', async () => {
    const { upstream, informer } = setUp();
    informer.start();
    const watch = await upstream.next();
    watch.head(200).event('ADDED', thing('a', '1')).event('DELETED', thing('a', '3')).initialEnd('10');
    expect(informer.list()).toEqual([]);
  });

  test.each([400, 422])('lists in pages when the server answers %d', async code => {
    const { upstream, informer, errors } = setUp({ pageSize: 2 });
    informer.start();
    (await upstream.next()).status(code, 'sendInitialEvents is forbidden');
    const first = await upstream.next();
    expect(first.request.longRunning).toBe(false);
    expect(first.query.get('limit')).toBe('2');
    first.list('10', [thing('a', '1'), thing('b', '2')], 'page2');
    const second = await upstream.next();
    expect(second.query.get('continue')).toBe('page2');
    expect(informer.synced()).toBe(false);
    second.list('10', [thing('c', '3')]);
    const watch = await upstream.next();
    expect(watch.query.get('resourceVersion')).toBe('10');
    expect(watch.query.has('sendInitialEvents')).toBe(false);
    expect(names(informer)).toEqual(['a', 'b', 'c']);
    expect(errors).toEqual([]);
  });

  test('lists when the stream stays silent without the bookmark', async () => {
    const { upstream, clock, informer } = setUp();
    informer.start();
    const watch = await upstream.next();
    watch.head(200).event('ADDED', thing('a', '1'));
    await clock.advance(31_000);
    expect(watch.aborted).toBe(true);
    expect((await upstream.next()).query.get('limit')).toBe('500');
  });

  test('lists when the stream ends without the bookmark', async () => {
    const { upstream, informer } = setUp();
    informer.start();
    (await upstream.next()).head(200).end();
    expect((await upstream.next()).query.get('limit')).toBe('500');
  });

  test('lists when an ordinary bookmark shows that the server ignored the question', async () => {
    const { upstream, informer } = setUp();
    informer.start();
    (await upstream.next()).head(200).event('ADDED', thing('a', '1')).bookmark('10');
    expect((await upstream.next()).query.get('limit')).toBe('500');
  });
});

/** Until the waits are the longest, and the last of them is over. */
async function failForLong({ upstream, clock, watch }: Awaited<ReturnType<typeof setUpSynced>>): Promise<void> {
  watch.fail('reset');
  for (let failures = 0; failures < 6; failures += 1) {
    await clock.advance(15_000);
    (await upstream.next()).fail('reset');
  }
  await clock.advance(15_000);
}

describe('reflector, watch', () => {
  test('resumes at once from the last version when a watch ends as it should', async () => {
    const { upstream, watch, errors } = await setUpSynced();
    watch.event('MODIFIED', thing('a', '11')).end();
    const resumed = await upstream.next();
    expect(resumed.query.get('resourceVersion')).toBe('11');
    expect(resumed.query.has('sendInitialEvents')).toBe(false);
    expect(errors).toEqual([]);
  });

  test('resumes from the version of a bookmark', async () => {
    const { upstream, watch, events } = await setUpSynced();
    watch.bookmark('50').end();
    expect((await upstream.next()).query.get('resourceVersion')).toBe('50');
    expect(events).toEqual([]);
  });

  test('waits before it resumes a watch that ended very soon', async () => {
    const { upstream, clock, watch } = await setUpSynced();
    watch.end();
    (await upstream.next()).head(200).end();
    expect(await upstream.waiting()).toBe(0);
    await clock.advance(1000);
    expect(await upstream.waiting()).toBe(1);
  });

  test('backs off, longer each time, from a connection that breaks, and then resumes', async () => {
    const { upstream, clock, watch, errors, informer } = await setUpSynced();
    watch.fail('reset');
    await clock.advance(1000);
    (await upstream.next()).fail('reset');
    await clock.advance(1000);
    expect(await upstream.waiting()).toBe(0);
    await clock.advance(1000);
    const resumed = await upstream.next();
    expect(resumed.query.get('resourceVersion')).toBe('10');
    expect(errors).toEqual(['1: watching things: connection reset', '2: watching things: connection reset']);
    expect(informer.status).toMatchObject({ connected: false, lastError: 'watching things: connection reset' });
    resumed.head(200);
    expect(informer.status).toEqual({ connected: true, relists: 0 });
  });

  test('never takes the beginning of an event for the event when the stream is cut in it', async () => {
    const { upstream, clock, watch, events } = await setUpSynced();
    watch.raw('{"type":"MODIFIED","object":{"metadata":{"name":"a"').fail('reset');
    await clock.advance(1000);
    expect((await upstream.next()).query.get('resourceVersion')).toBe('10');
    expect(events).toEqual([]);
  });

  test('reads an event whose characters are cut by chunks', async () => {
    const { watch, informer } = await setUpSynced();
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: thing('c', '11', { color: 'žlutý 🦄' }) })}\n`);
    for (const byte of bytes) watch.raw(Uint8Array.of(byte));
    expect(informer.get('one', 'c')?.color).toBe('žlutý 🦄');
  });

  test.each(['ERROR event', 'HTTP status'])('reads everything again after a 410 (%s), without calling it an error', async how => {
    const { upstream, watch, events, errors, informer } = await setUpSynced();
    if (how === 'ERROR event') watch.event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
    else {
      watch.end();
      (await upstream.next()).status(410);
    }
    const relist = await upstream.next();
    expect(relist.query.get('sendInitialEvents')).toBe('true');
    expect(relist.query.get('resourceVersion')).toBe('');
    relist.head(200).event('ADDED', thing('a', '21')).event('ADDED', thing('c', '22')).initialEnd('30');
    expect(events).toEqual(['DELETED b@2', 'MODIFIED a@21', 'ADDED c@22']);
    expect(errors).toEqual([]);
    expect(informer.status.relists).toBe(1);
  });

  test('reads everything again at once when the server is back with other versions, however long it was away', async () => {
    const all = await setUpSynced();
    const { upstream } = all;
    await failForLong(all);
    (await upstream.next()).status(410);
    expect((await upstream.next()).query.get('sendInitialEvents')).toBe('true');
  });

  test('waits between lists when the server calls every version too old', async () => {
    const { upstream, clock, watch } = await setUpSynced();
    watch.event('ERROR', { kind: 'Status', code: 410 });
    (await upstream.next()).status(410);
    expect(await upstream.waiting()).toBe(0);
    await clock.advance(1000);
    expect(await upstream.waiting()).toBe(1);
  });

  test.each([
    ['does not wait longer than at first after a watch that followed for a while', 5000, 1],
    ['waits as long as before after a watch that followed for a moment', 4000, 0],
  ])('%s', async (_, followed, resumed) => {
    const all = await setUpSynced();
    const { upstream, clock } = all;
    await failForLong(all);
    const back = await upstream.next();
    back.head(200);
    await clock.advance(followed);
    back.fail('reset');
    await clock.advance(1600);
    expect(await upstream.waiting()).toBe(resumed);
  });

  test('stays synced and keeps its objects while it reads everything again', async () => {
    const { upstream, watch, informer } = await setUpSynced();
    watch.event('ERROR', { kind: 'Status', code: 410 });
    (await upstream.next()).head(200).event('ADDED', thing('z', '21'));
    expect(informer.synced()).toBe(true);
    expect(names(informer)).toEqual(['a', 'b']);
  });

  test('reads everything again after a line that is no event, and does not crash', async () => {
    const { upstream, clock, watch, errors } = await setUpSynced();
    watch.raw('<html>\n');
    expect(watch.aborted).toBe(true);
    await clock.advance(1000);
    expect((await upstream.next()).query.get('sendInitialEvents')).toBe('true');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^1: watching things: .*not valid JSON/);
  });

  test('reads everything again after a line over the limit', async () => {
    const { upstream, clock, watch, errors } = await setUpSynced({ maxLineBytes: 1000 });
    watch.raw('x'.repeat(1001));
    await clock.advance(1000);
    expect((await upstream.next()).query.get('sendInitialEvents')).toBe('true');
    expect(errors).toEqual(['1: watching things: a line of the stream is longer than 1000 bytes']);
  });

  test('reads everything again when the server is back after nobody listened', async () => {
    const { upstream, clock, watch, events } = await setUpSynced();
    watch.fail('reset');
    await clock.advance(1000);
    (await upstream.next()).fail('unreachable');
    await clock.advance(2000);
    const relist = await upstream.next();
    expect(relist.query.get('sendInitialEvents')).toBe('true');
    // The shard was restored from a backup: its versions are smaller than ours, and `b` was never there.
    relist.head(200).event('ADDED', thing('a', '1')).initialEnd('5');
    relist.event('ADDED', thing('c', '6'));
    expect(events).toEqual(['DELETED b@2', 'ADDED c@6']);
  });

  test('reads everything again when the server knows no version as large as ours', async () => {
    const { upstream, clock, watch } = await setUpSynced();
    watch.end();
    (await upstream.next()).status(504, 'Timeout: Too large resource version: 10, current: 3');
    await clock.advance(1000);
    expect((await upstream.next()).query.get('resourceVersion')).toBe('');
  });

  test('reads everything again when the versions of the server go back', async () => {
    const { upstream, clock, watch, errors } = await setUpSynced();
    watch.bookmark('9');
    await clock.advance(1000);
    expect((await upstream.next()).query.get('sendInitialEvents')).toBe('true');
    expect(errors).toEqual(['1: watching things: the server went back from version 10 to 9']);
  });

  test('drops and resumes a watch that outlives its time', async () => {
    const { upstream, clock, watch, errors } = await setUpSynced();
    await clock.advance(325_000);
    expect(watch.aborted).toBe(true);
    expect((await upstream.next()).query.get('resourceVersion')).toBe('10');
    expect(errors).toEqual([]);
  });

  test('gives up a watch that is never answered', async () => {
    const { upstream, clock, watch, errors } = await setUpSynced();
    watch.end();
    const dead = await upstream.next();
    await clock.advance(30_000);
    expect(dead.aborted).toBe(true);
    expect(errors).toEqual(['1: watching things: no answer within 30000 ms']);
  });
});
