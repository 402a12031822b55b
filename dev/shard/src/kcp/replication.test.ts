import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { KCP_RESOURCES } from '../store/kcp-resources.ts';
import { KUBERNETES_RESOURCES } from '../store/kubernetes-resources.ts';
import { Registry } from '../store/registry.ts';
import { Store } from '../store/store.ts';
import { clusterRoleBinding } from './bootstrap-policy.ts';
import { CacheServer } from './cache-server.ts';
import { Loopback } from './loopback.ts';
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, LOGICAL_CLUSTERS, WORKSPACE_TYPES, WORKSPACES } from './refs.ts';
import { startReplication } from './replication.ts';
import { queueMarks, reconcileMark } from './replication-marks.ts';
import { WorkQueue } from './work-queue.ts';

const DELAY = 5;

let cache: CacheServer;
let objects: Loopback;
let stops: (() => void)[];
const failures: unknown[] = [];

beforeEach(() => {
  cache = new CacheServer();
  objects = new Loopback(new Store(), new Registry([...KUBERNETES_RESOURCES, ...KCP_RESOURCES]), [], cache.store);
  const onError = (error: unknown): void => void failures.push(error);
  const marks = new WorkQueue(key => reconcileMark(objects, key), { onError });
  stops = [
    startReplication({ shardName: 'shard-1', objects, cache, delay: DELAY, onError }),
    objects.store.onChange(change => queueMarks(marks, objects, change)),
    () => marks.stop(),
  ];
});

afterEach(() => {
  for (const stop of stops) stop();
  expect(failures).toEqual([]);
});

const settled = (): Promise<void> => sleep(20 * DELAY);
const role = (name: string, verb: string, resource = 'workspacetypes'): KubeObject => ({
  metadata: { name },
  rules: [{ verbs: [verb], apiGroups: ['tenancy.kcp.io'], resources: [resource] }],
});
const inCache = (ref: typeof CLUSTER_ROLES): string[] => objects.cache.list(ref, '*').map(({ metadata }) => metadata?.name ?? '');

describe('the cache', () => {
  test('has copies of workspace types a moment later, which say where they are from', async () => {
    const created = objects.create(WORKSPACE_TYPES, 'c1', { metadata: { name: 't' }, spec: { initializer: true } });
    expect(inCache(WORKSPACE_TYPES)).toEqual([]);
    await settled();
    const copy = objects.cache.get(WORKSPACE_TYPES, 'c1', 't');
    expect(copy).toMatchObject({
      spec: { initializer: true },
      metadata: {
        annotations: {
          'kcp.io/shard': 'shard-1',
          'kcp.io/cluster': 'c1',
          'cache.kcp.io/original-resource-UID': created.metadata?.uid,
          'cache.kcp.io/original-resource-version': created.metadata?.resourceVersion,
        },
      },
    });
    expect(copy?.metadata?.uid).toBe(created.metadata?.uid);
  });

  test('follows changes and deletions', async () => {
    const created = objects.create(WORKSPACE_TYPES, 'c1', { metadata: { name: 't' } });
    await settled();
    objects.updateStatus(WORKSPACE_TYPES, 'c1', { ...created, status: { virtualWorkspaces: [] } });
    await settled();
    expect(objects.cache.get(WORKSPACE_TYPES, 'c1', 't')).toMatchObject({ status: { virtualWorkspaces: [] } });
    objects.delete(WORKSPACE_TYPES, 'c1', 't');
    await settled();
    expect(inCache(WORKSPACE_TYPES)).toEqual([]);
  });

  test('knows nothing of workspaces, nor of what system clusters have', async () => {
    objects.create(WORKSPACES, 'c1', { metadata: { name: 'w' } });
    objects.create(WORKSPACE_TYPES, 'system:shard', { metadata: { name: 't' } });
    await settled();
    expect([...inCache(WORKSPACES), ...inCache(WORKSPACE_TYPES)]).toEqual([]);
  });

  test('has the roles that open workspace types, with their bindings, and no others', async () => {
    objects.create(CLUSTER_ROLES, 'c1', role('opener', 'initialize'));
    objects.create(CLUSTER_ROLES, 'c1', role('reader', 'get'));
    objects.create(CLUSTER_ROLE_BINDINGS, 'c1', clusterRoleBinding('opens', 'opener', []));
    objects.create(CLUSTER_ROLE_BINDINGS, 'c1', clusterRoleBinding('reads', 'reader', []));
    await settled();
    expect([inCache(CLUSTER_ROLES), inCache(CLUSTER_ROLE_BINDINGS)]).toEqual([['opener'], ['opens']]);
    expect(objects.get(CLUSTER_ROLES, 'c1', 'opener')?.metadata?.annotations).toMatchObject({
      'internal.kcp.io/replicate': 'tenancy.kcp.io',
    });
  });

  test('has the logical clusters with workspace types, and who may enter them, as long as there are types', async () => {
    objects.create(LOGICAL_CLUSTERS, 'c1', { metadata: { name: 'cluster' } });
    objects.create(LOGICAL_CLUSTERS, 'c2', { metadata: { name: 'cluster' } });
    const access = { metadata: { name: 'access' }, rules: [{ verbs: ['access'], nonResourceURLs: ['/'] }] };
    for (const cluster of ['c1', 'c2']) objects.create(CLUSTER_ROLES, cluster, access);
    objects.create(WORKSPACE_TYPES, 'c1', { metadata: { name: 't' } });
    await settled();
    const clusters = objects.cache.list(LOGICAL_CLUSTERS, '*').map(({ metadata }) => metadata?.annotations?.['kcp.io/cluster']);
    expect(clusters).toEqual(['c1']);
    expect(inCache(CLUSTER_ROLES)).toEqual(['access']);
    objects.delete(WORKSPACE_TYPES, 'c1', 't');
    await settled();
    expect([...inCache(LOGICAL_CLUSTERS), ...inCache(CLUSTER_ROLES)]).toEqual([]);
  });

  test('loses what a shard has when that has lost it', async () => {
    objects.create(WORKSPACE_TYPES, 'c1', { metadata: { name: 't' } });
    await settled();
    cache.put('root', WORKSPACE_TYPES, 'c9', { metadata: { name: 'other' } });
    cache.forget('shard-1');
    expect(inCache(WORKSPACE_TYPES)).toEqual(['other']);
  });
});
