import { statusOf } from '@kcp-vw/shared/answer/relay.ts';
import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import { internalError } from '@kcp-vw/shared/kube/errors.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import { type Upstream, UpstreamError } from '@kcp-vw/shared/upstream/upstream.ts';
import type { LogicalCluster } from './lifecycle.ts';
import { recentReads, sharedReads } from './reads.ts';

export const LOGICAL_CLUSTERS_PATH = '/apis/core.kcp.io/v1alpha1/logicalclusters';

/** The shard's LogicalClusters: one read, and all of them followed for changes. */
export interface LogicalClusters {
  /**
   * The logical cluster as the shard had it at most `READ_LIFETIME` ago, with no change seen since; undefined when this shard has none
   * of that name. Throws a StatusError.
   */
  read(cluster: string): Promise<LogicalCluster | undefined>;
  /** A caller is about to change it: what follows in this process sees the change. */
  changing(cluster: string): void;
  /**
   * Calls `then` once, as soon as the logical cluster, at `since` or later, is no longer `still` or is gone.
   * Returns how to stop following it.
   */
  whenNot(since: LogicalCluster, still: (current: LogicalCluster) => boolean, then: () => void): () => void;
}

/** Only what `isPending` looks at is kept of each logical cluster. */
export function slimLogicalCluster(cluster: LogicalCluster): LogicalCluster {
  const { name, uid, resourceVersion, deletionTimestamp } = cluster.metadata ?? {};
  const { phase, initializers, terminators } = cluster.status ?? {};
  return {
    metadata: {
      ...(name !== undefined && { name }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(deletionTimestamp && { deletionTimestamp }),
      annotations: { 'kcp.io/cluster': clusterOf(cluster) },
    },
    status: { ...(phase !== undefined && { phase }), initializers, terminators },
  };
}

/** Milliseconds that a read counts for while no change is seen. It bounds what a broken watch can hide. */
const READ_LIFETIME = 1_000;

/** Milliseconds between two looks at whether changes still come in. */
const LOOK_MS = 10_000;

/** `onStop` registers what ends with the service. */
export function followLogicalClusters(
  shard: Upstream,
  informer: Informer<LogicalCluster>,
  onStop: (stop: () => void) => void,
): LogicalClusters {
  const readNow = async (cluster: string): Promise<LogicalCluster | undefined> => {
    try {
      const path = `/clusters/${encodeURIComponent(cluster)}${LOGICAL_CLUSTERS_PATH}/cluster`;
      const { status, body } = await requestJson<LogicalCluster>(shard, { method: 'GET', path });
      // Frozen: one object is read by many requests.
      if (status === 200) return Object.freeze(body);
      if (NOT_HERE.includes(status)) return undefined;
      throw internalError(`the shard answered ${status} for the LogicalCluster ${cluster}`);
    } catch (error) {
      throw error instanceof UpstreamError ? statusOf(error, shard) : error;
    }
  };

  const live = sharedReads(readNow);
  const recent = recentReads(live, READ_LIFETIME);
  onStop(informer.onEvent(({ object }) => recent.forget(clusterOf(object))));
  const followers = new Set<Follower>();
  /** The shard decides where the informer cannot; where it cannot say either, access ends. */
  const ask = (follower: Follower): void => {
    const gone = (): void => follower.check(undefined);
    live(follower.cluster).then(follower.check, gone).catch(gone);
  };
  // While no changes come in, an access that has ended would go on.
  const timer = setInterval(() => {
    if (!informer.status.connected) for (const follower of [...followers]) ask(follower);
  }, LOOK_MS);
  timer.unref();
  onStop(() => clearInterval(timer));

  return {
    read: recent.read,
    changing: recent.suspend,
    whenNot(since, still, then) {
      const cluster = clusterOf(since);
      const follower: Follower = {
        cluster,
        check(current) {
          if (!followers.has(follower) || (current !== undefined && (isOlder(current, since) || still(current)))) return;
          stop();
          then();
        },
      };
      const unsubscribe = informer.onEvent(event => {
        if (clusterOf(event.object) === cluster) follower.check(event.type === 'DELETED' ? undefined : event.object);
      });
      const stop = (): void => {
        followers.delete(follower);
        unsubscribe();
      };
      followers.add(follower);
      const known = informer.get(cluster, 'cluster');
      if (known !== undefined) follower.check(known);
      // Not seen yet, or seen and already gone.
      else ask(follower);
      return stop;
    },
  };
}

/** An access that is to end with the state that granted it. */
interface Follower {
  readonly cluster: string;
  /** Ends it if the logical cluster is now as it must not be; undefined: it is gone. */
  readonly check: (current: LogicalCluster | undefined) => void;
}

/** 404: no such logical cluster; 400: no name of one; 403: a path that cannot be resolved; 429: it is another shard's. */
const NOT_HERE = [400, 403, 404, 429];

/** Versions of one shard's store are comparable numbers. What is none is taken for newer: it decides. */
function isOlder(current: LogicalCluster, since: LogicalCluster): boolean {
  const [now, then] = [current, since].map(({ metadata }) => metadata?.resourceVersion);
  return isVersion(now) && isVersion(then) && BigInt(now) < BigInt(then);
}

const isVersion = (text: string | undefined): text is string => text !== undefined && /^\d+$/.test(text);
