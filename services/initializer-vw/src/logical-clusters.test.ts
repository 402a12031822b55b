import { describe, expect, test } from '@jest/globals';
import type { Informer, InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { type FakeResponse, fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import type { UpstreamFailure } from '@kcp-vw/shared/upstream/upstream.ts';
import type { LogicalCluster } from './lifecycle.ts';
import { followLogicalClusters, sharedReads, slimLogicalCluster } from './logical-clusters.ts';

const clusterAt = (resourceVersion: string, phase: string): LogicalCluster => ({
  metadata: { name: 'cluster', resourceVersion, annotations: { 'kcp.io/cluster': 'c1' } },
  status: { phase },
});
const isInitializing = (cluster: LogicalCluster): boolean => cluster.status?.phase === 'Initializing';

/** An informer whose events a test sends. */
function scriptedInformer(known?: LogicalCluster) {
  let listener: ((event: InformerEvent<LogicalCluster>) => void) | undefined;
  const informer: Pick<Informer<LogicalCluster>, 'get' | 'onEvent' | 'status'> = {
    status: { connected: true, relists: 1 },
    get: () => known,
    onEvent(given) {
      listener = given;
      return () => {
        listener = undefined;
      };
    },
  };
  return {
    informer: informer as Informer<LogicalCluster>,
    event: (type: 'MODIFIED' | 'DELETED', object: LogicalCluster) =>
      listener?.({ type, object } as InformerEvent<LogicalCluster>),
    followed: () => listener !== undefined,
  };
}

function follow(known?: LogicalCluster, live: FakeResponse | UpstreamFailure = { status: 404, body: {} }) {
  const scripted = scriptedInformer(known);
  const shard = fakeUpstream(() => live);
  let ends = 0;
  const clusters = followLogicalClusters(shard, scripted.informer, () => undefined);
  const stop = clusters.whenNot(clusterAt('5', 'Initializing'), isInitializing, () => ends++);
  return { ...scripted, shard, stop, ends: () => ends };
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

describe('reads that are shared', () => {
  /** A server whose answers a test gives, one after the other: each is the number of its read. */
  function server() {
    const open: ((fail?: Error) => void)[] = [];
    let begun = 0;
    const read = sharedReads(
      () =>
        new Promise<number>((resolve, reject) => {
          const number = ++begun;
          open.push(error => (error ? reject(error) : resolve(number)));
        }),
    );
    const answer = async (error?: Error): Promise<void> => {
      open.shift()?.(error);
      await new Promise(resolve => setImmediate(resolve));
    };
    return { read, answer, begun: () => begun };
  }

  // Sharing the one under way would be wrong: it may have begun before the access ended.
  test('are those that began after they were asked for', async () => {
    const { read, answer, begun } = server();
    const first = read('a');
    const later = [read('a'), read('a'), read('a')];
    expect(begun()).toBe(1);
    await answer();
    expect(await first).toBe(1);
    const last = read('a');
    await answer();
    expect(await Promise.all(later)).toEqual([2, 2, 2]);
    await answer();
    expect(await last).toBe(3);
    expect(begun()).toBe(3);
  });

  test('are of one logical cluster only', async () => {
    const { read, begun } = server();
    void read('a');
    void read('b');
    expect(begun()).toBe(2);
  });

  test('do not share a failure with those that come after it, and leave nothing behind', async () => {
    const { read, answer } = server();
    const failing = read('a');
    const next = read('a');
    const failed = expect(failing).rejects.toThrow('gone');
    await answer(new Error('gone'));
    await failed;
    await answer();
    expect(await next).toBe(2);
    const fresh = read('a');
    await answer();
    expect(await fresh).toBe(3);
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
