import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { resourceKey } from '../store/definition.ts';
import type { CacheServer } from './cache-server.ts';
import type { StoreReader } from './loopback.ts';
import {
  API_CONVERSIONS,
  API_EXPORT_ENDPOINT_SLICES,
  API_EXPORTS,
  API_RESOURCE_SCHEMAS,
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  LOGICAL_CLUSTERS,
  SHARDS,
  WORKSPACE_TYPES,
} from './refs.ts';
import { isMarked } from './replication-marks.ts';
import { WorkQueue } from './work-queue.ts';

const always = (): boolean => true;

/** What goes to the cache: the kind, and which of its objects. */
const REPLICATED: ReadonlyMap<string, (object: KubeObject) => boolean> = new Map(
  [
    ...[API_CONVERSIONS, API_EXPORTS, API_EXPORT_ENDPOINT_SLICES, API_RESOURCE_SCHEMAS, SHARDS, WORKSPACE_TYPES].map(
      ref => [ref, always] as const,
    ),
    ...[CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, LOGICAL_CLUSTERS].map(ref => [ref, isMarked] as const),
  ].map(([ref, isMeant]) => [resourceKey(ref), isMeant]),
);

export interface ReplicationOptions {
  readonly shardName: string;
  readonly objects: StoreReader;
  readonly cache: CacheServer;
  /** Milliseconds that the cache lags behind. */
  readonly delay: number;
  readonly onError: (error: unknown, what: string) => void;
}

/** Copies to the cache what every shard must know of this one. Returns how to stop it. */
export function startReplication({ shardName, objects, cache, delay, onError }: ReplicationOptions): () => void {
  const queue = new WorkQueue(
    key => {
      const [resource = '', cluster = '', ...name] = key.split('|');
      replicate(resource, cluster, name.join('|'));
    },
    { delay, onError: (error, key) => onError(error, `replication of ${key}`) },
  );
  const stopListening = objects.store.onChange(({ resource, cluster, name }) => {
    if (REPLICATED.has(resource) && !cluster.startsWith('system:')) queue.add(`${resource}|${cluster}|${name}`);
  });
  return () => {
    stopListening();
    queue.stop();
  };

  function replicate(resource: string, cluster: string, name: string): void {
    const [group = '', plural = ''] = resource.split('/');
    const ref = { group, resource: plural };
    const object = objects.get(ref, cluster, name);
    if (object === undefined || REPLICATED.get(resource)?.(object) !== true) cache.remove(shardName, ref, cluster, name);
    else if (!object.metadata?.deletionTimestamp) cache.put(shardName, ref, cluster, object);
    // What is being deleted but held stays as it was.
    else if ((object.metadata.finalizers ?? []).length === 0) cache.remove(shardName, ref, cluster, name);
  }
}
