import { createReviewer, type Reviewer, type ReviewerOptions } from '@kcp-vw/shared/authz/reviewer.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { ReviewerOf } from './review-target.ts';

/** For each shard somebody who reviews in its logical clusters, with what he has been told lately; a shard that is connected anew has another. */
export function shardReviewers(
  controlOf: (shard: string) => Upstream | undefined,
  options: Omit<ReviewerOptions, 'upstream' | 'basePath'>,
): ReviewerOf {
  const reviewers = new WeakMap<Upstream, Reviewer>();
  return shard => {
    const upstream = controlOf(shard);
    if (upstream === undefined) return undefined;
    const known = reviewers.get(upstream);
    if (known) return known;
    const reviewer = createReviewer({ ...options, upstream, basePath: '' });
    reviewers.set(upstream, reviewer);
    return reviewer;
  };
}
