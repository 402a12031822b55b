import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type Client, isRefused } from './client.ts';
import type { Downstream } from './downstream.ts';
import { isGoneUpstream } from './gone.ts';
import { type Locator, SHARD_ANNOTATION } from './names.ts';
import { ownLocator, type Syncer } from './namespaces.ts';
import { NAMESPACES, objectPath } from './resources.ts';

/** What the cleaner asks of one shard's virtual workspaces. */
export interface ShardNamespaces {
  /** Of its virtual workspaces. */
  readonly shard: string;
  readonly views: Pick<Informer<KubeObject>, 'get' | 'synced' | 'status'>;
  readonly upstream: Client;
  /** Whether any object of the namespace is still to be synced. */
  hasObjects(locator: Locator): boolean;
}

export interface NamespaceCleaner {
  readonly syncer: Syncer;
  readonly downstream: Pick<Downstream, 'client' | 'namespaces'>;
  readonly shards: () => Iterable<ShardNamespaces>;
}

/**
 * Deletes a downstream namespace that has no upstream any more. Every doubt keeps it, for everything in it goes with it: only the shard that
 * it comes from can say that it is gone, and only when it answers; one that is not published any more says nothing.
 */
export async function cleanNamespace(name: string, { syncer, downstream, shards }: NamespaceCleaner): Promise<void> {
  const namespace = downstream.namespaces.find('', name);
  if (namespace === undefined || namespace.metadata?.deletionTimestamp) return;
  const locator = ownLocator(syncer, namespace);
  if (locator === undefined) return;
  const all = [...shards()];
  const home = all.find(({ shard }) => shard === namespace.metadata?.annotations?.[SHARD_ANNOTATION]);
  if (home === undefined) return;
  const { cluster, namespace: upstreamName } = locator;
  for (const one of all) {
    if (!one.views.synced() || !one.views.status.connected) throw new Error(`${one.shard} does not say what is there`);
    if (one.views.get(cluster, upstreamName) || one.hasObjects(locator)) return;
  }
  if (!(await isGoneUpstream(home.upstream, NAMESPACES, { cluster, namespace: '', name: upstreamName }))) return;
  try {
    const { uid } = namespace.metadata ?? {};
    await downstream.client.send('DELETE', objectPath(NAMESPACES, '', name), { preconditions: { uid } });
  } catch (error) {
    if (!isRefused(error, 404, 409)) throw error;
  }
}
