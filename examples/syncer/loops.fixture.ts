/** Test equipment: what a loop sees, which may be behind what its servers have. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { createApply } from './apply.ts';
import { createClient } from './client.ts';
import { FakeCluster, type FakeClusterOptions } from './fake-cluster.fixture.ts';
import { locatorText, OWNER_LABEL, SHARD_ANNOTATION } from './names.ts';
import { locatorFor } from './namespaces.ts';
import type { Place, Resource } from './resources.ts';
import { DEPLOYMENT, KEY, NAMESPACE, SHOP, STATE, SYNCER } from './syncer.fixture.ts';

export const DEPLOYMENTS: Resource = { group: 'apps', version: 'v1', resource: 'deployments' };
export const WEB: Place = { cluster: 'c1', namespace: 'shop', name: 'web' };
export const SHARD = 'https://kcp.test';
const VIEW_PATH = '/st/west/uid-of-west';

/** Of the namespace `shop`. */
export const locator = locatorText(locatorFor(SYNCER, WEB));
export const ownNamespace = (annotations: Record<string, string> = {}): KubeObject => ({
  metadata: {
    labels: { [OWNER_LABEL]: KEY },
    annotations: { 'kcp.io/namespace-locator': locator, [SHARD_ANNOTATION]: SHARD, ...annotations },
  },
});

export function parts(options: FakeClusterOptions = {}) {
  const kcp = new FakeCluster({ key: KEY });
  const physical = new FakeCluster(options);
  kcp.put(SHOP, { metadata: { labels: { [STATE]: 'Sync' } } });
  const client = createClient(physical.connect(), '/');
  const clientOf = (view: string) => createClient(kcp.connect(), `/services/${view}${VIEW_PATH}`);
  const views = new Map<string, KubeObject>();
  return {
    kcp,
    physical,
    syncer: SYNCER,
    shard: SHARD,
    kcpURL: new URL(SHARD),
    client,
    upstream: clientOf('syncer'),
    upsyncUpstream: clientOf('upsyncer'),
    apply: createApply(client),
    views: { get: (cluster: string, name: string, namespace = '') => views.get(`${cluster}/${namespace}/${name}`) },
    downstream: { client, namespaces: found(physical, '/api/v1/namespaces/') },
    /** The loop sees what is there now. */
    async see(): Promise<void> {
      views.clear();
      const view = await clientOf('syncer').find<KubeObject>(DEPLOYMENT);
      if (view) views.set('c1/shop/web', view);
    },
  };
}

/** Without the time that a watch takes. */
function found(physical: FakeCluster, path: string) {
  const find = (_namespace: string, name: string): KubeObject | undefined => physical.get(`${path}${name}`);
  return { find, list: () => physical.list('namespaces'), onEvent: () => () => undefined, whenSynced: async () => undefined };
}

export const inShop = (name: string): string => `${NAMESPACE}/${name}`;
