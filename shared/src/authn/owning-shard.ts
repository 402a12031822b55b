import { serviceUnavailable } from '../kube/errors.ts';
import { requestJson } from '../upstream/json.ts';
import { type Upstream, UpstreamError } from '../upstream/upstream.ts';
import { createReviewCache, type Reviewed } from './review-cache.ts';
import { isWorkspaceCluster } from './service-account-name.ts';
import type { Shards } from './shards.ts';

/** Seconds that a logical cluster is taken to be where it was, and not to be anywhere. */
const FOUND_FOR = 60;
const ABSENT_FOR = 5;
const TIMEOUT_MS = 10_000;

export interface OwningShard {
  /** The shard that a workspace's logical cluster is on; undefined: on none. Throws a StatusError 503 when that cannot be told now. */
  of(cluster: string): Promise<Upstream | undefined>;
}

export interface OwningShardOptions {
  readonly shards: Pick<Shards, 'all'>;
  readonly clock?: () => number;
}

/**
 * Asks all shards at once for the LogicalCluster: an index of all of them would be kept for the few whose service accounts come by. Which
 * shard it was is remembered by name, so that one that has moved or gone is asked for again.
 */
export function createOwningShard({ shards, clock }: OwningShardOptions): OwningShard {
  // Kept are at most as many as a review cache holds.
  const cache = createReviewCache<string | undefined>({ plainKeys: true, ...(clock && { clock }) });

  async function find(cluster: string): Promise<Reviewed<string | undefined>> {
    const { known, isComplete } = await shards.all();
    const answers = await Promise.all([...known].map(async ([name, shard]) => ({ name, answer: await ask(shard, cluster) })));
    const owner = answers.find(({ answer }) => answer === 'here');
    if (owner) return { answer: owner.name, ttl: FOUND_FOR };
    // It may be on the one that has not answered: absent is what all of them say.
    if (!isComplete || answers.some(({ answer }) => answer === 'unknown')) {
      throw serviceUnavailable('a service account cannot be looked up now: not every shard can be reached');
    }
    return { answer: undefined, ttl: ABSENT_FOR };
  }

  return {
    async of(cluster) {
      // The name comes out of a token and becomes part of a path.
      if (!isWorkspaceCluster(cluster)) return undefined;
      const name = await cache.get(cluster, () => find(cluster));
      if (name === undefined) return undefined;
      const shard = (await shards.all()).known.get(name);
      if (shard === undefined) throw serviceUnavailable(`a service account cannot be looked up now: shard ${name} has gone`);
      return shard;
    },
  };
}

/** A shard says of a logical cluster that it has not: 404 to masters, 403 to others. */
async function ask(shard: Upstream, cluster: string): Promise<'here' | 'elsewhere' | 'unknown'> {
  const path = `/clusters/${cluster}/apis/core.kcp.io/v1alpha1/logicalclusters/cluster`;
  try {
    const { status } = await requestJson<unknown>(shard, { method: 'GET', path, timeout: TIMEOUT_MS });
    if (status === 200) return 'here';
    return status === 404 || status === 403 ? 'elsewhere' : 'unknown';
  } catch (error) {
    // What is wrong with the shard is told by whoever keeps it; here it only leaves the question open.
    if (error instanceof UpstreamError) return 'unknown';
    throw error;
  }
}
