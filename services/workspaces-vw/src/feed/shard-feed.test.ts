import { afterEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { NOBODY } from '../index/facts.ts';
import { FollowersFailed } from '../index/followers.ts';
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

  test('a logical cluster that requires too many groups is told once', async () => {
    const { shard, lines, index } = await setUpSynced();
    const annotations = { 'authorization.kcp.io/required-groups': ';'.repeat(100_000) };
    shard.put(LOGICAL_CLUSTERS, 'x', 'cluster', { metadata: { annotations }, status: { phase: 'Ready' } });
    shard.put(LOGICAL_CLUSTERS, 'x', 'cluster', { metadata: { annotations }, status: { phase: 'Deleting' } });
    await settleAll();
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual([['warn', { shard: 'one', cluster: 'x' }]]);
    expect(index.facts.get('one cluster x')).toEqual({ phase: 'Deleting', requiredGroups: NOBODY });
  });
});

describe('what cannot be written', () => {
  test('makes the shard unread until it has been forgotten and read anew, and is told once', async () => {
    const { shard, index, clock, lines, feed } = await setUpSynced();
    const write = index.binding;
    index.binding = (...fact) => {
      if (fact[2] === 'bob') throw new Error('not this one');
      write(...fact);
    };
    shard.put(BINDINGS, 'x', 'bob', FOR_ALICE);
    shard.remove(BINDINGS, 'x', 'alice');
    await settleAll();
    expect([feed.missing().length, feed.connected(), shard.openStreams]).toEqual([4, false, 0]);
    for (let tries = 0; tries < 3; tries += 1) {
      await clock.advance(60_000);
      await settleAll();
    }
    expect(feed.missing()).not.toEqual([]);
    expect(lines.map(({ level, fields }) => [level, (fields.err as Error).message])).toEqual([['error', 'not this one']]);

    index.binding = write;
    await clock.advance(120_000);
    await settleAll();
    await clock.advance(5000);
    expect([feed.missing(), feed.connected()]).toEqual([[], true]);
    expect(index.changes).toContainEqual(['forget one']);
    expect([...index.facts.keys()].sort()).toEqual([
      'one binding x/bob',
      'one cluster x',
      'one role x/enter',
      'one workspace root/org',
    ]);
  });

  test('may be a whole batch, and what is known is forgotten only when that can be done', async () => {
    const { shard, index, clock, lines, feed } = await setUpSynced();
    const [batch, forget] = [index.batch.bind(index), index.forgetShard.bind(index)];
    index.batch = () => {
      throw new Error('no batch');
    };
    index.forgetShard = () => {
      throw new Error('no end');
    };
    shard.remove(BINDINGS, 'x', 'alice');
    await settleAll();
    await clock.advance(10_000);
    await settleAll();
    index.batch = batch;
    await clock.advance(60_000);
    expect([feed.missing().length, shard.openStreams, index.facts.size]).toEqual([4, 0, 4]);
    index.forgetShard = forget;
    await clock.advance(120_000);
    await settleAll();
    await clock.advance(5000);
    expect([feed.missing(), index.facts.has('one binding x/alice')]).toEqual([[], false]);
    expect(lines.map(({ fields }) => (fields.err as Error).message).slice(0, 2)).toEqual(['no batch', 'no end']);
  });

  test('is not what followers of the index throw', async () => {
    const { shard, index, lines, feed } = await setUpSynced();
    const batch = index.batch.bind(index);
    index.batch = work => {
      batch(work);
      throw new FollowersFailed([], 'followers failed');
    };
    shard.remove(BINDINGS, 'x', 'alice');
    await settleAll();
    expect([feed.missing(), feed.connected()]).toEqual([[], true]);
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
  });

  test('leaves nothing when the feed ends before it is read anew', async () => {
    const { shard, index, clock, feed } = await setUpSynced();
    index.role = () => {
      throw new Error('no');
    };
    shard.put(ROLES, 'x', 'bad', ENTER);
    await settleAll();
    feed.stop();
    await settleAll();
    expect([shard.openStreams, shard.unanswered, clock.pending]).toEqual([0, 0, []]);
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

describe('a shard that was made anew at the same address', () => {
  test('is read anew when it does not know the identity of workspaces any more', async () => {
    const { shard, index, clock, feed } = await setUpSynced();
    shard.identity = 'other';
    shard.put(`${WORKSPACES.slice(0, -'hash'.length)}other`, 'root', 'young', { spec: { cluster: 'y' } });
    shard.unknown.add(WORKSPACES);
    shard.cut();
    for (let tries = 0; tries < 8; tries += 1) {
      await clock.advance(30_000);
      await settleAll();
    }
    expect([feed.missing(), feed.connected()]).toEqual([[], true]);
    expect([...index.facts.keys()].filter(key => key.includes('workspace'))).toEqual(['one workspace root/young']);
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
