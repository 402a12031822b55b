import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import type { ServiceContext, ServiceDefinition } from '@kcp-vw/shared/view/service.ts';
import type { View } from '@kcp-vw/shared/view/view.ts';
import { type CacheServer, type Feed, startFeed } from './feed/feed.ts';
import type { WorkspaceIndex } from './index/snapshot.ts';
import { createWorkspaceIndex } from './index/workspace-index.ts';
import { createKnowledge } from './knowledge.ts';
import { createIndexSource } from './sight/index-source.ts';
import { createReviewSource } from './sight/review-source.ts';
import type { ReviewerOf } from './sight/review-target.ts';
import { shardReviewers } from './sight/shard-reviewers.ts';
import type { AccessSource } from './sight/sight.ts';
import { followTenancyApi } from './tenancy-api.ts';
import { workspacesView } from './workspaces-view.ts';
import type { PassOnDependencies } from './writes/pass-on.ts';

/** The view `workspaces`, over all shards: one set serves it for any of them. */
export const workspacesService: ServiceDefinition = { name: 'workspaces-vw', start };

const MOST_ALLOW_SECONDS = 4;
const MOST_DENY_SECONDS = 1;

const CACHED = '/services/cache/shards/*/clusters/*';

async function start(context: ServiceContext): Promise<readonly View[]> {
  const index = createWorkspaceIndex({
    onMountShut: parent => context.log.warn({ parent }, 'a logical cluster has more mounts than are shown'),
  });
  const cache = await connectCache(context);
  const feed = await startFeed(context, index, { cache });
  const api = followTenancyApi(context, cache);
  const reviewerOf = reviewers(context, feed);
  const view = workspacesView({
    index,
    api,
    access: accessSource(context, index, reviewerOf),
    mayCreate: creationReview(index, reviewerOf),
    knowledge: createKnowledge(index, feed.freshness),
    upstreamOf: feed.upstreamOf,
    rootShard: feed.rootShard,
    ready: {
      workspaces: () => feed.ready(),
      'workspaces-api': () => (api.resources() ? undefined : 'the API of workspaces has not been read yet'),
    },
  });
  return [view];
}

/** Without a cache server of its own the shard has one embedded. */
async function connectCache(context: ServiceContext): Promise<CacheServer> {
  const { options, control } = context;
  const own = options.cacheKubeconfig ? await context.connect(options.cacheKubeconfig, 'cache') : undefined;
  return { upstream: own ?? control, path: path => `${own?.basePath ?? ''}${CACHED}${path}` };
}

/** Who is asked what kcp decides for a caller, for each shard. */
const reviewers = ({ options, metrics }: ServiceContext, feed: Feed): ReviewerOf =>
  shardReviewers(feed.controlOf, {
    // A refusal that is kept hides from a creator what has just become his; a yes that outlives the next review is none.
    allowTTL: Math.min(options.authorizationAllowTTL, MOST_ALLOW_SECONDS),
    denyTTL: Math.min(options.authorizationDenyTTL, MOST_DENY_SECONDS),
    onResult: result => metrics.accessReview(result),
  });

/** RBAC says who may enter, unless a webhook of the shards says more. */
function accessSource({ options, log, onStop }: ServiceContext, index: WorkspaceIndex, reviewerOf: ReviewerOf): AccessSource {
  if (options.workspaceAccess === 'rbac') return createIndexSource(index);
  const source = createReviewSource({ index, reviewerOf, log });
  onStop(() => source.stop());
  return source;
}

const creationReview =
  (index: WorkspaceIndex, reviewerOf: ReviewerOf): PassOnDependencies['mayCreate'] =>
  async (caller, cluster) => {
    const reviewer = reviewerOf(index.entrance(cluster)?.shard ?? '');
    if (reviewer === undefined) throw serviceUnavailable(`the shard of ${cluster} cannot be asked now`);
    const resource = { group: 'tenancy.kcp.io', version: 'v1alpha1', resource: 'workspaces', verb: 'create' };
    return (await reviewer.review(cluster, { user: caller, resource })).allowed;
  };
