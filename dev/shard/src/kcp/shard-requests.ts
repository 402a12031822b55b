import { sendStatus, sendText } from '@kcp-vw/shared/answer/send.ts';
import { type Identity, isMasters } from '@kcp-vw/shared/authn/identity.ts';
import { forbidden, notFound, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue } from '@kcp-vw/shared/listener/headers.ts';
import { requestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { parseTarget, type Target } from '@kcp-vw/shared/target/target.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { handleApi } from '../api/handle.ts';
import { authenticate, type Tokens } from './authentication.ts';
import { clusterTarget } from './cluster-target.ts';
import { impersonated } from './impersonation.ts';
import { withoutProtobuf } from './protobuf-exchange.ts';
import { LOCAL_ADMIN_CLUSTER, WORKSPACES } from './refs.ts';
import { forwardToVirtualWorkspaces } from './services-proxy.ts';
import type { ShardState } from './shard-state.ts';
import { resolveClusterPath } from './workspace-paths.ts';

export interface ShardContext {
  readonly state: ShardState;
  readonly tokens: Tokens;
  readonly virtualWorkspaces: ManagedUpstream;
  /** `host:port`, as `/api` tells it. */
  readonly serverAddress: string;
  /** Lets watches of a logical cluster end with it. */
  readonly until: (cluster: string) => (end: (reason: string) => void) => () => void;
}

const DEEP_REVIEW_HEADER = 'x-kcp-internal-deep-subjectaccessreview';

/**
 * One request to a shard: who, in whose name, to which logical cluster, whether, and then the API. `vouchedFor` is whom a front proxy has
 * authenticated. Refusals are answered.
 */
export async function handleShardRequest(exchange: Exchange, context: ShardContext, vouchedFor?: Identity): Promise<void> {
  try {
    await serve(exchange, context, vouchedFor);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    sendStatus(exchange, error);
  }
}

async function serve(exchange: Exchange, context: ShardContext, vouchedFor: Identity | undefined): Promise<void> {
  const { state } = context;
  const target = parseTarget(exchange.url);
  const caller = vouchedFor ?? authenticate(exchange.headers, exchange.peer, context.tokens);
  const [first, second] = target.segments;
  if (first === 'services' && second === 'cache') return serveCache(exchange, target, caller, context);

  const { cluster: named = '', rest } = clusterTarget(target);
  const cluster = resolve(named, context);
  const user = impersonated(caller, exchange.headers, cluster, state.authorize);
  if (first === 'services') return forwardToVirtualWorkspaces(exchange, target, user, context.virtualWorkspaces);

  const request = requestInfo(exchange.method, rest);
  const decision = state.authorize(cluster, user, request);
  if (!decision.allowed) throw forbidden(user.name, request, decision.reason);
  if (isMasters(user) && headerValue(exchange.headers, DEEP_REVIEW_HEADER) !== undefined) state.deepReviewers.add(user);
  // What names no logical cluster is about the shard's own.
  const place = cluster === '' ? LOCAL_ADMIN_CLUSTER : cluster;
  const settings = { serverAddress: context.serverAddress, until: context.until(place) };
  const definition = state.registry.find(place, { group: request.apiGroup, resource: request.resource });
  const inJson = await withoutProtobuf(exchange, definition, request);
  await handleApi(inJson, { cluster: place, rest, request, user }, state.store, state.registry, settings);
}

/** The name of the logical cluster. Throws a StatusError 404 for a path that leads nowhere on this shard. */
function resolve(named: string, { state }: ShardContext): string {
  if (named === '*') return named;
  const cluster = resolveClusterPath(state.objects, named);
  if (cluster === undefined) throw notFound(WORKSPACES, named);
  return cluster;
}

/** The cache server that is embedded in a shard: what is replicated of all shards, for masters. */
async function serveCache(
  exchange: Exchange,
  target: Target,
  caller: Identity,
  { state, serverAddress }: ShardContext,
): Promise<void> {
  const [, , shards, shard] = target.segments;
  const { cluster, rest } = clusterTarget(target, 4);
  const request = requestInfo(exchange.method, rest);
  if (!isMasters(caller)) throw forbidden(caller.name, request, 'access denied');
  if (shards !== 'shards' || shard === undefined || cluster === undefined) return sendText(exchange, 404, '404 page not found\n');
  await handleApi(exchange, { cluster, rest, request, user: caller }, state.store, state.cacheRegistry, { serverAddress });
}
