import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { DEPLOYMENTS, locator, ownNamespace, parts, SHARD, WEB } from './loops.fixture.ts';
import { keyInNamespace } from './loops.ts';
import { hasStatusChanged, syncStatus } from './status-loop.ts';
import { DEPLOYMENT, deployment, FINALIZER, SHOP_DOWNSTREAM, SYNCER } from './syncer.fixture.ts';

async function setUp(copy: KubeObject | undefined, finalizers = [FINALIZER]) {
  const all = parts();
  const object = deployment();
  all.kcp.put(DEPLOYMENT, { ...object, metadata: { ...object.metadata, finalizers } });
  const asked: string[] = [];
  const copies = {
    find(namespace: string, name: string) {
      asked.push(`${namespace}/${name}`);
      return copy;
    },
  };
  await all.see();
  return { ...all, asked, sync: () => syncStatus(WEB, { ...all, resource: DEPLOYMENTS, copies }) };
}

describe('the status of a copy', () => {
  test('is written upstream, by itself', async () => {
    const { kcp, asked, sync } = await setUp({ spec: { replicas: 9 }, status: { readyReplicas: 1 } });
    await sync();
    expect(asked).toEqual([`${SHOP_DOWNSTREAM}/web`]);
    expect(kcp.writes).toEqual([expect.stringMatching(/^PUT .*\/deployments\/web\/status$/)]);
    expect(kcp.get(DEPLOYMENT)).toMatchObject({ spec: { replicas: 2 }, status: { readyReplicas: 1 } });
  });

  test('is not written when it is there already', async () => {
    const { kcp, see, sync } = await setUp({ status: { readyReplicas: 1 } });
    await sync();
    await see();
    await sync();
    expect(kcp.writes).toHaveLength(1);
  });

  test.each([
    ['there is no copy', undefined, [FINALIZER]],
    ['the copy has none', {}, [FINALIZER]],
    ['the object is not this syncer’s yet', { status: { x: 1 } }, []],
  ])('is not written when %s', async (_why, copy, finalizers) => {
    const { kcp, sync } = await setUp(copy, finalizers);
    await sync();
    expect(kcp.writes).toEqual([]);
  });

  test('is refused when the view is old, and written with a new one', async () => {
    const { kcp, see, sync } = await setUp({ status: { readyReplicas: 1 } });
    kcp.change(DEPLOYMENT, object => ({ ...object, spec: { replicas: 3 } }));
    await expect(sync()).rejects.toMatchObject({ code: 409 });
    await see();
    await sync();
    expect(kcp.get(DEPLOYMENT)).toMatchObject({ spec: { replicas: 3 }, status: { readyReplicas: 1 } });
  });
});

describe('a copy', () => {
  const place = (annotations: Record<string, string>) =>
    keyInNamespace('web', DEPLOYMENTS, SYNCER, ownNamespace(annotations), SHARD);

  test('is of the object that the locator of its namespace names', () => expect(place({})).toBe('c1/shop/web'));

  test('is of nobody if its namespace is of a SyncTarget with another uid', () => {
    expect(place({ 'kcp.io/namespace-locator': locator.replace('uid-of-west', 'before') })).toBeUndefined();
  });

  test('is of nobody here if its namespace comes from another shard', () => {
    expect(place({ 'internal.workload.kcp.io/syncer-shard': 'https://second.test' })).toBeUndefined();
  });
});

test.each([
  ['the status', { status: { x: 2 } }, true],
  ['the finalizers', { metadata: { finalizers: ['x'] } }, true],
  ['the spec', { spec: {} }, false],
  ['labels', { metadata: { labels: {} } }, false],
])('a change of %s is one for the status, or none', (_what, change, is) => {
  expect(hasStatusChanged({ status: { x: 1 } }, { status: { x: 1 }, ...change })).toBe(is);
});
