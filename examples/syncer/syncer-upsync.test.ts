import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { COPY, DEPLOYMENT, deployment, eventually, FINALIZER, NAMESPACE, quiet, STATE, world } from './syncer.fixture.ts';

const labelled = (value: string, more: Partial<KubeObject> = {}): KubeObject => ({
  ...more,
  metadata: { labels: { [STATE]: value } },
});

describe('what a syncer brings back', () => {
  const POD = `${NAMESPACE}/pods/web-1`;
  const UPSTREAM = '/clusters/c1/api/v1/namespaces/shop/pods/web-1';
  const pod = (phase: string): KubeObject =>
    labelled('Upsync', { apiVersion: 'v1', kind: 'Pod', spec: { nodeName: 'n' }, status: { phase } });

  async function started() {
    const all = world();
    all.kcp.put(DEPLOYMENT, deployment());
    const syncer = all.start();
    await eventually(() => expect(all.physical.get(COPY)).toBeDefined());
    return { ...all, syncer };
  }

  test('is there with its status, follows it, and goes with it', async () => {
    const { kcp, physical } = await started();
    physical.put(POD, pod('Pending'));
    await eventually(() => expect(kcp.get(UPSTREAM)?.metadata?.annotations?.['workload.kcp.io/rv']).toBeDefined());
    expect(kcp.get(UPSTREAM)).toMatchObject({
      spec: { nodeName: 'n' },
      status: { phase: 'Pending' },
      metadata: { finalizers: [FINALIZER] },
    });
    physical.change(POD, object => ({ ...object, status: { phase: 'Running' } }));
    await eventually(() => expect(kcp.get(UPSTREAM)?.status).toEqual({ phase: 'Running' }));
    physical.put(POD, undefined);
    await eventually(() => expect(kcp.get(UPSTREAM)).toBeUndefined());
  });

  test('goes also when the namespace downstream goes first, or while nobody looks', async () => {
    const { kcp, physical, syncer, start } = await started();
    physical.put(POD, pod('Running'));
    await eventually(() => expect(kcp.get(UPSTREAM)).toBeDefined());
    await syncer.stop();
    kcp.put(DEPLOYMENT, undefined);
    physical.put(POD, undefined);
    physical.put(NAMESPACE, undefined);
    start();
    await eventually(() => expect(kcp.get(UPSTREAM)).toBeUndefined());
  });

  test('goes also when nobody can say any more what namespace it was in', async () => {
    const { kcp, physical, syncer, start } = await started();
    physical.put(POD, pod('Running'));
    await eventually(() => expect(kcp.get(UPSTREAM)?.metadata?.annotations).toHaveProperty(['workload.kcp.io/rv']));
    const streams = physical.openStreams;
    // One that has nothing left to try again.
    await syncer.stop();
    start();
    await eventually(() => expect(physical.openStreams).toBe(streams));
    await quiet(kcp, physical);
    physical.put(NAMESPACE, undefined);
    physical.put(POD, undefined);
    await eventually(() => expect(kcp.get(UPSTREAM)).toBeUndefined());
  });

  test('may be a volume, which is in no namespace and says itself where it belongs', async () => {
    const { kcp, physical } = await started();
    const locator = { syncTarget: { cluster: 'st', name: 'west', uid: 'uid-of-west' }, cluster: 'c1', namespace: '' };
    const volume = labelled('Upsync', { spec: { storageClassName: 'fast' }, status: { phase: 'Bound' } });
    const annotations = { 'kcp.io/namespace-locator': JSON.stringify(locator) };
    physical.put('/api/v1/persistentvolumes/disk', { ...volume, metadata: { ...volume.metadata, annotations } });
    await eventually(() => expect(kcp.get('/clusters/c1/api/v1/persistentvolumes/disk')?.status).toEqual({ phase: 'Bound' }));
  });

  test('is nothing that has the label in a namespace of others', async () => {
    const { kcp, physical } = await started();
    physical.put('/api/v1/namespaces/kube-system', { metadata: {} });
    physical.put('/api/v1/namespaces/kube-system/pods/dns', pod('Running'));
    physical.put(POD, pod('Running'));
    await eventually(() => expect(kcp.get(UPSTREAM)).toBeDefined());
    expect(kcp.list('pods')).toHaveLength(1);
  });
});
