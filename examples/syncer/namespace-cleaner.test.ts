import { expect, test } from '@jest/globals';
import { ownNamespace, parts, SHARD } from './loops.fixture.ts';
import { cleanNamespace, type ShardNamespaces } from './namespace-cleaner.ts';
import { NAMESPACE, SHOP, SHOP_DOWNSTREAM } from './syncer.fixture.ts';

function setUp(namespace = ownNamespace()) {
  const all = parts();
  all.physical.put(NAMESPACE, namespace);
  const has = () => all.kcp.get(SHOP);
  const shard = (more: Partial<ShardNamespaces> = {}): ShardNamespaces => ({
    shard: SHARD,
    upstream: all.upstream,
    views: { get: has, synced: () => true, status: { connected: true, relists: 0 } },
    hasObjects: () => false,
    ...more,
  });
  const clean = (...shards: readonly ShardNamespaces[]) =>
    cleanNamespace(SHOP_DOWNSTREAM, { ...all, shards: () => (shards.length > 0 ? shards : [shard()]) });
  return { ...all, shard, clean, isThere: () => all.physical.get(NAMESPACE) !== undefined };
}
const unsynced: ShardNamespaces['views'] = { get: () => undefined, synced: () => false, status: { connected: true, relists: 0 } };
const cut: ShardNamespaces['views'] = { get: () => undefined, synced: () => true, status: { connected: false, relists: 0 } };
const empty: ShardNamespaces['views'] = { get: () => undefined, synced: () => true, status: { connected: true, relists: 0 } };

test('a namespace that has no upstream any more is deleted', async () => {
  const { kcp, clean, isThere } = setUp();
  kcp.put(SHOP, undefined);
  await clean();
  expect(isThere()).toBe(false);
});

test('a namespace that is upstream stays', async () => {
  const { clean, isThere } = setUp();
  await clean();
  expect(isThere()).toBe(true);
});

test.each([
  [
    'of a SyncTarget with another uid',
    {
      'kcp.io/namespace-locator': '{"syncTarget":{"cluster":"st","name":"west","uid":"other"},"cluster":"c1","namespace":"shop"}',
    },
  ],
  ['that comes from a shard that is not published', { 'internal.workload.kcp.io/syncer-shard': 'https://gone.test' }],
])('a namespace %s stays', async (_which, annotations) => {
  const { kcp, clean, isThere } = setUp(ownNamespace(annotations));
  kcp.put(SHOP, undefined);
  await clean();
  expect(isThere()).toBe(true);
});

test('a namespace stays as long as anything in it is still synced', async () => {
  const { kcp, shard, clean, isThere } = setUp();
  kcp.put(SHOP, undefined);
  await clean(shard({ hasObjects: () => true }));
  expect(isThere()).toBe(true);
});

test('a namespace stays that is not seen, but there', async () => {
  const { shard, clean, isThere } = setUp();
  await clean(shard({ views: empty }));
  expect(isThere()).toBe(true);
});

test.each([
  ['has not said yet', unsynced],
  ['is not heard', cut],
])('no namespace is deleted while a shard %s', async (_what, views) => {
  const { kcp, shard, clean, isThere } = setUp();
  kcp.put(SHOP, undefined);
  await expect(clean(shard(), shard({ shard: 'https://second.test', views }))).rejects.toThrow('does not say what is there');
  expect(isThere()).toBe(true);
});

test.each([403, 500, 'unreachable' as const])('no namespace is deleted when it cannot be looked for: %s', async fault => {
  const { kcp, clean, isThere } = setUp();
  kcp.put(SHOP, undefined);
  kcp.fault = () => fault;
  await expect(clean()).rejects.toThrow();
  expect(isThere()).toBe(true);
});

test('a namespace that was made again in the meantime is another one', async () => {
  const { kcp, physical, downstream, isThere, ...rest } = setUp();
  kcp.put(SHOP, undefined);
  const stale = { ...ownNamespace(), metadata: { ...ownNamespace().metadata, uid: 'before' } };
  const namespaces = { ...downstream.namespaces, find: () => stale };
  await cleanNamespace(SHOP_DOWNSTREAM, { ...rest, downstream: { ...downstream, namespaces }, shards: () => [rest.shard()] });
  expect([isThere(), physical.writes]).toEqual([true, [`DELETE ${NAMESPACE}`]]);
});
