import { afterEach, describe, expect, test } from '@jest/globals';
import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import { ManualClock, ScriptedUpstream } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { FakeIndex, FakeShard, fakeLog, LOGICAL_CLUSTERS, ROLES, settleAll, WORKSPACES } from './feed.fixture.ts';
import { type Feed, type FeedContext, startFeed } from './feed.ts';
import { movableUpstream } from './movable-upstream.ts';
import type { ShardConnections } from './shard-connections.ts';

const CACHED_SHARDS_PATH = '/services/cache/shards/*/clusters/*/apis/core.kcp.io/v1alpha1/shards';
const ENTER = { rules: [{ verbs: ['access'], nonResourceURLs: ['/'] }] };

const feeds: Feed[] = [];
afterEach(async () => {
  for (const feed of feeds.splice(0)) await feed.stop();
});

const shardObject = (name: string, version: number, baseURL: string): KubeObject => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion: String(version), annotations: { 'kcp.io/cluster': 'root' } },
  spec: { baseURL },
});

/** A feed whose shards are those that a test has put at their addresses. */
async function setUp({ cacheKubeconfig }: { cacheKubeconfig?: string } = {}) {
  const index = new FakeIndex();
  const clock = new ManualClock();
  const control = new ScriptedUpstream();
  const cache = Object.assign(new ScriptedUpstream(), { basePath: '/prefix', setCredentials: () => undefined });
  const at = new Map<string, { readonly control: FakeShard; readonly callers: FakeShard }>();
  const { lines, log } = fakeLog();
  const stops: (() => void | Promise<void>)[] = [];
  const metrics = new Map<string, () => unknown>();
  const open = { connections: 0 };

  const serverAt = (name: string, { origin }: URL) => {
    const server = at.get(origin) ?? { control: new FakeShard(name), callers: new FakeShard(name) };
    at.set(origin, server);
    return server;
  };
  const connections: ShardConnections = {
    connect(shard, address) {
      const server = serverAt(shard, address);
      const [own, callers] = [movableUpstream(server.control), movableUpstream(server.callers)];
      open.connections += 1;
      return {
        ...{ control: own, callers },
        async moveTo(next) {
          const moved = serverAt(shard, next);
          await Promise.all([own.moveTo(moved.control), callers.moveTo(moved.callers)]);
        },
        async close() {
          open.connections -= 1;
          await Promise.all([own.close(), callers.close()]);
        },
      };
    },
    stats: () => ({ unaryConnections: open.connections, unaryInFlight: 0, watchSessions: 0, watchStreams: 0 }),
    stop: () => void stops.push(() => undefined),
  };
  const context = {
    options: { cacheKubeconfig },
    control,
    connect: async () => cache,
    run(informer: Informer<KubeObject>) {
      informer.start();
      return informer;
    },
    log,
    metrics: {
      observeInformer: (name: string, observe: () => unknown) => void metrics.set(name, observe),
      observeUpstream: (name: string, { stats }: { stats: () => unknown }) => void metrics.set(name, stats),
    },
    onStop: (stop: () => void) => void stops.push(stop),
  } as unknown as FeedContext;

  const backoff = { initial: 1000, random: () => 0 };
  const feed = await startFeed(context, index, { connections, clock, backoff, timing: { watchSeconds: () => 300 } });
  feeds.push(feed);
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 500) {
      await clock.advance(500);
      await settleAll();
    }
  };
  return { index, clock, control, cache, at, lines, stops, metrics, open, feed, pass };
}

/** Two shards, `root` and `one`, each with a role. */
async function setUpSynced() {
  const all = await setUp();
  for (const name of ['root', 'one']) {
    const shard = new FakeShard(name);
    shard.put(ROLES, `of-${name}`, 'enter', ENTER);
    all.at.set(`https://${name}`, { control: shard, callers: new FakeShard(name) });
  }
  const watch = (await all.control.next()).head(200);
  watch.event('ADDED', shardObject('root', 1, 'https://root')).event('ADDED', shardObject('one', 2, 'https://one'));
  watch.initialEnd('10');
  await all.pass(2000);
  const shard = (name: string): FakeShard => all.at.get(`https://${name}`)?.control as FakeShard;
  return { ...all, watch, shard };
}

const FACTS = ['root role of-root/enter', 'one role of-one/enter'];

describe('the shards', () => {
  test('are looked for in the cache embedded in the shard', async () => {
    const { control, cache } = await setUp();
    expect((await control.next()).path).toBe(CACHED_SHARDS_PATH);
    expect(cache.calls).toEqual([]);
  });

  test('are looked for in the cache server where there is one', async () => {
    const { control, cache } = await setUp({ cacheKubeconfig: '/cache' });
    expect((await cache.next()).path).toBe(`/prefix${CACHED_SHARDS_PATH}`);
    expect(control.calls).toEqual([]);
  });

  test('are all read into the index', async () => {
    const { feed, index } = await setUpSynced();
    expect([...index.facts.keys()].sort()).toEqual([...FACTS].sort());
    expect([feed.ready(), feed.freshness.whyNot('all')]).toEqual([undefined, undefined]);
  });

  test('are followed as they join', async () => {
    const { feed, index, watch, at, pass } = await setUpSynced();
    const two = new FakeShard('two');
    two.put(LOGICAL_CLUSTERS, 'y', 'cluster', { status: { phase: 'Ready' } });
    at.set('https://two', { control: two, callers: new FakeShard('two') });
    watch.event('ADDED', shardObject('two', 11, 'https://two'));
    expect(feed.freshness.whyNot('all')).toMatch('shard two has not been read yet');
    expect(feed.freshness.whyNot(new Set(['root', 'one']))).toBeUndefined();
    await pass(1000);
    expect(index.facts.get('two cluster y')).toEqual({ phase: 'Ready' });
    expect(feed.freshness.whyNot('all')).toBeUndefined();
  });

  test('are forgotten as they leave, with their connections', async () => {
    const { feed, index, watch, shard, open, pass } = await setUpSynced();
    watch.event('DELETED', shardObject('one', 11, 'https://one'));
    await pass(1000);
    expect([...index.facts.keys()]).toEqual(['root role of-root/enter']);
    expect([shard('one').isClosed, shard('one').openStreams, shard('one').unanswered, open.connections]).toEqual([true, 0, 0, 1]);
    expect(feed.upstreamOf('one')).toBeUndefined();
    expect([feed.freshness.whyNot('all'), feed.freshness.whyNot(new Set(['one']))]).toEqual([
      undefined,
      'shard one is not known',
    ]);
  });

  // The same data behind another name: nobody should see his workspaces go and come.
  test('are followed to another address, of which the differences are told', async () => {
    const { feed, index, watch, shard, at, pass } = await setUpSynced();
    const moved = new FakeShard('one');
    moved.put(ROLES, 'of-one', 'enter', ENTER);
    moved.put(ROLES, 'of-one', 'enter-too', ENTER);
    at.set('https://elsewhere', { control: moved, callers: new FakeShard('one') });
    shard('one').put(ROLES, 'of-one', 'gone-meanwhile', ENTER);
    await settleAll();
    index.changes.length = 0;
    const upstream = feed.upstreamOf('one');
    watch.event('MODIFIED', shardObject('one', 11, 'https://elsewhere'));
    await pass(3000);
    expect(index.changes).toContainEqual(['-one role of-one/gone-meanwhile', '+one role of-one/enter-too']);
    expect(index.changes.flat()).not.toContain('forget one');
    expect([...index.facts.keys()].sort()).toEqual([...FACTS, 'one role of-one/enter-too'].sort());
    expect([shard('one').isClosed, moved.openStreams]).toEqual([true, 4]);
    expect([feed.upstreamOf('one'), feed.freshness.whyNot('all')]).toEqual([upstream, undefined]);
  });

  test('whose address cannot be used any more are forgotten, and keep all from being known', async () => {
    const { feed, index, watch, shard, pass } = await setUpSynced();
    watch.event('MODIFIED', shardObject('one', 11, 'http://one'));
    await pass(1000);
    expect([[...index.facts.keys()], shard('one').isClosed]).toEqual([['root role of-root/enter'], true]);
    const reason = 'shard one has no address that can be used';
    expect([feed.freshness.whyNot('all'), feed.freshness.whyNot(new Set(['one']))]).toEqual([reason, reason]);
    expect(feed.freshness.whyNot(new Set(['root']))).toBeUndefined();
    // And come back.
    watch.event('MODIFIED', shardObject('one', 12, 'https://again'));
    await pass(1000);
    expect(feed.freshness.whyNot('all')).toBeUndefined();
  });

  test('answer callers on other connections than the feed', async () => {
    const { feed, at } = await setUpSynced();
    const handler = { onHead: () => undefined, onData: () => true, onEnd: () => undefined, onError: () => undefined };
    feed.upstreamOf('one')?.dispatch({ method: 'GET', path: '/x', headers: [], body: null, longRunning: false }, handler);
    await settleAll();
    expect(at.get('https://one')?.callers.requests).toEqual(['/x']);
    expect(at.get('https://one')?.control.requests).not.toContain('/x');
    expect([feed.upstreamOf('none'), feed.controlOf('none'), feed.rootShard()]).toEqual([undefined, undefined, 'root']);
    expect(feed.controlOf('one')).not.toBe(feed.upstreamOf('one'));
  });
});

describe('readiness', () => {
  test('waits for the list of shards, then for each of them, and lasts', async () => {
    const { feed, control, at, pass } = await setUp();
    const young = new FakeShard('one');
    young.identity = undefined;
    at.set('https://one', { control: young, callers: new FakeShard('one') });
    const unlisted = 'it is not known yet which shards there are';
    expect([feed.ready(), feed.freshness.whyNot('all'), feed.rootShard()]).toEqual([unlisted, unlisted, undefined]);
    const watch = (await control.next()).head(200);
    watch.event('ADDED', shardObject('root', 1, 'https://root')).event('ADDED', shardObject('one', 2, 'https://one'));
    watch.initialEnd('10');
    await pass(2000);
    expect(feed.ready()).toBe('waiting for the shards one');
    young.identity = 'hash';
    await pass(15_000);
    expect(feed.ready()).toBeUndefined();
    // One that joins later is no reason to answer nobody.
    watch.event('ADDED', shardObject('two', 11, 'nowhere'));
    expect(feed.ready()).toBeUndefined();
  });

  test('is not there while a shard has no address', async () => {
    const { feed, control, pass } = await setUp();
    const watch = (await control.next()).head(200).event('ADDED', shardObject('root', 1, 'http://root'));
    watch.initialEnd('10');
    await pass(2000);
    expect(feed.ready()).toBe('waiting for the shards root');
  });
});

describe('a shard that hangs', () => {
  test('is not current after a while, which is told and logged, and catches up', async () => {
    const { feed, index, shard, lines, pass } = await setUpSynced();
    const stale: string[] = [];
    feed.freshness.onStale(name => stale.push(name));
    shard('one').hangs = true;
    await pass(14_000);
    expect([stale, feed.freshness.whyNot(new Set(['root']))]).toEqual([['one'], undefined]);
    expect(feed.freshness.whyNot(new Set(['one']))).toBe('shard one has not said for 10 s that it is well');
    expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { shard: 'one' } });
    // What happened meanwhile is heard once its connections have been given up.
    shard('one').put(WORKSPACES, 'root', 'org');
    shard('one').hangs = false;
    shard('one').cut();
    await pass(5000);
    expect(index.facts.has('one workspace root/org')).toBe(true);
    expect(feed.freshness.whyNot('all')).toBeUndefined();
  });

  test('is not current after a while without connections', async () => {
    const { feed, shard, pass } = await setUpSynced();
    shard('one').isReachable = false;
    shard('one').cut('unreachable');
    await pass(5000);
    expect(feed.freshness.whyNot('all')).toBeUndefined();
    await pass(7000);
    expect(feed.freshness.whyNot('all')).toMatch('shard one has not');
  });
});

test('metrics are by resource and purpose, for all shards together', async () => {
  const { metrics } = await setUpSynced();
  expect([...metrics.keys()].sort()).toEqual(
    ['clusterrolebindings', 'clusterroles', 'logicalclusters', 'shards', 'shards control', 'workspaces'].sort(),
  );
  expect([metrics.get('workspaces')?.(), metrics.get('shards')?.()]).toMatchObject([
    { synced: true, relists: 0 },
    { unaryConnections: 2 },
  ]);
});

test('its end leaves nothing open', async () => {
  const { feed, clock, control, shard, open, stops } = await setUpSynced();
  await feed.stop();
  await settleAll();
  expect([control.calls.every(({ aborted }) => aborted), clock.pending, open.connections]).toEqual([true, [], 0]);
  expect(['root', 'one'].map(name => [shard(name).openStreams, shard(name).unanswered])).toEqual([
    [0, 0],
    [0, 0],
  ]);
  // And again with the service.
  for (const stop of stops) await stop();
  expect(open.connections).toBe(0);
});
