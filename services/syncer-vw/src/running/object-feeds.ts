import type { BackoffOptions } from '@kcp-vw/shared/informer/backoff.ts';
import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { createInformer, type Informer, type InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Connections, Exports, Shards } from '../knowledge/knowledge.ts';
import { emptyWhereAbsent } from './empty-where-absent.ts';
import type { ErrorLog } from './error-log.ts';
import { collectionPath, objectPath, type ServedResource } from './patch.ts';
import { slimmed } from './slim.ts';
import { isNamespaces, type WantedFeed, wantedFeeds } from './wanted-feeds.ts';

/** The objects of a resource of an export on one shard, slimmed, in all logical clusters. */
export interface Feed extends WantedFeed {
  readonly upstream: Upstream;
  readonly informer: Pick<Informer<KubeObject>, 'get' | 'list' | 'byIndex' | 'synced' | 'status'>;
  /** How many objects there are. */
  readonly size: number;
}

/** An object of a feed, as work queues know it. */
export type ObjectKey = string;

export interface FedObject {
  readonly feed: Feed;
  readonly object: KubeObject;
}

export interface ObjectFeeds {
  /** What has not been read yet. */
  missing(): string | undefined;
  list(): readonly Feed[];
  /** The namespaces on the shard with this base. */
  namespaces(base: string): Feed | undefined;
  /** Undefined: it is not there any more. */
  find(key: ObjectKey): FedObject | undefined;
  /** Of one shard: what is in a namespace, and what is in a logical cluster and no namespace; the latter without the namespaces themselves. */
  inNamespace(base: string, cluster: string, namespace: string): readonly FedObject[];
  withoutNamespace(base: string, cluster: string): readonly FedObject[];
  /** Every change of an object, in the same tick. */
  onEvent(listener: (feed: Feed, event: InformerEvent<KubeObject>) => void): () => void;
  /** Called once, after everybody listens. */
  start(): void;
  stop(): void;
}

export interface ObjectFeedsOptions {
  readonly shards: Shards;
  readonly exports: Exports;
  readonly connections: Pick<Connections, 'at'>;
  readonly errors: ErrorLog;
  readonly clock?: Clock;
  readonly backoff?: BackoffOptions;
}

/** How long objects of an export are followed that no target names any more: what syncers have left on them has to go. */
export const LINGER_MS = 10 * 60_000;
const BACKOFF: BackoffOptions = { initial: 500, max: 10_000 };
/** When to ask again whether everything is known that says what to follow: nobody is told when it is. */
const MISSING_MS = 500;

const INDEXES = {
  /** By logical cluster and namespace; the namespace is empty for what is in none. */
  place: (object: KubeObject): readonly string[] => [placeOf(clusterOf(object), object.metadata?.namespace ?? '')],
};
/** Neither has a slash. */
const placeOf = (cluster: string, namespace: string): string => `${cluster}/${namespace}`;

/** What of a feed is in a logical cluster, and in no namespace. */
export const inCluster = ({ informer }: Feed, cluster: string): readonly KubeObject[] =>
  informer.byIndex('place', placeOf(cluster, ''));

/** No part has a line break. */
export const objectKey = ({ feed, object }: FedObject): ObjectKey =>
  [feed.id, clusterOf(object), object.metadata?.namespace ?? '', object.metadata?.name ?? ''].join('\n');

/** Where the object is written, at the upstream of its feed. */
export const pathOf = ({ feed, object }: FedObject): string =>
  objectPath(feed.resource, {
    cluster: clusterOf(object),
    namespace: object.metadata?.namespace,
    name: object.metadata?.name ?? '',
  });

/** For the log. */
export const describeKey = (key: ObjectKey): Readonly<Record<string, string>> => {
  const [feed = '', cluster = '', namespace = '', name = ''] = key.split('\n');
  return { feed, cluster, ...(namespace && { namespace }), object: name };
};

interface RunningFeed extends Feed {
  readonly informer: Informer<KubeObject>;
  size: number;
  cancelEnd: (() => void) | undefined;
}

/** Follows everything that is scheduled, on all shards; feeds come and go with shards and exports. */
export function createObjectFeeds(options: ObjectFeedsOptions): ObjectFeeds {
  const { shards, exports, connections, errors, clock = systemClock, backoff = BACKOFF } = options;
  const feeds = new Map<string, RunningFeed>();
  const listeners = new Set<(feed: Feed, event: InformerEvent<KubeObject>) => void>();
  const stops: (() => void)[] = [];
  let cancelAsking: (() => void) | undefined;
  let isStopped = false;

  const begin = (wanted: WantedFeed): void => {
    const upstream = connections.at(wanted.url, 'control');
    const informer = createInformer<KubeObject>({
      upstream: emptyWhereAbsent(upstream),
      path: collectionPath(wanted.resource),
      name: `${nameOf(wanted.resource)} at ${wanted.url}`,
      project: slimmed(wanted.resource),
      indexes: INDEXES,
      backoff,
      clock,
      onError: (err, attempt) => errors({ err, feed: wanted.id, attempt }, 'objects could not be read; trying again'),
    });
    const feed: RunningFeed = { ...wanted, upstream, informer, size: 0, cancelEnd: undefined };
    feeds.set(wanted.id, feed);
    informer.onEvent(event => {
      if (event.type !== 'MODIFIED') feed.size += event.type === 'ADDED' ? 1 : -1;
      for (const listener of [...listeners]) listener(feed, event);
    });
    informer.start();
  };

  const end = (id: string): void => {
    const feed = feeds.get(id);
    feed?.cancelEnd?.();
    feed?.informer.stop();
    feeds.delete(id);
  };

  const follow = (): void => {
    cancelAsking?.();
    cancelAsking = undefined;
    if (isStopped) return;
    // Until all is known, what is missing may be there.
    if (shards.missing() !== undefined || exports.missing() !== undefined) {
      cancelAsking = clock.after(MISSING_MS, follow);
      return;
    }
    const wanted = wantedFeeds(shards, exports);
    const bases = new Set(shards.bases().values());
    for (const [id, feed] of feeds) {
      if (wanted.has(id)) {
        feed.cancelEnd?.();
        feed.cancelEnd = undefined;
      } else if (!bases.has(feed.base)) end(id);
      else feed.cancelEnd ??= clock.after(LINGER_MS, () => end(id));
    }
    for (const [id, one] of wanted) if (!feeds.has(id)) begin(one);
  };

  const namespaces = (base: string): Feed | undefined => {
    for (const feed of feeds.values()) if (feed.base === base && isNamespaces(feed.resource)) return feed;
    return undefined;
  };
  const at = (base: string, place: string, isWanted: (feed: Feed) => boolean): readonly FedObject[] =>
    [...feeds.values()]
      .filter(feed => feed.base === base && isWanted(feed))
      .flatMap(feed => feed.informer.byIndex('place', place).map(object => ({ feed, object })));

  return {
    missing() {
      const whatIs = shards.missing() ?? exports.missing();
      if (whatIs !== undefined) return whatIs;
      const unread = [...feeds.values()].find(({ informer }) => !informer.synced());
      return unread && `${nameOf(unread.resource)} at ${unread.url} have not been read yet`;
    },
    list: () => [...feeds.values()],
    namespaces,
    find(key) {
      const [id = '', cluster = '', namespace = '', name = ''] = key.split('\n');
      const feed = feeds.get(id);
      const object = feed?.informer.get(cluster, name, namespace);
      return feed && object && { feed, object };
    },
    inNamespace: (base, cluster, namespace) => at(base, placeOf(cluster, namespace), feed => feed.isNamespaced),
    withoutNamespace: (base, cluster) =>
      at(base, placeOf(cluster, ''), feed => !feed.isNamespaced && !isNamespaces(feed.resource)),
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start() {
      stops.push(shards.onChange(follow), exports.onChange(follow));
      follow();
    },
    stop() {
      isStopped = true;
      cancelAsking?.();
      for (const stop of stops) stop();
      for (const id of [...feeds.keys()]) end(id);
    },
  };
}

const nameOf = ({ group, resource }: ServedResource): string => (group ? `${resource}.${group}` : resource);
