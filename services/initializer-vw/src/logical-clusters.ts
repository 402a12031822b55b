import { statusOf } from '@kcp-vw/shared/answer/relay.ts';
import type { Informer } from '@kcp-vw/shared/informer/informer.ts';
import { internalError } from '@kcp-vw/shared/kube/errors.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import { type Upstream, UpstreamError } from '@kcp-vw/shared/upstream/upstream.ts';
import type { LogicalCluster } from './lifecycle.ts';

export const LOGICAL_CLUSTERS_PATH = '/apis/core.kcp.io/v1alpha1/logicalclusters';

/** The shard's LogicalClusters: one read live, and all of them followed for changes. */
export interface LogicalClusters {
  /** The logical cluster as the shard has it now; undefined when this shard has none of that name. Throws a StatusError. */
  read(cluster: string): Promise<LogicalCluster | undefined>;
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

export function followLogicalClusters(shard: Upstream, informer: Informer<LogicalCluster>): LogicalClusters {
  const read = async (cluster: string): Promise<LogicalCluster | undefined> => {
    try {
      const path = `/clusters/${encodeURIComponent(cluster)}${LOGICAL_CLUSTERS_PATH}/cluster`;
      const { status, body } = await requestJson<LogicalCluster>(shard, { method: 'GET', path });
      if (status === 200) return body;
      if (NOT_HERE.includes(status)) return undefined;
      throw internalError(`the shard answered ${status} for the LogicalCluster ${cluster}`);
    } catch (error) {
      throw error instanceof UpstreamError ? statusOf(error, shard) : error;
    }
  };

  return {
    read,
    whenNot(since, still, then) {
      const cluster = clusterOf(since);
      let following = true;
      const stop = (): void => {
        following = false;
        unsubscribe();
      };
      const check = (current: LogicalCluster | undefined): void => {
        if (!following || (current !== undefined && (isOlder(current, since) || still(current)))) return;
        stop();
        then();
      };
      const unsubscribe = informer.onEvent(event => {
        if (clusterOf(event.object) !== cluster) return;
        check(event.type === 'DELETED' ? undefined : event.object);
      });
      const known = informer.get(cluster, 'cluster');
      if (known !== undefined) check(known);
      // Not seen yet, or seen and already gone: only the shard can tell.
      else read(cluster).then(check, () => check(undefined));
      return stop;
    },
  };
}

/** 404: no such logical cluster or not this shard's; 403: kcp's answer for a path it cannot resolve; 429: it is another shard's. */
const NOT_HERE = [403, 404, 429];

/** Versions of one shard's store are comparable numbers. */
function isOlder(current: LogicalCluster, since: LogicalCluster): boolean {
  return BigInt(current.metadata?.resourceVersion ?? 0) < BigInt(since.metadata?.resourceVersion ?? 0);
}
