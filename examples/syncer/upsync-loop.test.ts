import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { parts } from './loops.fixture.ts';
import { PODS } from './resources.ts';
import { FINALIZER, NAMESPACE, SHOP, STATE } from './syncer.fixture.ts';
import { upsync } from './upsync-loop.ts';

const POD = `${NAMESPACE}/pods/web-1`;
const UPSTREAM = `${SHOP}/pods/web-1`;
const PLACE = { cluster: 'c1', namespace: 'shop', name: 'web-1' };
const VERSION = 'workload.kcp.io/rv';

const pod = (phase: string, more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    labels: { app: 'web', [STATE]: 'Upsync', 'internal.workload.kcp.io/cluster': 'K' },
    ownerReferences: [{ uid: 'of a replica set' }],
    ...more,
  },
  spec: { nodeName: 'n' },
  status: { phase },
});

/** Sees at once what is there; `blind` sees nothing downstream. */
function setUp() {
  const all = parts();
  const loop = {
    ...all,
    resource: PODS,
    upstream: all.upsyncUpstream,
    stored: { get: () => all.kcp.get(UPSTREAM) },
    objects: { find: () => all.physical.get(POD) },
  };
  const verbs = () => all.kcp.writes.map(write => write.replace(/ .*pods/, ''));
  return {
    ...all,
    verbs,
    run: () => upsync(PLACE, loop),
    blind: () => upsync(PLACE, { ...loop, objects: { find: () => undefined } }),
  };
}

describe('an object that is upsynced', () => {
  test('is made upstream, then gets its status, and at last the version that it shows', async () => {
    const { kcp, physical, run, verbs } = setUp();
    physical.put(POD, pod('Running'));
    await run();
    expect(verbs()).toEqual(['POST', 'PUT/web-1/status', 'PUT/web-1']);
    const { metadata, ...rest } = kcp.get(UPSTREAM) ?? {};
    expect(rest).toMatchObject({ kind: 'Pod', spec: { nodeName: 'n' }, status: { phase: 'Running' } });
    expect(metadata).toMatchObject({
      name: 'web-1',
      namespace: 'shop',
      finalizers: [FINALIZER],
      labels: { app: 'web', [STATE]: 'Upsync' },
    });
    expect(metadata?.labels).not.toHaveProperty(['internal.workload.kcp.io/cluster']);
    expect(metadata).not.toHaveProperty('ownerReferences');
    expect(metadata?.annotations).toEqual({ 'kcp.io/cluster': 'c1', [VERSION]: physical.get(POD)?.metadata?.resourceVersion });
  });

  test('is left alone as long as it shows the version downstream', async () => {
    const { kcp, physical, run } = setUp();
    physical.put(POD, pod('Running'));
    await run();
    kcp.writes.length = 0;
    await run();
    expect(kcp.writes).toEqual([]);
  });

  test('follows the one downstream, also while that is on its way out', async () => {
    const { kcp, physical, run } = setUp();
    physical.put(POD, pod('Running'));
    await run();
    physical.put(POD, pod('Failed', { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['slow'] }));
    await run();
    expect(kcp.get(UPSTREAM)).toMatchObject({ status: { phase: 'Failed' } });
    expect(kcp.get(UPSTREAM)?.metadata?.deletionTimestamp).toBeUndefined();
    physical.put(POD, undefined);
    await run();
    expect(kcp.get(UPSTREAM)).toBeUndefined();
  });

  test('shows its status also while a user deletes it upstream, and stays until the one downstream is gone', async () => {
    const { kcp, physical, run } = setUp();
    physical.put(POD, pod('Running'));
    await run();
    kcp.change(UPSTREAM, object => ({ ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }));
    physical.put(POD, pod('Failed'));
    await run();
    expect(kcp.get(UPSTREAM)).toMatchObject({ status: { phase: 'Failed' }, metadata: { deletionTimestamp: expect.any(String) } });
    physical.put(POD, undefined);
    await run();
    expect(kcp.get(UPSTREAM)).toBeUndefined();
  });

  test.each([1, 2, 3])('is completed when write %i of three is refused', async which => {
    const { kcp, physical, run } = setUp();
    physical.put(POD, pod('Running'));
    let count = 0;
    kcp.fault = method => (method !== 'GET' && ++count === which ? 500 : undefined);
    await expect(run()).rejects.toThrow('500');
    await run();
    expect(kcp.get(UPSTREAM)).toMatchObject({
      status: { phase: 'Running' },
      metadata: { annotations: { [VERSION]: expect.any(String) } },
    });
  });

  test('is taken over when an attempt before has made it, whose answer was lost', async () => {
    const { kcp, physical, run } = setUp();
    physical.put(POD, pod('Running'));
    kcp.fault = method => (method === 'POST' ? 'lost' : undefined);
    await expect(run()).rejects.toThrow('lost');
    kcp.fault = () => undefined;
    await run();
    expect(kcp.get(UPSTREAM)).toMatchObject({ status: { phase: 'Running' } });
  });
});

describe('an object upstream with none downstream', () => {
  async function orphan() {
    const all = setUp();
    all.physical.put(POD, pod('Running'));
    await all.run();
    all.kcp.writes.length = 0;
    return all;
  }

  test('loses its finalizer, and is deleted', async () => {
    const { kcp, physical, run, verbs } = await orphan();
    physical.put(POD, undefined);
    await run();
    expect(verbs()).toEqual(['PUT/web-1', 'DELETE/web-1']);
    expect(kcp.get(UPSTREAM)).toBeUndefined();
  });

  test('is deleted, too, when it is not for this syncer to bring back any more', async () => {
    const { kcp, physical, blind } = await orphan();
    physical.change(POD, object => ({ ...object, metadata: { ...object.metadata, labels: {} } }));
    await blind();
    expect(kcp.get(UPSTREAM)).toBeUndefined();
  });

  test('stays when it is only not seen yet, or cannot be looked for', async () => {
    const { kcp, physical, blind } = await orphan();
    await expect(blind()).rejects.toThrow('not known here yet');
    physical.fault = () => 500;
    await expect(blind()).rejects.toThrow('500');
    expect(kcp.writes).toEqual([]);
  });

  test('may be gone already', async () => {
    const { kcp, physical, run } = await orphan();
    physical.put(POD, undefined);
    kcp.fault = method => (method === 'GET' ? undefined : 404);
    await expect(run()).resolves.toBeUndefined();
  });
});
