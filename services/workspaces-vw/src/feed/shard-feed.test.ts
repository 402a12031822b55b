import { afterEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { BINDINGS, FakeIndex, FakeShard, fakeLog, LOGICAL_CLUSTERS, ROLES, settleAll, WORKSPACES } from './feed.fixture.ts';
import { type ShardFeed, startShardFeed } from './shard-feed.ts';

const ENTER = { rules: [{ verbs: ['access'], nonResourceURLs: ['/'] }] };
const READ = { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }] };
const FOR_ALICE = { roleRef: { kind: 'ClusterRole', name: 'enter' }, subjects: [{ kind: 'User', name: 'alice' }] };

const feeds: ShardFeed[] = [];
afterEach(() => {
  for (const feed of feeds.splice(0)) feed.stop();
});

function setUp(shard = new FakeShard()) {
  const index = new FakeIndex();
  const clock = new ManualClock();
  const { lines, log } = fakeLog();
  const feed = startShardFeed({
    ...{ shard: 'one', upstream: shard, index, log, clock },
    ...{ backoff: { initial: 1000, random: () => 0 }, timing: { watchSeconds: () => 300 } },
  });
  feeds.push(feed);
  return { shard, index, clock, lines, feed };
}

async function setUpSynced() {
  const shard = new FakeShard();
  shard.put(ROLES, 'x', 'enter', ENTER);
  shard.put(BINDINGS, 'x', 'alice', FOR_ALICE);
  shard.put(LOGICAL_CLUSTERS, 'x', 'cluster', { status: { phase: 'Ready' } });
  shard.put(WORKSPACES, 'root', 'org', { spec: { cluster: 'x' } });
  const all = setUp(shard);
  await settleAll();
  await all.clock.advance(5000);
  all.index.changes.length = 0;
  return all;
}

describe('of a shard', () => {
  test('all four resources become facts', async () => {
    const { index, feed } = await setUpSynced();
    expect([feed.missing(), feed.connected()]).toEqual([[], true]);
    expect(Object.fromEntries(index.facts)).toEqual({
      'one role x/enter': { access: true },
      'one binding x/alice': { role: 'enter', subjects: ['u:alice'] },
      'one cluster x': { phase: 'Ready' },
      'one workspace root/org': expect.objectContaining({ spec: { cluster: 'x' } }),
    });
  });

  test('facts change and go with their objects', async () => {
    const { shard, index } = await setUpSynced();
    shard.put(ROLES, 'x', 'enter', READ);
    shard.put(WORKSPACES, 'root', 'org', { spec: { cluster: 'x' }, status: { phase: 'Ready' } });
    shard.remove(BINDINGS, 'x', 'alice');
    shard.remove(LOGICAL_CLUSTERS, 'x', 'cluster');
    await settleAll();
    expect(index.changes).toEqual([
      ['-one role x/enter'],
      ['+one workspace root/org'],
      ['-one binding x/alice'],
      ['-one cluster x'],
    ]);
  });

  test('what decides nothing tells the index nothing', async () => {
    const { shard, index } = await setUpSynced();
    shard.put(ROLES, 'x', 'read', READ);
    shard.remove(ROLES, 'x', 'read');
    shard.put(ROLES, 'x', 'enter', { ...ENTER, metadata: { annotations: { note: 'changed' } } });
    shard.put(BINDINGS, 'x', 'nobody', { ...FOR_ALICE, subjects: [] });
    shard.put(LOGICAL_CLUSTERS, 'x', 'cluster', { status: { phase: 'Ready', conditions: [{ type: 'Quota' }] } });
    await settleAll();
    expect(index.changes).toEqual([]);
  });

  test('only the LogicalCluster called "cluster" says anything about its logical cluster', async () => {
    const { shard, index } = await setUpSynced();
    shard.put(LOGICAL_CLUSTERS, 'x', 'other', { status: { phase: 'Deleting' } });
    shard.remove(LOGICAL_CLUSTERS, 'x', 'other');
    await settleAll();
    expect(index.changes).toEqual([]);
  });

  test('an object that is malformed gives nothing, and keeps no other from being read', async () => {
    const { shard, index, lines, feed } = await setUpSynced();
    shard.put(ROLES, 'x', 'enter', { rules: 'everything' });
    shard.put(BINDINGS, 'x', 'alice', { roleRef: [], subjects: { kind: 'User' } });
    shard.put(LOGICAL_CLUSTERS, 'x', 'cluster', { spec: 'x', status: [] });
    shard.put(WORKSPACES, 'root', 'org', { spec: { cluster: 7 } });
    shard.put(WORKSPACES, 'root', 'next', { spec: { cluster: 'y' } });
    await settleAll();
    expect(index.changes.flat()).toEqual([
      '-one role x/enter',
      '-one binding x/alice',
      '+one cluster x',
      '-one workspace root/org',
      '+one workspace root/next',
    ]);
    expect([lines, feed.connected()]).toEqual([[], true]);
  });

  // A shard forgets versions after some minutes. Users would see all their workspaces go and come.
  test('a version that is gone costs a list, of which the differences are told, as one change', async () => {
    const { shard, index, clock, feed } = await setUpSynced();
    shard.expire(() => {
      shard.put(BINDINGS, 'x', 'bob', { ...FOR_ALICE, subjects: [{ kind: 'User', name: 'bob' }] });
      shard.put(BINDINGS, 'y', 'bob', { ...FOR_ALICE, subjects: [{ kind: 'User', name: 'bob' }] });
      shard.remove(BINDINGS, 'x', 'alice');
    });
    await clock.advance(2000);
    await settleAll();
    expect(index.changes).toEqual([['-one binding x/alice', '+one binding x/bob', '+one binding y/bob']]);
    expect([feed.connected(), feed.observe('clusterrolebindings')]).toEqual([true, { synced: true, relists: 1 }]);
  });

  test('a listener that fails for one object does not keep the others from the index', async () => {
    const { shard, index, lines } = await setUpSynced();
    const write = index.role;
    index.role = (...fact) => {
      if (fact[2] === 'bad') throw new Error('not this one');
      write(...fact);
    };
    shard.put(ROLES, 'x', 'bad', ENTER);
    shard.put(ROLES, 'x', 'good', ENTER);
    await settleAll();
    expect(index.changes).toEqual([['+one role x/good']]);
    expect(lines.map(({ fields }) => (fields.err as Error).message)).toEqual([
      'a listener of informer clusterroles of shard one threw: not this one',
    ]);
  });
});

describe('a young shard', () => {
  test('is asked for the identity of workspaces until it has published it, and is not read until then', async () => {
    const shard = new FakeShard();
    shard.identity = undefined;
    const { clock, feed, lines } = setUp(shard);
    await settleAll();
    await clock.advance(2000);
    expect([feed.missing(), feed.connected()]).toEqual([['workspaces'], false]);
    expect(lines.map(({ text, fields }) => [text, fields.reason])).toEqual([
      ['waiting for the shard', 'it has not published the identity of the APIExport tenancy.kcp.io yet'],
    ]);
    shard.identity = 'hash';
    await clock.advance(30_000);
    await settleAll();
    expect([feed.missing(), feed.connected()]).toEqual([[], true]);
  });

  test('that is not up yet is waited for', async () => {
    const shard = new FakeShard();
    shard.isReachable = false;
    const { clock, feed } = setUp(shard);
    await settleAll();
    expect(feed.missing()).toEqual(['clusterroles', 'clusterrolebindings', 'logicalclusters', 'workspaces']);
    expect(feed.observe('workspaces')).toEqual({ synced: false, relists: 0 });
    shard.isReachable = true;
    await clock.advance(30_000);
    await settleAll();
    expect(feed.missing()).toEqual([]);
  });
});

describe('the end of a feed', () => {
  test('leaves no stream, no request and no timer, and the index as it is', async () => {
    const { shard, index, clock, feed } = await setUpSynced();
    feed.stop();
    await settleAll();
    expect([shard.openStreams, shard.unanswered, clock.pending]).toEqual([0, 0, []]);
    expect([index.changes, index.facts.size]).toEqual([[], 4]);
  });

  test('leaves nothing while it waits for the identity', async () => {
    const shard = new FakeShard();
    shard.identity = undefined;
    const { clock, feed } = setUp(shard);
    await settleAll();
    feed.stop();
    await settleAll();
    expect([shard.openStreams, shard.unanswered, clock.pending]).toEqual([0, 0, []]);
  });

  test('leaves nothing while the shard hangs', async () => {
    const shard = new FakeShard();
    shard.hangs = true;
    const { clock, feed } = setUp(shard);
    await settleAll();
    expect(shard.unanswered).toBe(4);
    feed.stop();
    await settleAll();
    expect([shard.unanswered, clock.pending]).toEqual([0, []]);
  });
});
