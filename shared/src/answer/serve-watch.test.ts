import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { settle } from '../informer/scripted.fixture.ts';
import { matchesLabels, parseLabelSelector } from '../kube/selectors.ts';
import { createDrain } from './drain.ts';
import { ask, BASE, newCollection, widget } from './serve.fixture.ts';

const WATCHLIST = `${BASE}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;
const yes = { labels: { on: 'yes' } };
const no = { labels: { on: 'no' } };

function filled(capacity = 1000) {
  const collection = newCollection(capacity);
  collection.set(widget('a'));
  collection.set(widget('b'));
  return collection;
}

describe('where a watch begins', () => {
  test.each(['', '&resourceVersion=0'])('without a version (%s): with the objects there are', async query => {
    const collection = filled();
    const watch = await ask(collection, `${BASE}?watch=true${query}`);
    collection.set(widget('c'));
    expect(watch.status).toBe(200);
    expect(watch.summary()).toEqual(['ADDED a@101', 'ADDED b@102', 'ADDED c@103']);
  });

  test('at a version: with the events after it', async () => {
    const collection = filled();
    const watch = await ask(collection, `${BASE}?watch=true&resourceVersion=101`);
    collection.delete(widget('a'));
    expect(watch.summary()).toEqual(['ADDED b@102', 'DELETED a@103']);
  });

  test('more events behind than may wait for a client: with all of them', async () => {
    const collection = newCollection();
    for (let i = 0; i < 50; i += 1) collection.set(widget(`w${i}`));
    const watch = await ask(collection, `${BASE}?watch=true&resourceVersion=100`, { settings: { maxLines: 5 } });
    expect(watch.events()).toHaveLength(50);
    expect(watch.closed).toBe(false);
  });

  test.each(['100', '999'])('at a version outside the window (%s): 200, and an ERROR event 410', async version => {
    const collection = filled(1);
    const watch = await ask(collection, `${BASE}?watch=true&resourceVersion=${version}`);
    expect([watch.status, watch.complete]).toEqual([200, true]);
    expect(watch.events()).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }]);
  });

  test('sendInitialEvents=false: from now on', async () => {
    const collection = filled();
    const watch = await ask(collection, `${BASE}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`);
    collection.set(widget('c'));
    expect(watch.summary()).toEqual(['ADDED c@103']);
  });
});

describe('a streamed list', () => {
  test('ends its initial events with the annotated bookmark, and goes on', async () => {
    const collection = filled();
    const watch = await ask(collection, WATCHLIST);
    collection.set(widget('a', { color: 'blue' }));
    expect(watch.summary()).toEqual(['ADDED a@101', 'ADDED b@102', 'BOOKMARK @102', 'MODIFIED a@103']);
    expect(watch.events()[2]?.object).toEqual({
      apiVersion: 'example.dev/v1',
      kind: 'Widget',
      metadata: { resourceVersion: '102', annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
  });

  test('of nothing is the bookmark alone: clients wait for it', async () => {
    expect((await ask(newCollection(), WATCHLIST)).summary()).toEqual(['BOOKMARK @100']);
  });

  test('of more than may wait for a client comes as it is read, changes after the bookmark', async () => {
    const collection = newCollection();
    for (let i = 0; i < 50; i += 1) collection.set(widget(`w${String(i).padStart(2, '0')}`));
    const watch = await ask(collection, WATCHLIST, { blocked: true, settings: { maxLines: 5 } });
    collection.set(widget('w00', { color: 'blue' }));
    expect(watch.events()).toHaveLength(1);
    watch.unblock();
    const seen = watch.summary();
    expect(seen).toHaveLength(52);
    expect(seen.slice(-2)).toEqual(['BOOKMARK @150', 'MODIFIED w00@151']);
  });

  test('as a Table shows the bookmark in a row, whatever rows are to include', async () => {
    const headers = ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io'];
    const watch = await ask(filled(), `${WATCHLIST}&includeObject=None`, { headers });
    expect(watch.events().at(-1)).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'Table', rows: [{ object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } }] },
    });
  });

  test('at a version that is not reached yet is 504', async () => {
    expect((await ask(filled(), `${WATCHLIST}&resourceVersion=999`)).status).toBe(504);
  });
});

describe('what a watcher sees', () => {
  test('an object that leaves its selector is deleted: last state inside, version of the event', async () => {
    const collection = newCollection();
    collection.set(widget('a', { ...yes, color: 'red' }));
    const watch = await ask(collection, `${BASE}?watch=1&resourceVersion=101&labelSelector=on%3Dyes`);
    collection.set(widget('a', { ...no, color: 'secret' }));
    expect(watch.events()).toEqual([
      {
        type: 'DELETED',
        object: { ...widget('a', { ...yes, color: 'red' }), metadata: { name: 'a', ...yes, resourceVersion: '102' } },
      },
    ]);
  });

  test('an object that enters its selector is added', async () => {
    const collection = newCollection();
    collection.set(widget('a', no));
    const watch = await ask(collection, `${BASE}?watch=1&resourceVersion=101&labelSelector=on%3Dyes`);
    collection.set(widget('a', yes));
    expect(watch.summary()).toEqual(['ADDED a@102']);
  });

  test('what happens outside its selector is nothing to it', async () => {
    const collection = newCollection();
    const watch = await ask(collection, `${BASE}?watch=1&resourceVersion=100&labelSelector=on%3Dyes`);
    collection.set(widget('a', no));
    collection.set(widget('a', { ...no, color: 'blue' }));
    collection.delete(widget('a'));
    expect(watch.text).toBe('');
  });

  test('as a Table: columns on the first event only', async () => {
    const collection = filled();
    const headers = ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'];
    const watch = await ask(collection, `${BASE}?watch=1`, { headers });
    const tables = watch.events().map(event => event.object as Record<string, unknown>);
    expect(tables.map(table => Array.isArray(table.columnDefinitions))).toEqual([true, false]);
    expect(tables[1]).toMatchObject({ kind: 'Table', rows: [{ cells: ['b', 'red'] }] });
  });

  test('as PartialObjectMetadata: no specs', async () => {
    const headers = ['accept', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'];
    const watch = await ask(filled(), `${BASE}?watch=1`, { headers });
    expect(watch.events()[0]?.object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
    expect(watch.text).not.toContain('spec');
  });

  test('replays to the list with the same selector, after any changes and wherever it was resumed', async () => {
    const change = fc.record({ remove: fc.boolean(), name: fc.constantFrom('a', 'b', 'c'), on: fc.constantFrom('yes', 'no') });
    const selector = parseLabelSelector('on=yes');
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 20 }), fc.nat(20), async (changes, cut) => {
        const collection = newCollection();
        const state = new Map<string, string | undefined>();
        const read = (watch: {
          events(): { type: string; object: { metadata?: { name?: string; resourceVersion?: string } } }[];
        }) => {
          for (const { type, object } of watch.events()) {
            const { name = '', resourceVersion } = object.metadata ?? {};
            if (type !== 'BOOKMARK') expect(state.has(name)).toBe(type !== 'ADDED');
            if (type === 'DELETED') state.delete(name);
            else if (type !== 'BOOKMARK') state.set(name, resourceVersion);
          }
        };
        const apply = (list: typeof changes): void => {
          for (const { remove, name, on } of list) {
            if (remove) collection.delete(widget(name));
            else collection.set(widget(name, { labels: { on } }));
          }
        };
        apply(changes.slice(0, 3));
        const first = await ask(collection, `${WATCHLIST}&labelSelector=on%3Dyes`);
        apply(changes.slice(3, cut));
        read(first);
        const last = first.events().at(-1)?.object.metadata?.resourceVersion;
        first.leave();
        apply(changes.slice(Math.max(3, cut)));
        const second = await ask(collection, `${BASE}?watch=1&labelSelector=on%3Dyes&resourceVersion=${last}`);
        read(second);
        second.leave();
        const selected = collection.list().items.filter(({ metadata }) => matchesLabels(selector, metadata?.labels));
        expect([...state].sort()).toEqual(selected.map(({ metadata }) => [metadata?.name, metadata?.resourceVersion]));
      }),
      { numRuns: 60 },
    );
  });
});

describe('how a watch lives and ends', () => {
  test('bookmarks come regularly, with the newest version, but only to who asked', async () => {
    const collection = filled();
    const asked = await ask(collection, `${BASE}?watch=1&resourceVersion=102&allowWatchBookmarks=true&labelSelector=never`);
    const other = await ask(collection, `${BASE}?watch=1&resourceVersion=102`, { clock: asked.clock });
    collection.set(widget('c'));
    await asked.clock.advance(30_000);
    await asked.clock.advance(30_000);
    expect(asked.summary()).toEqual(['BOOKMARK @103', 'BOOKMARK @103']);
    expect(other.summary()).toEqual(['ADDED c@103']);
  });

  test('timeoutSeconds ends it cleanly, after a last bookmark', async () => {
    const collection = filled();
    const watch = await ask(collection, `${BASE}?watch=1&resourceVersion=102&allowWatchBookmarks=true&timeoutSeconds=10`);
    await watch.clock.advance(10_000);
    expect([watch.complete, watch.summary()]).toEqual([true, ['BOOKMARK @102']]);
    await watch.done;
  });

  test('a timeout longer than timers can be does not end it at once', async () => {
    const watch = await ask(filled(), `${BASE}?watch=1&timeoutSeconds=99999999999`);
    expect(Math.max(...watch.clock.pending)).toBeLessThan(2 ** 31);
  });

  test('a client that leaves takes subscription and timers along', async () => {
    const collection = filled();
    const watch = await ask(collection, `${BASE}?watch=1&allowWatchBookmarks=true`);
    watch.leave();
    await watch.done;
    expect(watch.clock.pending).toEqual([]);
    const before = watch.text;
    collection.set(widget('c'));
    expect(watch.text).toBe(before);
  });

  test.each([{ maxLines: 3 }, { maxLength: 300 }])('a client that does not read is cut with a 410 (%j)', async settings => {
    const collection = filled();
    const watch = await ask(collection, `${BASE}?watch=1&resourceVersion=102`, { blocked: true, settings });
    for (let i = 0; i < 10; i += 1) collection.set(widget(`w${i}`));
    watch.unblock();
    await watch.done;
    expect(watch.summary()).toEqual(['ADDED w0@103', 'ERROR']);
    expect(watch.events()[1]?.object).toMatchObject({ code: 410, reason: 'Expired' });
    expect(watch.clock.pending).toEqual([]);
  });

  test('one that reads nothing at all loses its connection', async () => {
    const collection = filled();
    const watch = await ask(collection, `${BASE}?watch=1&timeoutSeconds=10`, { blocked: true });
    await watch.clock.advance(10_000);
    expect(watch.closed).toBe(false);
    await watch.clock.advance(30_000);
    expect([watch.closed, watch.complete]).toEqual([true, false]);
  });

  test('a process that shuts down ends it cleanly', async () => {
    const drain = createDrain();
    const watch = await ask(filled(), `${BASE}?watch=1&resourceVersion=102`, { settings: { until: drain.until } });
    drain.begin();
    await watch.done;
    expect([watch.complete, watch.text]).toEqual([true, '']);
    expect(watch.clock.pending).toEqual([]);
  });

  test('a process that shuts down already ends it at once', async () => {
    const drain = createDrain();
    drain.begin();
    const watch = await ask(filled(), `${BASE}?watch=1&resourceVersion=102&allowWatchBookmarks=1`, {
      settings: { until: drain.until },
    });
    await settle();
    expect([watch.complete, watch.summary()]).toEqual([true, ['BOOKMARK @102']]);
    expect(watch.clock.pending).toEqual([]);
  });
});
