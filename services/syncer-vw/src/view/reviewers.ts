import { createReviewer, type Reviewer, type ReviewerOptions } from '@kcp-vw/shared/authz/reviewer.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { type Connections, exportUrl, type KnownExport, type KnownSyncTarget, type Shards } from '../knowledge/knowledge.ts';

export interface ReviewersOptions extends Pick<ReviewerOptions, 'allowTTL' | 'denyTTL' | 'onResult'> {
  readonly connections: Pick<Connections, 'at'>;
  readonly shards: Pick<Shards, 'bases' | 'onChange'>;
  /** The export of SyncTargets, whose claim lets reviews be made where it is bound; undefined: not known yet. */
  readonly workload: () => Pick<KnownExport, 'cluster' | 'name'> | undefined;
}

/** Longer than this nobody keeps what he may no more. */
const MOST_SECONDS = 10;

/** Who is asked, in the logical cluster of a SyncTarget, whether somebody may sync it: one for each shard, which remembers what it was told. */
export function targetReviewers(options: ReviewersOptions): (target: Pick<KnownSyncTarget, 'base'>) => Reviewer | undefined {
  const { connections, shards, workload, allowTTL, denyTTL, onResult } = options;
  const reviewers = new Map<string, { readonly base: string; readonly reviewer: Reviewer }>();

  shards.onChange(() => {
    const bases = new Set(shards.bases().values());
    for (const [url, { base }] of reviewers) if (!bases.has(base)) reviewers.delete(url);
  });

  return ({ base }) => {
    const exported = workload();
    if (exported === undefined) return undefined;
    const url = exportUrl(base, exported);
    const known = reviewers.get(url);
    if (known) return known.reviewer;
    const reviewer = createReviewer({
      upstream: upstreamOf(connections, url),
      basePath: '',
      allowTTL: Math.min(allowTTL, MOST_SECONDS),
      denyTTL: Math.min(denyTTL, MOST_SECONDS),
      ...(onResult && { onResult }),
    });
    reviewers.set(url, { base, reviewer });
    return reviewer;
  };
}

/** Looked up for each request: connections end when a shard goes, and begin anew when it is back. */
const upstreamOf = (connections: Pick<Connections, 'at'>, url: string): Upstream => ({
  name: url,
  dispatch: (request, handler) => connections.at(url, 'control').dispatch(request, handler),
  stats: () => connections.at(url, 'control').stats(),
  close: async () => undefined,
});
