import { afterEach, describe, expect, test } from '@jest/globals';
import { syncTargetKey } from '../transform/sync-target-key.ts';
import { KEPT_WHEN_REFUSED_MS } from './followed-collection.ts';
import { FakeServers, fakeLog, fakeShards, settleAll, timing } from './knowledge.fixture.ts';
import { createSyncTargets } from './sync-targets.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const ONE = 'https://one/vw';
const TWO = 'https://two/vw';
const WORKLOAD = { cluster: 'compute', name: 'workload.kcp.io' };
const at = (base: string, cluster = 'compute'): string =>
  `${base}/services/apiexport/${cluster}/workload.kcp.io/clusters/*/apis/workload.kcp.io/v1alpha1/synctargets`;

interface SetUp {
  readonly bases?: Readonly<Record<string, string>>;
  readonly prepare?: (servers: FakeServers) => void;
}

async function setUp({ bases = { one: ONE }, prepare = servers => servers.serve(at(ONE)) }: SetUp = {}) {
  const servers = new FakeServers();
  prepare(servers);
  const { shards, set } = fakeShards(bases);
  const { lines, log } = fakeLog();
  const time = timing();
  let workload: typeof WORKLOAD | undefined = WORKLOAD;
  const targets = createSyncTargets({ ...time, shards, log, connections: servers.connections, workload: () => workload });
  stops.push(() => targets.stop());
  const events: string[] = [];
  targets.onChange(({ type, target }) =>
    events.push(`${type} ${target.identity.cluster}/${target.identity.name} ${target.base}`),
  );
  const exportAt = (next: typeof WORKLOAD | undefined): void => {
    workload = next;
    targets.refresh();
  };
  await settleAll();
  return { servers, targets, events, lines, clock: time.clock, setShards: set, exportAt };
}

describe('the SyncTargets', () => {
  test('are those of all shards, by where they are and by key', async () => {
    const { targets } = await setUp({
      bases: { one: ONE, two: TWO },
      prepare(servers) {
        servers.put(at(ONE), 'us', { cluster: 'a', spec: { unschedulable: true } });
        servers.put(at(TWO), 'us', { cluster: 'b' });
      },
    });
    const found = targets.get('a', 'us');
    expect(found).toMatchObject({
      identity: { cluster: 'a', name: 'us', uid: 'uid-a-us' },
      key: syncTargetKey({ cluster: 'a', name: 'us' }),
      base: ONE,
      object: { spec: { unschedulable: true } },
    });
    expect(targets.byKey(syncTargetKey({ cluster: 'b', name: 'us' }))?.base).toBe(TWO);
    expect([targets.list().length, targets.missing(), targets.complete()]).toEqual([2, undefined, true]);
    expect(targets.get('b', 'eu')).toBeUndefined();
  });

  // A quarter of a megabyte each, of as many as anybody makes.
  test('are kept without what their owners have written beside them', async () => {
    const { servers, targets } = await setUp();
    servers.put(at(ONE), 'us', { cluster: 'a', annotations: { 'example.dev/long': 'x'.repeat(1000) } });
    expect(targets.get('a', 'us')?.object.metadata?.annotations).toEqual({ 'kcp.io/cluster': 'a' });
  });

  test('come, change and go', async () => {
    const { servers, targets, events } = await setUp();
    servers.put(at(ONE), 'us', { cluster: 'a' });
    servers.put(at(ONE), 'us', { cluster: 'a', spec: { unschedulable: true } });
    expect(targets.get('a', 'us')?.object.spec?.unschedulable).toBe(true);
    servers.remove(at(ONE), 'us', 'a');
    expect(events).toEqual([`ADDED a/us ${ONE}`, `MODIFIED a/us ${ONE}`, `DELETED a/us ${ONE}`]);
    expect([targets.list(), targets.byKey(syncTargetKey({ cluster: 'a', name: 'us' }))]).toEqual([[], undefined]);
  });

  test('that are deleted and made again while nobody looks are told as both', async () => {
    const { servers, targets, clock } = await setUp();
    servers.put(at(ONE), 'us', { cluster: 'a', uid: 'first' });
    const uids: string[] = [];
    targets.onChange(({ type, target }) => uids.push(`${type} ${target.identity.uid}`));
    servers.expire();
    servers.remove(at(ONE), 'us', 'a');
    servers.put(at(ONE), 'us', { cluster: 'a', uid: 'second' });
    await clock.advance(2000);
    await settleAll();
    expect(uids).toEqual(['DELETED first', 'ADDED second']);
    expect(targets.byKey(syncTargetKey({ cluster: 'a', name: 'us' }))?.identity.uid).toBe('second');
  });

  test('are waited for until the export and the shards are known', async () => {
    const { targets, exportAt, setShards, servers } = await setUp({ bases: {} });
    expect([targets.missing(), targets.complete()]).toEqual(['the list of shards', false]);
    exportAt(undefined);
    expect(targets.missing()).toBe('the export of SyncTargets');
    setShards({ one: ONE });
    expect(servers.requests).toEqual([]);
    exportAt(WORKLOAD);
    expect(targets.missing()).toBe('the SyncTargets of one');
    await settleAll();
    expect([targets.missing(), targets.complete()]).toEqual([undefined, true]);
  });

  test('of a shard that cannot be reached are missing', async () => {
    const { targets, servers, clock } = await setUp({ prepare: servers => servers.unreachable.add(ONE) });
    expect([targets.missing(), targets.complete()]).toEqual(['the SyncTargets of one', false]);
    servers.unreachable.clear();
    servers.serve(at(ONE));
    await clock.advance(2000);
    await settleAll();
    expect([targets.missing(), targets.complete()]).toEqual([undefined, true]);
  });

  test('stay when their shard cannot be reached any more, but it is not certain any more that there are no others', async () => {
    const { targets, servers, clock, events } = await setUp();
    servers.put(at(ONE), 'us', { cluster: 'a' });
    servers.unreachable.add(ONE);
    servers.cut();
    await clock.advance(2000);
    await settleAll();
    expect([targets.list().length, targets.missing(), targets.complete()]).toEqual([1, undefined, false]);
    servers.unreachable.clear();
    await clock.advance(2000);
    await settleAll();
    expect([targets.complete(), events]).toEqual([true, [`ADDED a/us ${ONE}`]]);
  });

  test('that may not be read are missing, for otherwise all would seem to be gone', async () => {
    const { targets } = await setUp({ prepare: servers => servers.refused.set(at(ONE), 403) });
    expect([targets.missing(), targets.complete()]).toEqual(['the SyncTargets of one', false]);
  });
});

describe('a shard on which nobody has bound the export', () => {
  test('certainly has no SyncTargets, until somebody does', async () => {
    const { targets, servers, clock, lines } = await setUp({ prepare: () => undefined });
    expect([targets.missing(), targets.complete()]).toEqual([undefined, true]);
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
    servers.put(at(ONE), 'us', { cluster: 'a' });
    await clock.advance(2000);
    await settleAll();
    expect([targets.list().length, targets.complete()]).toEqual([1, true]);
  });

  test('is not certain to have none while it does not answer', async () => {
    const { targets, servers, clock } = await setUp({ prepare: () => undefined });
    servers.unreachable.add(ONE);
    await clock.advance(2000);
    await settleAll();
    expect([targets.missing(), targets.complete()]).toEqual([undefined, false]);
  });

  test('keeps the ones that it had for a while: servers that start answer so too', async () => {
    const { targets, servers, clock, events } = await setUp();
    servers.put(at(ONE), 'us', { cluster: 'a' });
    servers.refused.set(at(ONE), 404);
    servers.expire();
    await clock.advance(2000);
    await settleAll();
    expect(targets.list()).toHaveLength(1);
    await clock.advance(KEPT_WHEN_REFUSED_MS);
    expect([targets.list(), events]).toEqual([[], [`ADDED a/us ${ONE}`, `DELETED a/us ${ONE}`]]);
  });
});

describe('shards', () => {
  test('that come are followed, and those that go take their SyncTargets along', async () => {
    const { targets, servers, setShards, events } = await setUp({
      bases: { one: ONE, two: TWO },
      prepare(servers) {
        servers.serve(at(ONE));
        servers.put(at(TWO), 'us', { cluster: 'a' });
      },
    });
    setShards({ one: ONE });
    expect(events).toEqual([`ADDED a/us ${TWO}`, `DELETED a/us ${TWO}`]);
    expect(servers.streams).toEqual([at(ONE)]);
    // Nobody has seen it go.
    expect(targets.complete()).toBe(false);
    setShards({ one: ONE, two: TWO });
    await settleAll();
    expect([targets.list().length, targets.complete()]).toEqual([1, true]);
  });

  test('that go without having had any leave nothing uncertain', async () => {
    const { targets, setShards } = await setUp({
      bases: { one: ONE, two: TWO },
      prepare: servers => servers.serve(at(ONE), at(TWO)),
    });
    setShards({ one: ONE });
    expect(targets.complete()).toBe(true);
  });

  test('whose SyncTargets are found elsewhere leave nothing uncertain', async () => {
    const { targets, servers, setShards, events } = await setUp({
      bases: { one: ONE, two: TWO },
      prepare(servers) {
        servers.serve(at(ONE));
        servers.put(at(TWO), 'us', { cluster: 'a' });
      },
    });
    servers.put(at(ONE), 'us', { cluster: 'a' });
    servers.remove(at(TWO), 'us', 'a');
    expect(events.slice(1)).toEqual([`MODIFIED a/us ${ONE}`]);
    setShards({ one: ONE });
    expect([targets.list().length, targets.complete()]).toEqual([1, true]);
  });

  test('without an address make it uncertain what is there', async () => {
    const { targets, setShards } = await setUp();
    setShards({ one: ONE, two: '' });
    expect([targets.missing(), targets.complete()]).toEqual([undefined, false]);
  });

  // Controllers take a deletion for one: what a target has would be taken from it.
  test('that have another address keep their SyncTargets, but for those that are not there', async () => {
    const { targets, servers, setShards, events } = await setUp({
      prepare(servers) {
        servers.put(at(ONE), 'us', { cluster: 'a' });
        servers.put(at(ONE), 'eu', { cluster: 'a' });
      },
    });
    servers.put(at(TWO), 'us', { cluster: 'a' });
    events.length = 0;
    setShards({ one: TWO });
    expect([targets.list().length, targets.complete(), events]).toEqual([2, false, []]);
    await settleAll();
    expect(events).toEqual([`MODIFIED a/us ${TWO}`, `DELETED a/eu ${ONE}`]);
    expect([targets.list().length, targets.complete(), servers.streams]).toEqual([1, true, [at(TWO)]]);
  });

  test('of one address are followed once', async () => {
    const { servers } = await setUp({ bases: { one: ONE, two: ONE } });
    expect(servers.streams).toEqual([at(ONE)]);
  });

  test('are followed through another export when that is made anew', async () => {
    const { servers, exportAt } = await setUp();
    servers.serve(at(ONE, 'other'));
    exportAt({ ...WORKLOAD, cluster: 'other' });
    await settleAll();
    expect(servers.streams).toEqual([at(ONE, 'other')]);
  });
});

test('nothing stays open', async () => {
  const { servers, targets, setShards } = await setUp();
  targets.stop();
  setShards({ one: ONE, two: TWO });
  await settleAll();
  expect(servers.streams).toEqual([]);
});
