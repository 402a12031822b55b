/** Test equipment: a syncer between a kcp and a physical cluster, both in memory. */
import { afterEach } from '@jest/globals';
import type { ClusterAccess } from '@kcp-vw/shared/config/cluster-access.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { SyncTarget } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import { syncTargetKey } from '@kcp-vw/syncer-vw/transform/sync-target-key.ts';
import { FakeCluster, type FakeClusterOptions } from './fake-cluster.fixture.ts';
import { namespaceFor, type Syncer } from './namespaces.ts';
import { runSyncer } from './syncer.ts';

const target = { cluster: 'st', name: 'west', uid: 'uid-of-west' };
export const KEY = syncTargetKey(target);
export const SYNCER: Syncer = { target, key: KEY };
export const SYNC_TARGET = '/clusters/st/apis/workload.kcp.io/v1alpha1/synctargets/west';
export const STATE = `state.workload.kcp.io/${KEY}`;
export const FINALIZER = `workload.kcp.io/syncer-${KEY}`;
export const DELETION = `deletion.internal.workload.kcp.io/${KEY}`;

/** The namespace `shop` of the logical cluster `c1`. */
export const SHOP = '/clusters/c1/api/v1/namespaces/shop';
export const SHOP_DOWNSTREAM = namespaceFor(SYNCER, { cluster: 'c1', namespace: 'shop' });
export const NAMESPACE = `/api/v1/namespaces/${SHOP_DOWNSTREAM}`;
export const DEPLOYMENT = '/clusters/c1/apis/apps/v1/namespaces/shop/deployments/web';
export const COPY = `/apis/apps/v1/namespaces/${SHOP_DOWNSTREAM}/deployments/web`;

const CORE = ['namespaces', 'configmaps', 'secrets', 'pods', 'persistentvolumes'].map(name => ({
  name,
  namespaced: name !== 'namespaces' && name !== 'persistentvolumes',
}));
export const SERVES = { '/api/v1': CORE, '/apis/apps/v1': [{ name: 'deployments', namespaced: true }] };

const BASE = 'https://kcp.test';
const entryAt = (base: string) => {
  const path = `${target.cluster}/${target.name}/${target.uid}`;
  return { syncerURL: `${base}/services/syncer/${path}`, upsyncerURL: `${base}/services/upsyncer/${path}` };
};

export const listed = (group: string, resource: string, state?: 'Accepted') => ({
  ...{ group, resource, versions: ['v1'], identityHash: 'h' },
  ...(state && { state }),
});

export const deployment = (replicas = 2): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { labels: { app: 'web', [STATE]: 'Sync' } },
  spec: { replicas, template: { spec: { serviceAccountName: 'x', containers: [{ name: 'web' }] } } },
});

/** Asks for it to leave the SyncTarget, as kcp's scheduler does. */
export const leaving = ({ metadata, ...rest }: KubeObject): KubeObject => ({
  ...rest,
  metadata: { ...metadata, annotations: { ...metadata?.annotations, [DELETION]: '2026-01-01T00:00:00Z' } },
});

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

export function world(options: FakeClusterOptions = {}) {
  const kcp = new FakeCluster({ key: KEY });
  const second = new FakeCluster({ key: KEY });
  const physical = new FakeCluster({ serves: SERVES, ...options });
  const syncTarget: SyncTarget = {
    metadata: { uid: target.uid },
    status: {
      virtualWorkspaces: [entryAt(BASE)],
      syncedResources: [listed('apps', 'deployments'), listed('', 'persistentvolumes'), listed('', 'pods')],
    },
  };
  kcp.put(SYNC_TARGET, syncTarget);
  kcp.put(SHOP, { metadata: { labels: { [STATE]: 'Sync' } } });
  const said: string[] = [];
  const server =
    ({ server: { host } }: ClusterAccess) =>
    (url: URL) =>
      ({ 'kcp.test': kcp, 'second.test': second })[host === 'physical.test' ? host : url.host] ?? physical;
  const access = (url: string): ClusterAccess => ({ file: '', context: '', files: [], server: new URL(url) });

  /** The process: what `stop` ends it takes nothing along. */
  function start(uid?: string, wanted?: readonly string[]) {
    const stopping = new AbortController();
    const ended = runSyncer({
      access: access(`${BASE}/clusters/st`),
      downstreamAccess: access('https://physical.test/'),
      ...{ name: target.name, uid, heartbeat: 20_000, signal: stopping.signal },
      wanted: wanted && new Set(wanted),
      connect: of => url => server(of)(url).connect(),
      say: text => void said.push(text),
    });
    const stop = async (): Promise<void> => {
      stopping.abort();
      await ended.catch(() => undefined);
    };
    running.push(stop);
    return { ended, stop };
  }
  const publish = (...bases: readonly string[]): void =>
    kcp.change(SYNC_TARGET, object => ({
      ...object,
      status: { ...(object as SyncTarget).status, virtualWorkspaces: bases.map(entryAt) },
    }));
  return { kcp, second, physical, said, start, publish };
}

export async function eventually(attempt: () => void): Promise<void> {
  for (let left = 500; ; left -= 1) {
    try {
      return attempt();
    } catch (error) {
      if (left === 0) throw error;
    }
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** Until nothing has been written for a while. */
export async function quiet(...clusters: readonly FakeCluster[]): Promise<void> {
  const written = (): number => clusters.reduce((sum, { writes }) => sum + writes.length, 0);
  for (let before = -1; before !== written(); ) {
    before = written();
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}
