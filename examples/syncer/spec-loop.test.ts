import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { DEPLOYMENTS, locator, ownNamespace, parts, WEB } from './loops.fixture.ts';
import { hasSpecChanged, syncSpec } from './spec-loop.ts';
import { COPY, DEPLOYMENT, deployment, FINALIZER, KEY, leaving, NAMESPACE, SHOP_DOWNSTREAM } from './syncer.fixture.ts';

function setUp(options = {}) {
  const all = parts(options);
  const loop = { ...all, resource: DEPLOYMENTS, kcp: all.kcpURL, upsyncPods: () => false };
  async function step() {
    await all.see();
    return syncSpec(WEB, loop);
  }
  return { ...all, loop, step };
}

describe('an object that is to be synced', () => {
  test('first gets the finalizer, and nothing else happens', async () => {
    const { kcp, physical, step } = setUp();
    kcp.put(DEPLOYMENT, deployment());
    expect(await step()).toBe('done');
    expect(kcp.get(DEPLOYMENT)?.metadata?.finalizers).toEqual([FINALIZER]);
    expect(physical.writes).toEqual([]);
  });

  test('then gets a namespace and a copy', async () => {
    const { kcp, physical, step } = setUp();
    kcp.put(DEPLOYMENT, deployment());
    await step();
    await step();
    expect(physical.writes).toEqual(['POST /api/v1/namespaces', `PATCH ${COPY}`]);
    expect(physical.get(NAMESPACE)?.metadata).toMatchObject({
      labels: { 'internal.workload.kcp.io/cluster': KEY, 'kcp.io/tenant-id': expect.any(String) },
      annotations: { 'kcp.io/namespace-locator': locator },
    });
    expect(physical.get(COPY)).toMatchObject({
      metadata: { name: 'web', namespace: SHOP_DOWNSTREAM, labels: { app: 'web', 'internal.workload.kcp.io/cluster': KEY } },
      spec: { replicas: 2 },
    });
  });

  test('gets its copy also where there is no apply, and without what is not asked for any more', async () => {
    const { kcp, physical, step } = setUp({ applies: false });
    kcp.put(DEPLOYMENT, deployment());
    await step();
    await step();
    physical.change(COPY, ({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, annotations: { 'a.kcp.io/x': 'kept', note: 'of nobody' } },
      status: { readyReplicas: 1 },
    }));
    kcp.change(DEPLOYMENT, object => ({ ...object, spec: { paused: true } }));
    await step();
    expect(physical.get(COPY)).toMatchObject({ spec: { paused: true }, status: { readyReplicas: 1 } });
    expect(physical.get(COPY)?.spec).toEqual({ paused: true });
    expect(physical.get(COPY)?.metadata?.annotations).toEqual({ 'a.kcp.io/x': 'kept' });
  });

  test('is synced on while a soft finalizer holds it back from leaving', async () => {
    const { kcp, physical, step } = setUp();
    kcp.put(DEPLOYMENT, deployment());
    await step();
    kcp.change(DEPLOYMENT, object => {
      const { metadata } = leaving(object);
      return {
        ...object,
        metadata: { ...metadata, annotations: { ...metadata?.annotations, [`finalizers.workload.kcp.io/${KEY}`]: 'hold' } },
      };
    });
    await step();
    expect(physical.get(COPY)).toBeDefined();
  });
});

describe('the namespace of a copy', () => {
  async function started(namespace: KubeObject) {
    const all = setUp();
    all.kcp.put(DEPLOYMENT, deployment());
    await all.step();
    all.physical.put(NAMESPACE, namespace);
    return all;
  }

  test('is nobody else’s: without a locator nothing is written into it', async () => {
    const { physical, step } = await started({ metadata: {} });
    await expect(step()).rejects.toThrow(`the namespace ${SHOP_DOWNSTREAM} downstream is nobody knows whose`);
    expect(physical.get(COPY)).toBeUndefined();
  });

  test('is no other’s: with another locator nothing is written into it', async () => {
    const other = locator.replace('shop', 'bank');
    const { physical, step } = await started(ownNamespace({ 'kcp.io/namespace-locator': other }));
    await expect(step()).rejects.toThrow(`downstream is the copy of ${other}`);
    expect(physical.get(COPY)).toBeUndefined();
  });

  test('may have a locator of the first releases, which is written anew', async () => {
    const old = locator.replace('{"syncTarget":{"cluster"', '{"syncTarget":{"path"');
    const { physical, step } = await started(ownNamespace({ 'kcp.io/namespace-locator': old }));
    await step();
    expect(physical.get(COPY)).toBeDefined();
    expect(physical.get(NAMESPACE)?.metadata?.annotations?.['kcp.io/namespace-locator']).toBe(locator);
  });

  test('gets back the labels that it has lost', async () => {
    const { physical, step } = await started({ metadata: { annotations: { 'kcp.io/namespace-locator': locator } } });
    await step();
    expect(physical.get(NAMESPACE)?.metadata?.labels).toMatchObject({ 'internal.workload.kcp.io/cluster': KEY });
  });

  test('is waited for while its predecessor is being deleted', async () => {
    const { step } = await started({
      metadata: { ...ownNamespace().metadata, deletionTimestamp: 'x', finalizers: ['kubernetes'] },
    });
    await expect(step()).rejects.toThrow('is still being deleted');
  });
});

describe('an object that is not to be synced any more', () => {
  async function synced() {
    const all = setUp();
    all.kcp.put(DEPLOYMENT, deployment());
    await all.step();
    await all.step();
    all.physical.writes.length = 0;
    return all;
  }

  test('that is gone upstream is deleted downstream', async () => {
    const { kcp, physical, step } = await synced();
    kcp.put(DEPLOYMENT, undefined);
    expect([await step(), await step()]).toEqual(['wait', 'done']);
    expect(physical.get(COPY)).toBeUndefined();
  });

  test('that is there, and only cannot be shown, keeps its copy', async () => {
    const { kcp, loop, physical } = await synced();
    const blind = { ...loop, views: { get: () => undefined } };
    kcp.fault = () => 500;
    await expect(syncSpec(WEB, blind)).rejects.toThrow('500');
    kcp.fault = () => undefined;
    expect(await syncSpec(WEB, blind)).toBe('wait');
    expect(physical.writes).toEqual([]);
  });

  test('keeps its copy when everything is refused, as it is when the SyncTarget is gone', async () => {
    const { kcp, loop, physical } = await synced();
    const blind = { ...loop, views: { get: () => undefined } };
    kcp.fault = () => 403;
    await expect(syncSpec(WEB, blind)).rejects.toThrow('403');
    expect(physical.writes).toEqual([]);
  });

  test('loses its copy when only its workspace is refused, which has nothing to do with the SyncTarget any more', async () => {
    const { kcp, loop, physical } = await synced();
    kcp.fault = (_method, path) => (path.includes('/clusters/c1/') ? 403 : undefined);
    await syncSpec(WEB, { ...loop, views: { get: () => undefined } });
    expect(physical.get(COPY)).toBeUndefined();
  });

  test('is deleted downstream first, and let go when that is done', async () => {
    const { kcp, physical, step } = await synced();
    kcp.change(DEPLOYMENT, leaving);
    expect(await step()).toBe('wait');
    expect(kcp.get(DEPLOYMENT)?.metadata?.finalizers).toEqual([FINALIZER]);
    expect(physical.get(COPY)).toBeUndefined();
    expect(await step()).toBe('done');
    expect(kcp.get(DEPLOYMENT)?.metadata).toMatchObject({ finalizers: [], labels: { app: 'web' } });
  });

  test('is let go at once if it has no copy', async () => {
    const { kcp, physical, step } = await synced();
    physical.put(COPY, undefined);
    kcp.change(DEPLOYMENT, leaving);
    expect(await step()).toBe('done');
    expect(kcp.get(DEPLOYMENT)?.metadata?.finalizers).toEqual([]);
  });

  test('is let go, and what others have put in the place of its copy stays', async () => {
    const { kcp, physical, step } = await synced();
    physical.put(COPY, { metadata: { labels: {} } });
    kcp.change(DEPLOYMENT, leaving);
    expect(await step()).toBe('done');
    expect(physical.get(COPY)).toBeDefined();
  });

  test('keeps its finalizer when the deletion fails', async () => {
    const { kcp, physical, step } = await synced();
    physical.fault = method => (method === 'DELETE' ? 500 : undefined);
    kcp.change(DEPLOYMENT, leaving);
    await expect(step()).rejects.toThrow('500');
    expect(kcp.get(DEPLOYMENT)?.metadata?.finalizers).toEqual([FINALIZER]);
  });

  test('is not deleted by the word of another shard, which has never had it', async () => {
    const { loop, physical } = await synced();
    const elsewhere = { ...loop, shard: 'https://second.test', views: { get: () => undefined } };
    expect(await syncSpec(WEB, elsewhere)).toBe('done');
    expect([physical.writes, physical.get(COPY) !== undefined]).toEqual([[], true]);
  });
});

describe('a change of a view', () => {
  const before = { metadata: { name: 'web', resourceVersion: '1', labels: { a: 'a' } }, spec: { x: 1 }, status: { y: 1 } };

  test('is none for the spec when only the status and versions have changed', () => {
    const after = { ...before, metadata: { ...before.metadata, resourceVersion: '2', generation: 2, managedFields: [] } };
    expect(hasSpecChanged(before, { ...after, status: { y: 2 } })).toBe(false);
  });

  test.each([
    ['a label', { metadata: { ...before.metadata, labels: {} } }],
    ['an annotation', { metadata: { ...before.metadata, annotations: { a: 'a' } } }],
    ['a finalizer', { metadata: { ...before.metadata, finalizers: ['x'] } }],
    ['the deletion', { metadata: { ...before.metadata, deletionTimestamp: 'x' } }],
    ['the spec', { spec: { x: 2 } }],
    ['a field of another name', { data: {} }],
  ])('is one when it is of %s', (_what, change) => {
    expect(hasSpecChanged(before, { ...before, ...change })).toBe(true);
  });

  test('is one when the object is new', () => expect(hasSpecChanged(undefined, before)).toBe(true));
});
