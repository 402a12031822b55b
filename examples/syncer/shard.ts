import { createInformer, type Informer } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Apply } from './apply.ts';
import { createClient } from './client.ts';
import type { Downstream } from './downstream.ts';
import { BY_NAMESPACE, byNamespace, namespaceKey } from './loops.ts';
import type { Locator } from './names.ts';
import type { ShardNamespaces } from './namespace-cleaner.ts';
import type { Syncer } from './namespaces.ts';
import { collectionPath, isSame, NAMESPACES, type Resource, textOf } from './resources.ts';
import { startSync } from './sync-resource.ts';
import { startUpsync } from './upsync-resource.ts';

/** What is synced with the shards now. */
export interface SyncedResources {
  /** From upstream to downstream; namespaces are not among them. */
  readonly synced: readonly Resource[];
  readonly upsynced: readonly Resource[];
}

export interface ShardOptions {
  readonly syncerURL: URL;
  readonly upsyncerURL: URL;
  readonly syncerServer: Upstream;
  readonly upsyncerServer: Upstream;
  readonly syncer: Syncer;
  readonly downstream: Downstream;
  readonly apply: Apply;
  readonly kcp: URL;
  /** A downstream namespace may have nothing upstream any more. */
  readonly onVacated: (cluster: string, namespace: string) => void;
  readonly say: (text: string) => void;
}

/** The controllers behind one pair of URLs, which is one shard. */
export interface Shard extends ShardNamespaces {
  readonly views: Informer<KubeObject>;
  /** Begins with resources that are new and ends with those that are not there any more. */
  setResources(resources: SyncedResources): void;
  stop(): void;
}

export function startShard(options: ShardOptions): Shard {
  const { syncerURL, upsyncerURL, syncerServer, upsyncerServer, downstream, onVacated, say } = options;
  const shard = shardOf(syncerURL);
  const upstream = createClient(syncerServer, syncerURL.pathname);
  const upsyncUpstream = createClient(upsyncerServer, upsyncerURL.pathname);
  const running = new Map<string, { readonly views?: Informer<KubeObject>; stop(): void }>();
  let upsyncsPods = false;

  const follow = (resource: Resource, url: URL, server: Upstream): Informer<KubeObject> =>
    createInformer({
      name: `${textOf(resource)} at ${url.host}`,
      upstream: server,
      path: `${url.pathname.replace(/\/+$/, '')}/clusters/*${collectionPath(resource)}`,
      indexes: { [BY_NAMESPACE]: byNamespace },
      onError: error => say(`${url.host}: ${error.message}`),
    });

  const namespaces = follow(NAMESPACES, syncerURL, syncerServer);
  namespaces.onEvent(({ type, object }) => {
    if (type === 'DELETED') onVacated(clusterOf(object), object.metadata?.name ?? '');
  });
  namespaces.start();

  function beginSync(resource: Resource): void {
    const views = follow(resource, syncerURL, syncerServer);
    const parts = { ...options, resource, views, upstream, shard, upsyncPods: () => upsyncsPods };
    const stop = startSync({ ...parts, copies: downstream.copies(resource), onVacated });
    running.set(`sync ${textOf(resource)}`, { views, stop });
  }

  function beginUpsync(resource: Resource): void {
    const stored = follow(resource, upsyncerURL, upsyncerServer);
    const objects = downstream.upsynced(resource);
    const stop = startUpsync({ ...options, resource, stored, objects, upstream: upsyncUpstream, namespaces, shard });
    running.set(`upsync ${textOf(resource)}`, { stop });
  }

  return {
    shard,
    views: namespaces,
    upstream,
    hasObjects({ cluster, namespace }: Locator) {
      const all = [...running.values()].flatMap(({ views }) => views ?? []);
      if (!all.every(views => views.synced())) throw new Error(`${shard} has not said yet what is there`);
      return all.some(views => views.byIndex(BY_NAMESPACE, namespaceKey(cluster, namespace)).length > 0);
    },
    setResources({ synced, upsynced }) {
      upsyncsPods = upsynced.some(one => isSame(one, { group: '', resource: 'pods' }));
      const wanted = new Map<string, () => void>([
        ...synced.map(one => [`sync ${textOf(one)}`, () => beginSync(one)] as const),
        ...upsynced.map(one => [`upsync ${textOf(one)}`, () => beginUpsync(one)] as const),
      ]);
      for (const [id, { stop }] of running) {
        if (wanted.has(id)) continue;
        stop();
        running.delete(id);
      }
      for (const [id, begin] of wanted) if (!running.has(id)) begin();
    },
    stop() {
      namespaces.stop();
      for (const { stop } of running.values()) stop();
      running.clear();
    },
  };
}

/** What stays the same when the SyncTarget is made again: the URL before the name of the view. */
export const shardOf = (syncerURL: URL): string => syncerURL.href.replace(/\/services\/syncer\/.*$/, '');
