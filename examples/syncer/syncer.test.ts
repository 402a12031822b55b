import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { SyncTarget } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import {
  COPY,
  DEPLOYMENT,
  deployment,
  eventually,
  FINALIZER,
  leaving,
  listed,
  NAMESPACE,
  quiet,
  SHOP,
  SHOP_DOWNSTREAM,
  STATE,
  SYNC_TARGET,
  world,
} from './syncer.fixture.ts';

const labelled = (value: string, more: Partial<KubeObject> = {}): KubeObject => ({
  ...more,
  metadata: { labels: { [STATE]: value } },
});

describe('a syncer', () => {
  test('says what its cluster can take, and that it is alive', async () => {
    const { kcp, start } = world();
    start('uid-of-west');
    await eventually(() => {
      const { status } = kcp.get(SYNC_TARGET) as SyncTarget;
      expect(status?.syncedResources?.map(({ state }) => state)).toEqual(['Accepted', 'Accepted', 'Accepted']);
      expect(status?.conditions).toMatchObject([{ type: 'SyncerAuthorized', status: 'True' }]);
      expect(status?.lastSyncerHeartbeatTime).toMatch(/Z$/);
    });
  });

  test('says it of resources that come later', async () => {
    const { kcp, start } = world();
    const states = () => (kcp.get(SYNC_TARGET) as SyncTarget).status?.syncedResources?.map(({ state }) => state);
    start();
    await eventually(() => expect(states()).toEqual(['Accepted', 'Accepted', 'Accepted']));
    kcp.change(SYNC_TARGET, object => {
      const { status } = object as SyncTarget;
      return { ...object, status: { ...status, syncedResources: [...(status?.syncedResources ?? []), listed('', 'services')] } };
    });
    await eventually(() => expect(states()?.[3]).toBe('Incompatible'));
  });

  test('brings an object down and its status up, and takes it away when it is to leave', async () => {
    const { kcp, physical, start } = world();
    kcp.put(DEPLOYMENT, deployment());
    start();
    await eventually(() => expect(physical.get(COPY)).toMatchObject({ spec: { replicas: 2 } }));
    expect(kcp.get(DEPLOYMENT)?.metadata?.finalizers).toEqual([FINALIZER]);
    physical.change(COPY, object => ({ ...object, status: { readyReplicas: 2 } }));
    await eventually(() => expect(kcp.get(DEPLOYMENT)?.status).toEqual({ readyReplicas: 2 }));
    kcp.change(DEPLOYMENT, leaving);
    await eventually(() => expect(kcp.get(DEPLOYMENT)?.metadata?.finalizers ?? []).toEqual([]));
    expect(physical.get(COPY)).toBeUndefined();
  });

  test('waits for a copy that does not go at once', async () => {
    const { kcp, physical, start } = world();
    kcp.put(DEPLOYMENT, deployment());
    start();
    await eventually(() => expect(physical.get(COPY)).toBeDefined());
    physical.change(COPY, object => ({ ...object, metadata: { ...object.metadata, finalizers: ['slow'] } }));
    kcp.change(DEPLOYMENT, leaving);
    await eventually(() => expect(physical.get(COPY)?.metadata?.deletionTimestamp).toBeDefined());
    await quiet(kcp, physical);
    expect(kcp.get(DEPLOYMENT)?.metadata?.finalizers).toEqual([FINALIZER]);
    physical.put(COPY, undefined);
    await eventually(() => expect(kcp.get(DEPLOYMENT)?.metadata?.finalizers ?? []).toEqual([]));
  });

  test('makes a copy again that somebody has deleted, alone or with its namespace', async () => {
    const { kcp, physical, start } = world();
    kcp.put(DEPLOYMENT, deployment());
    start();
    await eventually(() => expect(physical.get(COPY)).toBeDefined());
    const first = physical.get(COPY)?.metadata?.uid;
    physical.put(COPY, undefined);
    await eventually(() => expect(physical.get(COPY)).toBeDefined());
    expect(physical.get(COPY)?.metadata?.uid).not.toBe(first);
    // What is told of the copy now says nothing: its namespace is not known any more.
    physical.put(NAMESPACE, undefined);
    physical.put(COPY, undefined);
    await eventually(() => expect(physical.get(COPY)).toBeDefined());
  });

  test('brings the root certificate of a workspace down under another name, and takes none for it', async () => {
    const { kcp, physical, said, start } = world();
    kcp.put(`${SHOP}/configmaps/kube-root-ca.crt`, labelled('Sync', { data: { 'ca.crt': 'kcp' } }));
    kcp.put(`${SHOP}/configmaps/kcp-root-ca.crt`, labelled('Sync', { data: { 'ca.crt': 'forged' } }));
    start();
    await eventually(() =>
      expect(physical.get(`${NAMESPACE}/configmaps/kcp-root-ca.crt`)).toMatchObject({ data: { 'ca.crt': 'kcp' } }),
    );
    await quiet(kcp, physical);
    expect(physical.get(`${NAMESPACE}/configmaps/kcp-root-ca.crt`)).toMatchObject({ data: { 'ca.crt': 'kcp' } });
    expect(said.join()).toContain('is not synced: downstream, kcp-root-ca.crt is the copy of kube-root-ca.crt');
  });

  test('writes a status again that somebody has taken from the object', async () => {
    const { kcp, physical, start } = world();
    kcp.put(DEPLOYMENT, deployment());
    start();
    await eventually(() => expect(physical.get(COPY)).toBeDefined());
    physical.change(COPY, object => ({ ...object, status: { readyReplicas: 2 } }));
    await eventually(() => expect(kcp.get(DEPLOYMENT)?.status).toEqual({ readyReplicas: 2 }));
    await quiet(kcp, physical);
    kcp.change(DEPLOYMENT, ({ status: _status, metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, annotations: { 'kcp.io/cluster': 'c1' } },
    }));
    await eventually(() => expect(kcp.get(DEPLOYMENT)?.status).toEqual({ readyReplicas: 2 }));
  });

  test('deletes, when it starts, what went upstream while it was away', async () => {
    const { kcp, physical, start } = world();
    kcp.put(DEPLOYMENT, deployment());
    const first = start();
    await eventually(() => expect(physical.get(COPY)).toBeDefined());
    await first.stop();
    kcp.put(DEPLOYMENT, undefined);
    const second = start();
    await eventually(() => expect(physical.get(COPY)).toBeUndefined());
    await second.stop();
    kcp.put(SHOP, undefined);
    start();
    await eventually(() => expect(physical.get(NAMESPACE)).toBeUndefined());
  });

  test('deletes the namespace downstream after the one upstream', async () => {
    const { kcp, physical, start } = world();
    kcp.put(DEPLOYMENT, deployment());
    start();
    await eventually(() => expect(physical.get(COPY)).toBeDefined());
    kcp.change(SHOP, object => ({ ...object, metadata: { ...object.metadata, labels: {} } }));
    await quiet(kcp, physical);
    // Something of it is still synced.
    expect(physical.get(NAMESPACE)).toBeDefined();
    kcp.put(DEPLOYMENT, undefined);
    await eventually(() => expect(physical.get(NAMESPACE)).toBeUndefined());
  });

  test('deletes the namespace downstream that had nothing in it any more', async () => {
    const { kcp, physical, start } = world();
    kcp.put(DEPLOYMENT, deployment());
    start();
    await eventually(() => expect(physical.get(COPY)).toBeDefined());
    kcp.put(DEPLOYMENT, undefined);
    await eventually(() => expect(physical.get(COPY)).toBeUndefined());
    await quiet(kcp, physical);
    expect(physical.get(NAMESPACE)).toBeDefined();
    kcp.put(SHOP, undefined);
    await eventually(() => expect(physical.get(NAMESPACE)).toBeUndefined());
  });

  test('converges through failures and restarts at any moment', async () => {
    const { kcp, physical, start } = world();
    kcp.put(DEPLOYMENT, deployment());
    let count = 0;
    const everyThird = (method: string, path: string): 'lost' | 500 | undefined => {
      if (method === 'GET' || path.endsWith('reviews')) return undefined;
      count += 1;
      return count % 3 === 0 ? (count % 2 === 0 ? 'lost' : 500) : undefined;
    };
    kcp.fault = everyThird;
    physical.fault = everyThird;
    for (let i = 0; i < 8; i += 1) {
      const syncer = start();
      await new Promise(resolve => setTimeout(resolve, 25));
      await syncer.stop();
    }
    start();
    await eventually(() => expect(physical.get(COPY)).toBeDefined());
    physical.change(COPY, object => ({ ...object, status: { readyReplicas: 2 } }));
    await eventually(() => expect(kcp.get(DEPLOYMENT)?.status).toEqual({ readyReplicas: 2 }));
    kcp.change(DEPLOYMENT, leaving);
    await eventually(() => expect(kcp.get(DEPLOYMENT)?.metadata?.finalizers ?? []).toEqual([]));
    expect(physical.get(COPY)).toBeUndefined();
  });

  test('leaves no connection open when it ends', async () => {
    const { kcp, physical, start } = world();
    const syncer = start();
    await eventually(() => expect(kcp.openStreams).toBeGreaterThan(3));
    await syncer.stop();
    expect([kcp.openStreams, physical.openStreams]).toEqual([0, 0]);
    await expect(syncer.ended).resolves.toBeUndefined();
  });
});

describe('the SyncTarget of a syncer', () => {
  test('has to have the uid that is asked for', async () => {
    const { start } = world();
    await expect(start('another').ended).rejects.toThrow('the SyncTarget "west" has the uid uid-of-west, not another');
  });

  test('has to be there', async () => {
    const { kcp, start } = world();
    kcp.put(SYNC_TARGET, undefined);
    await expect(start().ended).rejects.toThrow('there is no SyncTarget "west"');
  });

  test('ends it when it is deleted', async () => {
    const { kcp, physical, start } = world();
    const { ended } = start();
    const ending = expect(ended).rejects.toThrow('there is no SyncTarget "west" (any more)');
    await eventually(() => expect(physical.openStreams).toBeGreaterThan(1));
    kcp.put(SYNC_TARGET, undefined);
    await ending;
  });

  test('may have no URLs yet, and others later', async () => {
    const { kcp, second, physical, start, publish } = world();
    publish();
    kcp.put(DEPLOYMENT, deployment());
    second.put(SHOP.replace('c1', 'c2'), { metadata: { labels: { [STATE]: 'Sync' } } });
    second.put(DEPLOYMENT.replace('c1', 'c2'), deployment(5));
    start();
    await eventually(() => expect(physical.openStreams).toBeGreaterThan(0));
    publish('https://kcp.test');
    await eventually(() => expect(physical.list('deployments')).toHaveLength(1));
    publish('https://kcp.test', 'https://second.test');
    await eventually(() => expect(physical.list('deployments')).toHaveLength(2));
    // A shard that is not published says nothing of its objects: they stay.
    publish('https://kcp.test');
    await quiet(kcp, second, physical);
    expect(physical.list('deployments')).toHaveLength(2);
    expect(physical.list('namespaces')).toHaveLength(2);
    expect(physical.get(NAMESPACE)?.metadata?.name).toBe(SHOP_DOWNSTREAM);
  });
});
