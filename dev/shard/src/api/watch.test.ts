import { describe, expect, test } from '@jest/globals';
import type { Table } from '@kcp-vw/shared/kube/table.ts';
import { TestShard, WIDGETS, WIDGETS_PATH, widget } from './api.fixture.ts';

const WATCH_LIST = `${WIDGETS_PATH}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;

function withWidgets(...names: readonly string[]): TestShard {
  const shard = new TestShard();
  for (const name of names) shard.store.create(WIDGETS, 'a', widget(name));
  return shard;
}

describe('a watch', () => {
  test('without a version begins with what is there, and goes on with what happens', async () => {
    const shard = withWidgets('w-1');
    const watch = await shard.watch(WIDGETS_PATH);
    await shard.post(WIDGETS_PATH, widget('w-2'));
    await shard.patch(`${WIDGETS_PATH}/w-1`, { spec: { color: 'blue' } });
    await shard.delete(`${WIDGETS_PATH}/w-2`);
    expect(watch.summary()).toEqual(['ADDED w-1', 'ADDED w-2', 'MODIFIED w-1', 'DELETED w-2']);
    expect(watch.closed).toBe(false);
  });

  test('from a version begins with the first change after it', async () => {
    const shard = withWidgets('w-1');
    const { resourceVersion } = shard.store;
    await shard.post(WIDGETS_PATH, widget('w-2'));
    const watch = await shard.watch(`${WIDGETS_PATH}?resourceVersion=${resourceVersion}`);
    await shard.post(WIDGETS_PATH, widget('w-3'));
    expect(watch.summary()).toEqual(['ADDED w-2', 'ADDED w-3']);
  });

  test('sees neither other logical clusters nor other resources', async () => {
    const shard = withWidgets();
    const watch = await shard.watch(WIDGETS_PATH);
    shard.store.create(WIDGETS, 'b', widget('elsewhere'));
    await shard.post('/api/v1/namespaces', { metadata: { name: 'n' } });
    expect(watch.text).toBe('');
  });

  test('of all logical clusters sees each of them', async () => {
    const shard = withWidgets('w');
    shard.cluster = '*';
    const watch = await shard.watch(WIDGETS_PATH);
    shard.store.create(WIDGETS, 'b', widget('elsewhere'));
    expect(watch.summary()).toEqual(['ADDED w', 'ADDED elsewhere']);
  });

  test('with a selector sees what leaves the selection as deleted in its last state, and what enters it as added', async () => {
    const shard = withWidgets();
    await shard.post(WIDGETS_PATH, widget('w', { metadata: { name: 'w', labels: { team: 'x' } }, spec: { step: 1 } }));
    const watch = await shard.watch(`${WIDGETS_PATH}?labelSelector=team%3Dx`);
    await shard.patch(`${WIDGETS_PATH}/w`, { metadata: { labels: { team: 'y' } }, spec: { step: 2 } });
    await shard.patch(`${WIDGETS_PATH}/w`, { spec: { step: 3 } });
    await shard.patch(`${WIDGETS_PATH}/w`, { metadata: { labels: { team: 'x' } } });
    expect(watch.events()).toMatchObject([
      { type: 'ADDED', object: { spec: { step: 1 } } },
      { type: 'DELETED', object: { spec: { step: 1 }, metadata: { labels: { team: 'x' }, resourceVersion: '1004' } } },
      { type: 'ADDED', object: { spec: { step: 3 } } },
    ]);
  });

  test('from a version that is gone ends with the error 410', async () => {
    const watch = await withWidgets('w').watch(`${WIDGETS_PATH}?resourceVersion=1`);
    expect(watch.status).toBe(200);
    expect(watch.events()).toMatchObject([
      { type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410, message: 'too old resource version: 1 (1000)' } },
    ]);
    expect(watch.closed).toBe(true);
  });

  test('from a version that is still to come is refused with 504', async () => {
    expect((await withWidgets().watch(`${WIDGETS_PATH}?resourceVersion=99999`)).status).toBe(504);
  });

  test('ends when its time is over', async () => {
    const shard = withWidgets();
    const watch = await shard.watch(`${WIDGETS_PATH}?timeoutSeconds=5`);
    await shard.clock.advance(4999);
    expect(watch.closed).toBe(false);
    await shard.clock.advance(1);
    expect([watch.closed, watch.text]).toEqual([true, '']);
  });

  test('leaves nothing behind when its client goes', async () => {
    const shard = withWidgets();
    const before = shard.store.watchers;
    const watch = await shard.watch(`${WIDGETS_PATH}?allowWatchBookmarks=true`);
    expect(shard.store.watchers).toBe(before + 1);
    watch.leave();
    expect([shard.store.watchers, shard.clock.pending]).toEqual([before, []]);
  });

  test('that is read too slowly is cut with an error from which its client can recover', async () => {
    const shard = withWidgets('w');
    const before = shard.store.watchers;
    const watch = await shard.watch(WIDGETS_PATH, { blocked: true });
    for (let i = 0; i < 1002; i += 1) await shard.patch(`${WIDGETS_PATH}/w`, { spec: { i } });
    expect(shard.store.watchers).toBe(before);
    watch.unblock();
    expect(watch.events().at(-1)).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  });

  test('as Tables has the columns on its first event only', async () => {
    const shard = withWidgets('w-1', 'w-2');
    const watch = await shard.watch(WIDGETS_PATH, { headers: ['accept', 'application/json;as=Table;v=v1;g=meta.k8s.io'] });
    const tables = watch.events().map(({ object }) => object as unknown as Table);
    expect(tables.map(({ columnDefinitions }) => columnDefinitions?.length)).toEqual([2, undefined]);
  });

  test('as metadata only has nothing else', async () => {
    const shard = withWidgets('w');
    const watch = await shard.watch(WIDGETS_PATH, {
      headers: ['accept', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'],
    });
    const [event] = watch.events();
    expect(Object.keys(event?.object ?? {}).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
  });
});

describe('bookmarks', () => {
  const isEnd = { 'k8s.io/initial-events-end': 'true' };

  test('end the initial events of a streamed list', async () => {
    const shard = withWidgets('w');
    const watch = await shard.watch(WATCH_LIST);
    expect(watch.summary()).toEqual(['ADDED w', 'BOOKMARK']);
    expect(watch.events()[1]?.object).toEqual({
      kind: 'Widget',
      apiVersion: 'example.dev/v1',
      metadata: { resourceVersion: shard.store.resourceVersion, annotations: isEnd },
    });
  });

  test('end the initial events of a watch without version too, though only bookmarks were asked for', async () => {
    const watch = await withWidgets('w').watch(`${WIDGETS_PATH}?allowWatchBookmarks=true`);
    expect(watch.events()[1]?.object.metadata?.annotations).toEqual(isEnd);
    const fromZero = await withWidgets('w').watch(`${WIDGETS_PATH}?allowWatchBookmarks=true&resourceVersion=0`);
    expect(fromZero.summary()).toEqual(['ADDED w']);
  });

  test('tell a watcher that sees no change how far the shard is', async () => {
    const shard = withWidgets();
    const watch = await shard.watch(`${WIDGETS_PATH}?allowWatchBookmarks=true&resourceVersion=${shard.store.resourceVersion}`);
    await shard.post('/api/v1/namespaces', { metadata: { name: 'n' } });
    await shard.clock.advance(25_000);
    expect(watch.events()).toMatchObject([
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: shard.store.resourceVersion } } },
    ]);
  });

  test('are sent to nobody who does not allow them', async () => {
    const shard = withWidgets();
    const watch = await shard.watch(WIDGETS_PATH);
    await shard.clock.advance(60_000);
    expect(watch.text).toBe('');
  });
});
