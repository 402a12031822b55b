import type { ServiceContext, ServiceDefinition } from '@kcp-vw/shared/view/service.ts';
import type { View } from '@kcp-vw/shared/view/view.ts';
import { type CacheServer, type Feed, startFeed } from './feed/feed.ts';
import type { WorkspaceIndex } from './index/snapshot.ts';
import { createWorkspaceIndex } from './index/workspace-index.ts';
import { createKnowledge } from './knowledge.ts';
import { createIndexSource } from './sight/index-source.ts';
import { createReviewSource } from './sight/review-source.ts';
import { shardReviewers } from './sight/shard-reviewers.ts';
import type { AccessSource } from './sight/sight.ts';
import { followTenancyApi } from './tenancy-api.ts';
import { workspacesView } from './workspaces-view.ts';

/** The view `workspaces`, over all shards: one set serves it for any of them. */
export const workspacesService: ServiceDefinition = { name: 'workspaces-vw', start };

const MOST_ALLOW_SECONDS = 4;
const MOST_DENY_SECONDS = 1;

const CACHED = '/services/cache/shards/*/clusters/*';

async function start(context: ServiceContext): Promise<readonly View[]> {
  const index = createWorkspaceIndex();
  const cache = await connectCache(context);
  const feed = await startFeed(context, index, { cache });
  const api = followTenancyApi(context, cache);
  const view = workspacesView({
    index,
    api,
    access: accessSource(context, index, feed),
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

/** RBAC says who may enter, unless a webhook of the shards says more. */
function accessSource(context: ServiceContext, index: WorkspaceIndex, feed: Feed): AccessSource {
  const { options, metrics } = context;
  if (options.workspaceAccess === 'rbac') return createIndexSource(index);
  const reviewerOf = shardReviewers(feed.controlOf, {
    // A refusal that is kept hides from a creator what has just become his; a yes that outlives the next review is none.
    allowTTL: Math.min(options.authorizationAllowTTL, MOST_ALLOW_SECONDS),
    denyTTL: Math.min(options.authorizationDenyTTL, MOST_DENY_SECONDS),
    onResult: result => metrics.accessReview(result),
  });
  const source = createReviewSource({ index, reviewerOf, log: context.log });
  context.onStop(() => source.stop());
  return source;
}
