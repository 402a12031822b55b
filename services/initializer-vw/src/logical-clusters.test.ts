import { describe, expect, test } from '@jest/globals';
import type { Informer, InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { type FakeResponse, fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import type { UpstreamFailure } from '@kcp-vw/shared/upstream/upstream.ts';
import type { LogicalCluster } from './lifecycle.ts';
import { followLogicalClusters, slimLogicalCluster } from './logical-clusters.ts';

const clusterAt = (resourceVersion: string, phase: string): LogicalCluster => ({
  metadata: { name: 'cluster', resourceVersion, annotations: { 'kcp.io/cluster': 'c1' } },
  status: { phase },
});
const isInitializing = (cluster: LogicalCluster): boolean => cluster.status?.phase === 'Initializing';

/** An informer whose events a test sends. */
function scriptedInformer(known?: LogicalCluster) {
  const listeners = new Set<(event: InformerEvent<LogicalCluster>) => void>();
  const informer: Pick<Informer<LogicalCluster>, 'get' | 'onEvent' | 'status'> = {
    status: { connected: true, relists: 1 },
    get: () => known,
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    informer: informer as Informer<LogicalCluster>,
    event: (type: 'MODIFIED' | 'DELETED', object: LogicalCluster) => {
      for (const listener of [...listeners]) listener({ type, object } as InformerEvent<LogicalCluster>);
    },
    followers: () => listeners.size,
  };
}

function follow(known?: LogicalCluster, live: FakeResponse | UpstreamFailure = { status: 404, body: {} }) {
  const scripted = scriptedInformer(known);
  const shard = fakeUpstream(() => live);
  let ends = 0;
  const clusters = followLogicalClusters(shard, scripted.informer, () => undefined);
  const before = scripted.followers();
  const stop = clusters.whenNot(clusterAt('5', 'Initializing'), isInitializing, () => ends++);
  return { ...scripted, shard, stop, ends: () => ends, followed: () => scripted.followers() > before };
}

describe('access to a logical cluster that is followed', () => {
  test('ends once, with the first version in which it is gone', () => {
    const followed = follow(clusterAt('5', 'Initializing'));
    followed.event('MODIFIED', clusterAt('6', 'Initializing'));
    expect(followed.ends()).toBe(0);
    followed.event('MODIFIED', clusterAt('7', 'Ready'));
    followed.event('MODIFIED', clusterAt('8', 'Ready'));
    expect(followed.ends()).toBe(1);
    expect(followed.followed()).toBe(false);
  });

  test('ends when the logical cluster is deleted', () => {
    const followed = follow(clusterAt('5', 'Initializing'));
    followed.event('DELETED', clusterAt('6', 'Initializing'));
    expect(followed.ends()).toBe(1);
  });

  // The live read said Initializing at 5. An informer that is still at 4 speaks of the phase before.
  test('does not end because of a version older than the one that granted it', () => {
    const followed = follow(clusterAt('4', 'Scheduling'));
    followed.event('MODIFIED', clusterAt('4', 'Scheduling'));
    expect(followed.ends()).toBe(0);
  });

  test('ends at once when the informer is already ahead', () => {
    expect(follow(clusterAt('6', 'Ready')).ends()).toBe(1);
  });

  test('ends at once when the informer does not know it and the shard has it no more', async () => {
    const followed = follow(undefined);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(followed.ends()).toBe(1);
  });

  test('goes on when the informer does not know it yet and the shard says that it is as it was', async () => {
    const followed = follow(undefined, { body: clusterAt('5', 'Initializing') });
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(followed.ends()).toBe(0);
    expect(followed.shard.requests.map(({ path }) => path)).toEqual([
      '/clusters/c1/apis/core.kcp.io/v1alpha1/logicalclusters/cluster',
    ]);
  });

  test('is not followed any longer than wanted, nor because of another logical cluster', () => {
    const followed = follow(clusterAt('5', 'Initializing'));
    followed.event('DELETED', { metadata: { annotations: { 'kcp.io/cluster': 'c2' } } });
    followed.stop();
    expect([followed.ends(), followed.followed()]).toEqual([0, false]);
  });
});

describe('a read', () => {
  function reader(known?: LogicalCluster) {
    const scripted = scriptedInformer(known);
    const shard = fakeUpstream(() => ({ body: clusterAt(String(shard.requests.length), 'Initializing') }));
    const clusters = followLogicalClusters(shard, scripted.informer, () => undefined);
    return { ...scripted, version: async () => (await clusters.read('c1'))?.metadata?.resourceVersion };
  }

  test('counts until a change of that logical cluster is seen', async () => {
    const { version, event } = reader();
    expect([await version(), await version()]).toEqual(['1', '1']);
    event('MODIFIED', { metadata: { annotations: { 'kcp.io/cluster': 'c2' } } });
    expect(await version()).toBe('1');
    event('MODIFIED', clusterAt('2', 'Ready'));
    expect([await version(), await version()]).toEqual(['2', '2']);
    event('DELETED', clusterAt('3', 'Ready'));
    expect(await version()).toBe('3');
  });

  // While the watch is broken no change is seen. What was read must not count any longer than this.
  test('counts for a second at most', async () => {
    const { version } = reader();
    expect(await version()).toBe('1');
    await new Promise(resolve => setTimeout(resolve, 1_100));
    expect(await version()).toBe('2');
  });
});

describe('a live read', () => {
  const read = (answer: FakeResponse | UpstreamFailure) =>
    followLogicalClusters(
      fakeUpstream(() => answer),
      scriptedInformer().informer,
      () => undefined,
    ).read('c1');

  test.each([403, 404, 429])('finds nothing when the shard answers %i', async status => {
    expect(await read({ status, body: { kind: 'Status' } })).toBeUndefined();
  });

  test('fails, and does not find nothing, when the shard cannot say', async () => {
    await expect(read({ status: 500, body: {} })).rejects.toMatchObject({ code: 500 });
    await expect(read('unreachable')).rejects.toMatchObject({ code: 503 });
  });
});

test('what is kept of a logical cluster is what decides over access', () => {
  const slim = slimLogicalCluster({
    metadata: { ...clusterAt('5', '').metadata, deletionTimestamp: 'x', labels: { a: 'b' }, managedFields: [] },
    spec: { createdBy: { username: 'owner' } },
    status: { phase: 'Initializing', initializers: ['a:b'], terminators: [], conditions: [{}] } as LogicalCluster['status'] &
      object,
  });
  expect(slim).toEqual({
    metadata: { name: 'cluster', resourceVersion: '5', deletionTimestamp: 'x', annotations: { 'kcp.io/cluster': 'c1' } },
    status: { phase: 'Initializing', initializers: ['a:b'], terminators: [] },
  });
});
